"""The `mcp` SDK's server on loopback, for everything that judges it."""

import json
import secrets

import mcp_sdk_server
import node_server
import pytest
from judging import HERE
from loopback import listen, served

from oauth_litmus.target.profile import load_profile

PROFILES = HERE / "profiles"


@pytest.fixture(scope="module")
def mcp_sdk():
    """The origin of a running server of the SDK, for one module: where other tests freeze the clock it could not end."""
    listener = listen()
    app = mcp_sdk_server.create_app(f"http://127.0.0.1:{listener.getsockname()[1]}")
    with served(app, listener) as origin:
        yield origin


@pytest.fixture(scope="session")
def node_packages(request):
    """Where packages from the npm registry are kept between runs."""
    return request.config.cache.mkdir("interop-node")


@pytest.fixture(scope="module")
def mcp_typescript(node_packages):
    """The origin of a running server of the TypeScript SDK."""
    with node_server.served(node_server.installed("mcp-typescript", node_packages)) as origin:
        yield origin


@pytest.fixture(scope="module")
def node_oauth(node_packages):
    """The origin of a running server of node-oauth, which has the clients of its profile, with secrets of this run."""
    profile = load_profile(PROFILES / "node-oauth.toml")
    clients = [{"id": client.client_id, "redirectUris": client.redirect_uris} for client in profile.clients]
    with pytest.MonkeyPatch.context() as environment:
        for client, declared in zip(clients, profile.clients, strict=True):
            if declared.secret_env:
                client["secret"] = secrets.token_urlsafe(24)
                environment.setenv(declared.secret_env, client["secret"])
        folder = node_server.installed("node-oauth", node_packages)
        with node_server.served(folder, NODE_OAUTH_CLIENTS=json.dumps(clients)) as origin:
            yield origin
