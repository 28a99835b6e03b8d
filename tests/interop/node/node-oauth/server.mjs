// The library's three handlers as express middleware: authorization endpoint, token endpoint, and a protected resource.

import OAuthServer from '@node-oauth/express-oauth-server';
import express from 'express';
import { createServer } from 'node:http';
import { MemoryModel } from './model.mjs';

const SCOPES = ['notes:read', 'notes:write'];

// The clients of profiles/node-oauth.toml; the library has no client registration.
const CLIENTS = JSON.parse(process.env.NODE_OAUTH_CLIENTS);

function createApp(origin) {
  const oauth = new OAuthServer({
    model: new MemoryModel(CLIENTS, SCOPES),
    // Lifetimes in seconds, so short that the suite can wait for their end.
    authorizationCodeLifetime: 6,
    accessTokenLifetime: 8,
    refreshTokenLifetime: 10,
    // Without this setting, public clients could not refresh.
    requireClientAuthentication: { refresh_token: false },
  });
  const loggedIn = { handle: () => ({ id: 'alice' }) };

  const app = express();
  app.use(express.urlencoded());
  app.get('/.well-known/oauth-authorization-server', (request, response) => response.json(serverMetadata(origin)));
  app.get('/.well-known/oauth-protected-resource/notes', (request, response) => response.json(resourceMetadata(origin)));
  app.get('/authorize', oauth.authorize({ authenticateHandler: loggedIn }));
  app.post('/token', oauth.token());
  app.get('/notes', oauth.authenticate({ scope: ['notes:read'] }), (request, response) => response.json([]));
  app.post('/notes', oauth.authenticate({ scope: ['notes:write'] }), (request, response) => response.json([]));
  return app;
}

// The library publishes no metadata; these documents describe what it does.
function serverMetadata(origin) {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: SCOPES,
  };
}

function resourceMetadata(origin) {
  return { resource: `${origin}/notes`, authorization_servers: [origin], scopes_supported: SCOPES };
}

// The application needs its own origin, so it is created when the port is known.
const listener = createServer().listen({ host: '127.0.0.1', port: 0, backlog: 512 }, () => {
  const origin = `http://127.0.0.1:${listener.address().port}`;
  listener.on('request', createApp(origin));
  console.log(origin);
});

// Stop when standard input closes, which happens whenever the process that started this one ends.
process.stdin.resume().on('end', () => process.exit());
