"""Grants and endpoints of Authlib, with their missing methods written as in its documentation."""

from authlib.oauth2 import rfc7009, rfc7591, rfc7662
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib_models import Client, Code, Store

AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
"""Authentication methods for both grants; with Authlib's defaults, neither serves public clients."""


def code_grant(store: Store) -> type[grants.AuthorizationCodeGrant]:
    """Build the authorization code grant for this store."""

    class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

        def save_authorization_code(self, code, request):
            store.codes[code] = Code(
                code=code,
                client_id=request.client.client_id,
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                user=request.user,
                code_challenge=request.payload.data.get("code_challenge"),
                code_challenge_method=request.payload.data.get("code_challenge_method"),
            )

        def query_authorization_code(self, code, client):
            item = store.query_code(code)
            return item if item and item.client_id == client.client_id and not item.is_expired() else None

        def delete_authorization_code(self, authorization_code):
            store.codes.pop(authorization_code.code, None)

        def authenticate_user(self, authorization_code):
            return authorization_code.user

    return AuthorizationCodeGrant


def refresh_grant(store: Store) -> type[grants.RefreshTokenGrant]:
    """Build the refresh token grant for this store."""

    class RefreshTokenGrant(grants.RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
        # With the default, False, a client can refresh only once.
        INCLUDE_NEW_REFRESH_TOKEN = True

        def authenticate_refresh_token(self, refresh_token):
            item = store.query_token(refresh_token, "refresh_token")
            return item if item and item.is_refresh_token_active() else None

        def authenticate_user(self, refresh_token):
            return refresh_token.user

        def revoke_old_credential(self, refresh_token):
            store.revoke(refresh_token)

    return RefreshTokenGrant


def revocation_endpoint(store: Store) -> type[rfc7009.RevocationEndpoint]:
    """Build the revocation endpoint for this store."""

    class RevocationEndpoint(rfc7009.RevocationEndpoint):
        def query_token(self, token_string, token_type_hint):
            return store.query_token(token_string, token_type_hint)

        def revoke_token(self, token, request):
            store.revoke(token, access_token_alone=request.form.get("token_type_hint") == "access_token")

    return RevocationEndpoint


def introspection_endpoint(store: Store, issuer: str) -> type[rfc7662.IntrospectionEndpoint]:
    """Build the introspection endpoint for this store: each client may introspect its own tokens."""

    class IntrospectionEndpoint(rfc7662.IntrospectionEndpoint):
        def query_token(self, token_string, token_type_hint):
            return store.query_token(token_string, token_type_hint)

        def check_permission(self, token, client, request):
            return token.check_client(client)

        def introspect_token(self, token):
            return {
                "active": True,
                "client_id": token.client_id,
                "token_type": token.token_type,
                "username": token.user.name,
                "scope": token.get_scope(),
                "sub": token.user.get_user_id(),
                "aud": token.client_id,
                "iss": issuer,
                "exp": token.issued_at + token.expires_in,
                "iat": token.issued_at,
            }

    return IntrospectionEndpoint


def registration_endpoint(store: Store, metadata: dict) -> type[rfc7591.ClientRegistrationEndpoint]:
    """Build the open registration endpoint for this store."""

    class ClientRegistrationEndpoint(rfc7591.ClientRegistrationEndpoint):
        def authenticate_token(self, request):
            return "any client"

        def get_server_metadata(self):
            return metadata

        def save_client(self, client_info, client_metadata, request):
            client = Client(client_info["client_id"], client_info["client_secret"], client_metadata)
            store.clients[client.client_id] = client
            return client

    return ClientRegistrationEndpoint


def bearer_token_validator(store: Store) -> BearerTokenValidator:
    """Build the token validator of a resource that shares the store."""

    class Validator(BearerTokenValidator):
        def authenticate_token(self, token_string):
            return store.query_token(token_string, "access_token")

    return Validator()
