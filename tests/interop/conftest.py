"""Servers on loopback that several test modules use: the MCP SDKs, node-oauth and django-oauth-toolkit."""

import json
import secrets

import mcp_sdk_server
import node_server
import pytest
from django_oauth_toolkit_person import Person
from django_oauth_toolkit_process import running
from judging import HERE
from loopback import listen, served

from oauth_litmus.target.profile import load_profile

PROFILES = HERE / "profiles"


@pytest.fixture(scope="module")
def mcp_sdk():
    """The origin of a running server of the Python SDK, for one module: a test that freezes the clock would keep it from stopping."""
    listener = listen()
    app = mcp_sdk_server.create_app(f"http://127.0.0.1:{listener.getsockname()[1]}")
    with served(app, listener) as origin:
        yield origin


@pytest.fixture(scope="session")
def node_packages(request):
    """The folder that keeps packages of the npm registry between runs."""
    return request.config.cache.mkdir("interop-node")


@pytest.fixture(scope="module")
def mcp_typescript(node_packages):
    """The origin of a running server of the TypeScript SDK."""
    with node_server.served(node_server.installed("mcp-typescript", node_packages)) as origin:
        yield origin


@pytest.fixture(scope="module")
def node_oauth(node_packages):
    """The origin of a running node-oauth server with the clients of its profile, whose secrets are new in each run."""
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


@pytest.fixture(scope="session")
def person():
    """A logged-in user of one running django-oauth-toolkit server."""
    with running() as origin:
        yield Person(origin)


@pytest.fixture(scope="session")
def public_client(person):
    """The id of a public client at django-oauth-toolkit."""
    return person.client()


@pytest.fixture(scope="session")
def confidential_client(person):
    """The registration answer of a confidential client at django-oauth-toolkit, with its id and secret."""
    return person.register(method="client_secret_basic").json
