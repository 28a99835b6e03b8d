"""A server may register another method of authentication than was asked for (RFC 7591 section 3.2.1)."""

import pytest
from core_worlds import ISSUER, Places, run_with, target_of
from starlette.responses import JSONResponse

from litmus_fixtures.in_process import Applications
from oauth_litmus.verdict import NotApplicable

SECRETS = ["client_secret_post", "client_secret_basic"]


def target(*, kept):
    """A client of a server that advertises both kinds of secret, and registers none but these."""

    async def register(request):
        document = await request.json()
        asked = document["token_endpoint_auth_method"]
        method = asked if asked in kept else kept[0]
        secret = {} if method == "none" else {"client_secret": "s" * 32}
        return JSONResponse(
            {**document, "client_id": f"c-{method}", "token_endpoint_auth_method": method, **secret}, 201
        )

    class Home(Places):
        async def answer(self, request):
            return await register(request)

    metadata = {"registration_endpoint": f"{ISSUER}/register", "token_endpoint_auth_methods_supported": SECRETS}
    return target_of(run_with(metadata=metadata, transports=lambda _: Applications({ISSUER: Home().application()})))


@pytest.mark.parametrize(
    ("kept", "method"),
    [
        (("none", *SECRETS), "client_secret_post"),
        (("client_secret_basic", "none"), "client_secret_basic"),
        (("none",), None),
    ],
)
async def test_the_method_of_confidential_clients_is_one_that_is_registered(kept, method):
    assert await target(kept=kept).clients.confidential_method() == method


async def test_a_method_that_is_replaced_is_not_judged_by_another():
    with pytest.raises(NotApplicable, match="with client_secret_basic, not with client_secret_post"):
        await target(kept=("client_secret_basic", "none")).clients.shared(auth_method="client_secret_post")
