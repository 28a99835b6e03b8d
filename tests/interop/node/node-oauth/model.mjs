// A model for the library, which its users must write: it stores all data in memory.
//
// The model is correct wherever the library's hooks allow it, so that every finding of the suite is about the library itself.

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

  // The library passes null as secret at the authorization endpoint, which has no client authentication. At the token
  // endpoint it passes undefined if the request has no secret, even if the client has one.
  getClient(clientId, clientSecret) {
    const client = this.#clients.get(clientId);
    return clientSecret === null || client?.secret === clientSecret ? client : undefined;
  }

  // A request without a scope gets the whole scope.
  validateScope(user, client, scope) {
    const wanted = scope ?? this.#scopes;
    return wanted.every(name => this.#scopes.includes(name)) && wanted;
  }

  saveAuthorizationCode(code, client, user) {
    // The family is all tokens of one login. It is kept in the user, the only object that the library passes from a code
    // to its tokens, and from a refresh token to its successor.
    const family = { scope: code.scope, revoked: false };
    const saved = { ...code, client, user: { ...user, family }, used: false };
    this.#codes.set(code.authorizationCode, saved);
    return saved;
  }

  // Return used codes as well, so that a replay is detected.
  getAuthorizationCode(authorizationCode) {
    return this.#codes.get(authorizationCode);
  }

  // A replay revokes the tokens of the code (OAuth 2.1 section 4.1.3).
  revokeAuthorizationCode(code) {
    const first = !code.used;
    code.used = true;
    code.user.family.revoked ||= !first;
    return first;
  }

  saveToken(token, client, user) {
    const saved = { ...token, client, user };
    this.#accessTokens.set(token.accessToken, saved);
    // The refresh token keeps the whole grant, even if a refresh was narrowed (OAuth 2.1 section 4.3.3).
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

  // Reuse of a rotated token revokes its family (OAuth 2.1 section 4.3.1).
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
