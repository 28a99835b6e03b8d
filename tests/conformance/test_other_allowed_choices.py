"""Choices that the specifications allow, and no variant of the straw server makes: nothing may be said against them."""

from contextlib import ExitStack
from dataclasses import replace

from starlette.responses import Response

from litmus_fixtures.broken_servers.registry import replaced
from litmus_fixtures.straw_server.authorize import scope_wanted
from litmus_fixtures.straw_server.choices import VARIANTS
from litmus_fixtures.straw_server.clients import authenticated
from litmus_fixtures.straw_server.discovery import server_metadata
from litmus_fixtures.straw_server.pages import found
from litmus_fixtures.straw_server.parameters import OAuthError
from litmus_fixtures.straw_world import straw_world
from oauth_litmus.plan import Selection
from oauth_litmus.runner import judge
from oauth_litmus.verdict import Verdict


async def passed(names, overrides):
    """What is not passed of these checks, with the reason, where a managed straw server has other functions."""
    with ExitStack() as stack:
        for seam, override in overrides.items():
            stack.enter_context(replaced(seam, override))
        async with straw_world("managed") as run:
            results = (await judge(run, Selection(only=names))).results
    return {name: results[name].decision for name in names if results[name].verdict is not Verdict.PASS}


async def test_other_endpoints_than_the_token_endpoint_may_take_fewer_methods(monkeypatch):
    both = ("none", "client_secret_post", "client_secret_basic")
    monkeypatch.setitem(VARIANTS, "managed", replace(VARIANTS["managed"], auth_methods=both))

    def basic_elsewhere(straw, request, form):
        if "client_secret" in form and not request.url.path.endswith("/token"):
            raise OAuthError("invalid_client", "HTTP Basic alone", 401)
        return authenticated(straw, request, form)

    def honest(straw):
        fewer = {
            "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        return server_metadata(straw) | fewer

    names = ("REVOKE-01", "REVOKE-07a", "REVOKE-07b", "REVOKE-07d", "REVOKE-07e", "REVOKE-08")
    assert await passed(names, {authenticated: basic_elsewhere, server_metadata: honest}) == {}


async def test_a_redirect_is_no_page_whatever_its_type_says():
    def typed(url, **more):
        answer = found(url, **more)
        return Response("moved", answer.status_code, dict(answer.headers), "text/html")

    assert await passed(("HEADERS-01", "HEADERS-02a"), {found: typed}) == {}


async def test_a_request_without_scope_may_bring_a_token_that_opens_nothing():
    def none_by_default(straw, client, text):
        return frozenset() if text is None else scope_wanted(straw, client, text)

    assert await passed(("SCOPE-06", "SCOPE-11"), {scope_wanted: none_by_default}) == {}
