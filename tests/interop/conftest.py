"""The `mcp` SDK's server on loopback, for everything that judges it."""

import mcp_sdk_server
import node_server
import pytest
from loopback import listen, served


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
