"""Redirects, documents and headers that the specifications allow and that were once held against a server."""

import pytest
from other_choices import not_passed
from starlette.responses import JSONResponse, RedirectResponse

from litmus_fixtures.straw_server import discovery, pages, parameters, resource, revocation, token
from litmus_fixtures.straw_world import straw_profile
from oauth_litmus.verdict import Verdict
from supabase_relay.middleware import SelectiveCors
from supabase_relay.routes.login import callback


def for_mcp(variant):
    return straw_profile(variant).model_copy(update={"specification": "mcp"})


@pytest.mark.parametrize("status", [301, 308])
async def test_a_permanent_redirect_that_no_cache_stores_is_judged_like_others(status):
    async def permanent(request):
        response = await callback(request)
        response.status_code = status if "location" in response.headers else response.status_code
        return response

    assert await not_passed(("AUTHZ-07", "HEADERS-03"), {callback: permanent}, "reference") == {}


async def test_a_permanent_redirect_that_may_be_stored_is_seen():
    def permanent(url):
        return RedirectResponse(url, 301)

    decisions = await not_passed(("HEADERS-03",), {pages.found: permanent}, "openid")

    assert decisions["HEADERS-03"].verdict is Verdict.FAIL


async def test_an_error_of_the_token_endpoint_may_say_nothing_of_caches():
    def bare(error):
        return JSONResponse({"error": error.error, "error_description": error.description}, error.status)

    assert await not_passed(("TOKEN-02",), {parameters.json_error: bare}) == {}


async def test_metadata_at_the_root_of_the_host_serves_mcp_clients():
    async def of_the_host(request):
        return JSONResponse({"resource": "http://127.0.0.1:8090", "authorization_servers": ["http://127.0.0.1:8090"]})

    def at_the_root(straw):
        return "/.well-known/oauth-protected-resource"

    overrides = {discovery.resource_metadata: of_the_host, discovery.resource_metadata_path: at_the_root}
    assert await not_passed(("META-06",), overrides, profile=for_mcp("managed")) == {}


async def test_a_challenge_need_not_repeat_what_stands_at_the_well_known_location():
    def scoped(straw, status, why=""):
        parts = ['realm="straw"', f'scope="{" ".join(straw.scopes)}"', *([why] if why else [])]
        return JSONResponse({}, status, {"www-authenticate": f"Bearer {', '.join(parts)}"})

    assert await not_passed(("BEARER-01",), {resource.refusal: scoped}, profile=for_mcp("managed")) == {}


async def test_configured_clients_may_stand_for_resources_and_introspect():
    def anything(client, of):
        return True

    decisions = await not_passed(("REVOKE-07d",), {revocation.may_see: anything}, "configured")

    assert decisions["REVOKE-07d"].verdict is Verdict.SKIP
    assert "registration" in decisions["REVOKE-07d"].reason


async def test_scripts_need_not_revoke():
    def without_revocation(cors, path):
        return not path.endswith("/revoke") and good(cors, path)

    good = SelectiveCors.offers_cors
    assert (
        await not_passed(("CORS-02a", "CORS-02b"), {SelectiveCors.offers_cors: without_revocation}, "reference") == {}
    )


ALONE = ("SCOPE-05",), ("REPLAY-05",)
TOGETHER = ("SCOPE-05", "REPLAY-05", "SCOPE-02", "SCOPE-13", "REPLAY-03", "AUTHZ-06")


@pytest.mark.parametrize("names", [*ALONE, TOGETHER], ids=lambda names: ",".join(names))
async def test_a_login_may_end_the_grants_before_it(names):
    def the_only_one(straw, client, form):
        answer = good(straw, client, form)
        grant = straw.records.codes[form["code"]].grant
        for other in straw.records.refresh_tokens.values():
            if other.grant is not grant and (other.grant.user, other.grant.client_id) == (grant.user, grant.client_id):
                other.grant.revoked = True
        return answer

    good = token.redeem
    decisions = await not_passed(names, {token.redeem: the_only_one})

    if names in ALONE:
        assert decisions == {}
    assert Verdict.FAIL not in {decision.verdict for decision in decisions.values()}
