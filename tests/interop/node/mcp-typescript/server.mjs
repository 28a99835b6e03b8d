// The SDK's authorization router, and a stateless MCP endpoint behind its bearer middleware, in one application.

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { getOAuthProtectedResourceMetadataUrl, mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createServer } from 'node:http';
import { MemoryProvider } from './memory_provider.mjs';

const SCOPES = ['notes:read', 'notes:write'];

function createApp(origin) {
  const resource = new URL('/mcp', origin);
  const provider = new MemoryProvider(resource, SCOPES);
  const app = createMcpExpressApp();
  app.use(
    mcpAuthRouter({ provider, issuerUrl: new URL(origin), resourceServerUrl: resource, scopesSupported: SCOPES }),
  );
  const bearer = requireBearerAuth({
    verifier: provider,
    requiredScopes: ['notes:read'],
    resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resource),
    expectedResource: resource,
  });
  app.all('/mcp', bearer, answer);
  return app;
}

async function answer(request, response) {
  if (request.method !== 'POST') {
    response.status(405).set('Allow', 'POST').end();
    return;
  }
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  response.on('close', () => server.close());
  await server.connect(transport);
  await transport.handleRequest(request, response, request.body);
}

// The application needs its own origin, so it is created when the port is known.
const listener = createServer().listen({ host: '127.0.0.1', port: 0, backlog: 512 }, () => {
  const origin = `http://127.0.0.1:${listener.address().port}`;
  listener.on('request', createApp(origin));
  console.log(origin);
});

// Stop when standard input closes, which happens whenever the process that started this one ends.
process.stdin.resume().on('end', () => process.exit());
