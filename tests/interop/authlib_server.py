"""Authlib's authorization server and resource protector for Flask, set up as in its documentation."""

import secrets
from html import escape

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2 import OAuth2Error, rfc8414, rfc9207
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib_grants import (
    AUTH_METHODS,
    bearer_token_validator,
    code_grant,
    introspection_endpoint,
    refresh_grant,
    registration_endpoint,
    revocation_endpoint,
)
from authlib_models import ACCESS_TOKEN_TTL, Store, User
from flask import Flask, abort, jsonify, request, session

READ, WRITE = "notes:read", "notes:write"
_PAGE = """<!doctype html><title>Sign in</title>
<p><b>{client}</b> asks for <b>{scope}</b>. The answer is sent to <b>{redirect_uri}</b>.</p>
<form method="post"><input type="hidden" name="csrf" value="{csrf}">
<button name="confirm" value="yes">Sign in as Ada and allow</button>
<button name="confirm" value="">Deny</button></form>"""
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


def create_app(issuer: str) -> Flask:
    """Build the server with this issuer; its resource is at `/notes`."""
    app = Flask("notes")
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        SESSION_COOKIE_SAMESITE="Lax",
        OAUTH2_REFRESH_TOKEN_GENERATOR=True,
        OAUTH2_SCOPES_SUPPORTED=[READ, WRITE],
        OAUTH2_TOKEN_EXPIRES_IN={"authorization_code": ACCESS_TOKEN_TTL, "refresh_token": ACCESS_TOKEN_TTL},
    )
    store, metadata = Store(), _metadata(issuer)
    server = AuthorizationServer(app, query_client=store.query_client, save_token=store.save_token)
    server.register_grant(code_grant(store), [CodeChallenge(required=True)])
    server.register_grant(refresh_grant(store))
    server.register_endpoint(revocation_endpoint(store))
    server.register_endpoint(introspection_endpoint(store, issuer))
    server.register_endpoint(registration_endpoint(store, metadata))
    server.register_extension(_issuer_parameter(issuer))
    _add_authorization(app, server)
    _add_endpoints(app, server, metadata)
    _add_resource(app, store, issuer)
    return app


def _metadata(issuer: str) -> dict:
    metadata = rfc8414.AuthorizationServerMetadata(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": f"{issuer}/oauth/token",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "introspection_endpoint": f"{issuer}/oauth/introspect",
            "registration_endpoint": f"{issuer}/oauth/register",
            "scopes_supported": [READ, WRITE],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": AUTH_METHODS,
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic"],
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": CodeChallenge.SUPPORTED_CODE_CHALLENGE_METHOD,
            "authorization_response_iss_parameter_supported": True,
        }
    )
    metadata.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
    return metadata


def _issuer_parameter(issuer: str) -> type[rfc9207.IssuerParameter]:
    class IssuerParameter(rfc9207.IssuerParameter):
        def __init__(self, server):
            self(server)

        def get_issuer(self):
            return issuer

    return IssuerParameter


def _add_authorization(app: Flask, server: AuthorizationServer) -> None:
    @app.route("/oauth/authorize", methods=["GET", "POST"])
    def authorize():
        ada = User("ada")
        try:
            grant = server.get_consent_grant(end_user=ada)
        except OAuth2Error as error:
            return server.handle_error_response(request, error)
        if request.method != "POST":
            shown = {
                "client": grant.client.name,
                "scope": grant.request.scope or "nothing",
                "redirect_uri": grant.redirect_uri,
                "csrf": session.setdefault("csrf", secrets.token_urlsafe(16)),
            }
            return _PAGE.format(**{name: escape(value) for name, value in shown.items()}), _PAGE_HEADERS
        if not secrets.compare_digest(request.form.get("csrf", ""), session.get("csrf") or secrets.token_hex()):
            abort(403)
        confirmed = request.form.get("confirm")
        return server.create_authorization_response(grant=grant, grant_user=ada if confirmed else None)


def _add_endpoints(app: Flask, server: AuthorizationServer, metadata: dict) -> None:
    @app.route("/oauth/token", methods=["POST"])
    def issue_token():
        return server.create_token_response()

    @app.route("/oauth/revoke", methods=["POST"])
    def revoke_token():
        return server.create_endpoint_response("revocation")

    @app.route("/oauth/introspect", methods=["POST"])
    def introspect_token():
        return server.create_endpoint_response("introspection")

    @app.route("/oauth/register", methods=["POST"])
    def client_registration():
        return server.create_endpoint_response("client_registration")

    @app.route(rfc8414.get_well_known_url(metadata["issuer"]))
    def server_metadata():
        return jsonify(metadata)


def _add_resource(app: Flask, store: Store, issuer: str) -> None:
    require_oauth = ResourceProtector()
    require_oauth.register_token_validator(bearer_token_validator(store))

    @app.route("/notes")
    @require_oauth(READ)
    def read_notes():
        return jsonify(reader=current_token.user.name)

    @app.route("/notes/drafts")
    @require_oauth(WRITE)
    def read_drafts():
        return jsonify(writer=current_token.user.name)

    # Authlib does not support RFC 9728; the suite needs this document to find the authorization server.
    @app.route(rfc8414.get_well_known_url(f"{issuer}/notes", suffix="oauth-protected-resource"))
    def resource_metadata():
        return jsonify(resource=f"{issuer}/notes", authorization_servers=[issuer], scopes_supported=[READ, WRITE])
