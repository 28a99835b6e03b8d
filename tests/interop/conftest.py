"""The `mcp` SDK's server on loopback, for everything that judges it."""

import mcp_sdk_server
import pytest
from loopback import listen, served


@pytest.fixture(scope="module")
def mcp_sdk():
    """The origin of a running server of the SDK, for one module: where other tests freeze the clock it could not end."""
    listener = listen()
    app = mcp_sdk_server.create_app(f"http://127.0.0.1:{listener.getsockname()[1]}")
    with served(app, listener) as origin:
        yield origin
