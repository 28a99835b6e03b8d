// A provider for the SDK, which its users must write: it stores all data in memory and approves every login.
//
// The provider is correct wherever the SDK's hooks allow it, so that every finding of the suite is about the SDK itself.

import {
  CustomOAuthError,
  InvalidGrantError,
  InvalidScopeError,
  InvalidTargetError,
  InvalidTokenError,
} from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { randomBytes } from 'node:crypto';

// Lifetimes in seconds, so short that the suite can wait for their end.
const CODE_TTL = 6;
const ACCESS_TOKEN_TTL = 8;
const REFRESH_TOKEN_TTL = 10;

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

class MemoryClients {
  #clients = new Map();

  async getClient(clientId) {
    return this.#clients.get(clientId);
  }

  // Refuse redirect URIs to which it is not safe to send a code (OAuth 2.1 section 2.3).
  async registerClient(client) {
    if (client.redirect_uris.length === 0 || !client.redirect_uris.every(isSafe)) {
      throw new CustomOAuthError('invalid_redirect_uri', 'https, http on loopback, or a private-use scheme');
    }
    this.#clients.set(client.client_id, client);
    return client;
  }
}

export class MemoryProvider {
  clientsStore = new MemoryClients();
  #codes = new Map();
  #accessTokens = new Map();
  #refreshTokens = new Map();
  #resource;
  #scopes;

  constructor(resource, scopes) {
    this.#resource = resource;
    this.#scopes = scopes;
  }

  async authorize(client, { state, scopes, redirectUri, codeChallenge, resource }, response) {
    if (resource !== undefined && resource.href !== this.#resource.href) {
      throw new InvalidTargetError('unknown resource');
    }
    const code = randomBytes(32).toString('base64url');
    const granted = this.#granted(scopes, client.scope?.split(' ') ?? this.#scopes);
    const expiresAt = now() + CODE_TTL;
    this.#codes.set(code, { clientId: client.client_id, redirectUri, codeChallenge, scopes: granted, expiresAt });
    const answer = new URLSearchParams(state === undefined ? { code } : { code, state });
    const target = new URL(redirectUri);
    target.search += `${target.search ? '&' : '?'}${answer}`;
    response.redirect(target.href);
  }

  // The SDK compares the verifier with this challenge before the code is spent.
  async challengeForAuthorizationCode(client, code) {
    return this.#codeOf(client, code).codeChallenge;
  }

  // A replay revokes the tokens of the code (OAuth 2.1 section 4.1.3).
  async exchangeAuthorizationCode(client, code, _verifier, redirectUri) {
    const found = this.#codeOf(client, code);
    if (redirectUri !== undefined && redirectUri !== found.redirectUri) {
      throw new InvalidGrantError('redirect_uri is not the one of the authorization request');
    }
    if (found.family !== undefined) {
      this.#revoke(found.family);
      throw new InvalidGrantError('the authorization code was used');
    }
    found.family = { clientId: found.clientId, scopes: found.scopes, revoked: false };
    return this.#issue(found.family, found.scopes);
  }

  // Reuse of a rotated token revokes its family (OAuth 2.1 section 4.3.1).
  async exchangeRefreshToken(client, refreshToken, scopes) {
    const found = this.#refreshTokens.get(refreshToken);
    if (found?.family.clientId !== client.client_id || found.expiresAt <= now()) {
      throw new InvalidGrantError('the refresh token is not known, or has expired');
    }
    if (found.family.revoked || found.family.refreshToken !== refreshToken) {
      this.#revoke(found.family);
      throw new InvalidGrantError('the refresh token was rotated or revoked');
    }
    return this.#issue(found.family, this.#granted(scopes, found.family.scopes));
  }

  // The SDK checks expiry, scopes and resource.
  async verifyAccessToken(token) {
    const found = this.#accessTokens.get(token);
    if (found === undefined || found.family.revoked) {
      throw new InvalidTokenError('the access token is not known, or was revoked');
    }
    const { family, scopes, expiresAt } = found;
    return { token, clientId: family.clientId, scopes, expiresAt, resource: this.#resource };
  }

  // Ignore a token that is unknown or belongs to another client (RFC 7009 sections 2.1 and 2.2).
  async revokeToken(client, { token }) {
    const { family } = this.#refreshTokens.get(token) ?? this.#accessTokens.get(token) ?? {};
    if (family?.clientId === client.client_id) {
      this.#revoke(family);
    }
  }

  #codeOf(client, code) {
    const found = this.#codes.get(code);
    if (found?.clientId !== client.client_id || found.expiresAt <= now()) {
      throw new InvalidGrantError('the authorization code is not known, or has expired');
    }
    return found;
  }

  #granted(wanted, allowed) {
    // A parameter without a value counts as omitted (OAuth 2.1 section 3.1); the SDK passes it as one empty scope.
    const named = (wanted ?? []).filter(Boolean);
    if (!named.every(scope => allowed.includes(scope))) {
      throw new InvalidScopeError('more than may be granted');
    }
    return named.length > 0 ? named : allowed;
  }

  #issue(family, scopes) {
    const [accessToken, refreshToken] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
    this.#accessTokens.set(accessToken, { family, scopes, expiresAt: now() + ACCESS_TOKEN_TTL });
    this.#refreshTokens.set(refreshToken, { family, expiresAt: now() + REFRESH_TOKEN_TTL });
    family.refreshToken = refreshToken;
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: ACCESS_TOKEN_TTL,
      scope: scopes.join(' '),
      refresh_token: refreshToken,
    };
  }

  #revoke(family) {
    family.revoked = true;
  }
}

function isSafe(uri) {
  const { protocol, hostname, username, password } = new URL(uri);
  if (/[#*\\]/.test(uri) || username || password) {
    return false;
  }
  return protocol === 'https:' || (protocol === 'http:' ? LOOPBACK.has(hostname) : protocol.includes('.'));
}

function now() {
  return Date.now() / 1000;
}
