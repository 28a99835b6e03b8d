"""Which error tells a public client that a grant is not for it."""

import pytest
from core_worlds import ISSUER, connected_to
from small_server import SmallServer
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import judge
from oauth_litmus.verdict import Verdict


class OtherGrants(SmallServer):
    """Knows client_credentials, which a public client has nothing to prove itself with for."""

    refusal = ("invalid_client", 401)

    async def token(self, request: Request) -> Response:
        grant_type = (await request.form()).get("grant_type")
        if grant_type in ("authorization_code", "refresh_token"):
            return await super().token(request)
        error, status = "unsupported_grant_type" if grant_type else "invalid_request", 400
        if grant_type == "client_credentials":
            error, status = self.refusal
        return JSONResponse({"error": error}, status)


@pytest.mark.parametrize(
    ("refusal", "verdict"),
    [
        (("invalid_client", 401), Verdict.PASS),
        (("unauthorized_client", 400), Verdict.PASS),
        (("invalid_grant", 400), Verdict.WARN),
    ],
)
async def test_client_credentials_of_a_public_client_fail_at_the_client(refusal, verdict):
    server = OtherGrants(issuer=ISSUER)
    server.refusal = refusal
    async with connected_to({ISSUER: server.application()}) as run:
        results = (await judge(run, Selection(only=("TOKEN-03b",)))).results

    assert results["TOKEN-03b"].verdict is verdict
