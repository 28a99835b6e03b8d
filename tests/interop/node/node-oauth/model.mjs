// What the library leaves to its user: a model that keeps all in memory.
//
// All that the library's hooks allow to be done right is done right here, so that what the suite finds is the library's own.

const GRANTS = ['authorization_code', 'refresh_token'];

export class MemoryModel {
  #clients;
  #scopes;
  #codes = new Map();
  #accessTokens = new Map();
  #refreshTokens = new Map();

  constructor(clients, scopes) {
    this.#clients = new Map(clients.map(client => [client.id, { ...client, grants: GRANTS }]));
    this.#scopes = scopes;
  }

  // The authorization endpoint, where nobody authenticates, says null for the secret; the token endpoint says undefined
  // where none came, also for a client that has one.
  getClient(clientId, clientSecret) {
    const client = this.#clients.get(clientId);
    return clientSecret === null || client?.secret === clientSecret ? client : undefined;
  }

  // Without a scope that was named, everything is granted.
  validateScope(user, client, scope) {
    const wanted = scope ?? this.#scopes;
    return wanted.every(name => this.#scopes.includes(name)) && wanted;
  }

  saveAuthorizationCode(code, client, user) {
    // The family is everything that one login brings. It travels in the user, the only thing that the library hands from
    // a code to its tokens, and from a refresh token to its successor.
    const family = { scope: code.scope, revoked: false };
    const saved = { ...code, client, user: { ...user, family }, used: false };
    this.#codes.set(code.authorizationCode, saved);
    return saved;
  }

  // Used codes are found as well, so that a replay is seen.
  getAuthorizationCode(authorizationCode) {
    return this.#codes.get(authorizationCode);
  }

  // A replay revokes what the code brought (OAuth 2.1 section 4.1.3).
  revokeAuthorizationCode(code) {
    const first = !code.used;
    code.used = true;
    code.user.family.revoked ||= !first;
    return first;
  }

  saveToken(token, client, user) {
    const saved = { ...token, client, user };
    this.#accessTokens.set(token.accessToken, saved);
    // The refresh token keeps the whole grant, whatever a refresh was narrowed to (OAuth 2.1 section 4.3.3).
    this.#refreshTokens.set(token.refreshToken, { ...saved, scope: user.family.scope });
    user.family.refreshToken = token.refreshToken;
    return saved;
  }

  getAccessToken(accessToken) {
    const found = this.#accessTokens.get(accessToken);
    return found?.user.family.revoked ? undefined : found;
  }

  getRefreshToken(refreshToken) {
    return this.#refreshTokens.get(refreshToken);
  }

  // A rotated token that comes back revokes its family (OAuth 2.1 section 4.3.1).
  revokeToken({ refreshToken, user: { family } }) {
    const newest = family.refreshToken === refreshToken && !family.revoked;
    family.refreshToken = undefined;
    family.revoked ||= !newest;
    return newest;
  }

  verifyScope(token, scope) {
    return scope.every(name => token.scope.includes(name));
  }
}
