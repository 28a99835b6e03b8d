"""Choices that the specifications allow, and no variant of the straw server makes: nothing may be said against them."""

from dataclasses import replace

from other_choices import not_passed
from starlette.responses import Response

from litmus_fixtures.straw_server.authorize import scope_wanted
from litmus_fixtures.straw_server.choices import VARIANTS
from litmus_fixtures.straw_server.clients import authenticated
from litmus_fixtures.straw_server.discovery import server_metadata
from litmus_fixtures.straw_server.pages import found
from litmus_fixtures.straw_server.parameters import OAuthError
from litmus_fixtures.straw_server.token import refresh
from litmus_fixtures.straw_world import straw_profile

REFRESHING = ("AUTHZ-06", "REPLAY-03", "REVOKE-08", "SCOPE-02", "SCOPE-13")
"""Checks that refresh more than once in one login."""


def with_secrets_alone():
    """The profile of a server that has no public clients, whose refresh tokens therefore need no rotation."""
    profile = straw_profile("configured")
    secret = tuple(client for client in profile.clients if client.auth_method != "none")
    return profile.model_copy(update={"clients": secret})


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
    assert await not_passed(names, {authenticated: basic_elsewhere, server_metadata: honest}) == {}


async def test_a_redirect_is_no_page_even_with_the_type_of_one():
    def typed(url, **more):
        answer = found(url, **more)
        return Response("moved", answer.status_code, dict(answer.headers), "text/html")

    assert await not_passed(("HEADERS-01", "HEADERS-02a"), {found: typed}) == {}


async def test_a_request_without_scope_may_bring_a_token_that_opens_nothing():
    def none_by_default(straw, client, text):
        return frozenset() if text is None else scope_wanted(straw, client, text)

    assert await not_passed(("SCOPE-06", "SCOPE-11"), {scope_wanted: none_by_default}) == {}


async def test_a_refresh_token_may_stay_and_the_answer_need_not_repeat_it(monkeypatch):
    monkeypatch.setitem(VARIANTS, "configured", replace(VARIANTS["configured"], refresh="kept"))

    assert await not_passed((*REFRESHING, "SCOPE-05"), {}, "configured", with_secrets_alone()) == {}


async def test_a_refresh_token_may_be_good_once_and_have_no_successor():
    def once(straw, client, form):
        answer = refresh(straw, client, form)
        return {name: value for name, value in answer.items() if name != "refresh_token"}

    assert await not_passed(REFRESHING, {refresh: once}, "configured", with_secrets_alone()) == {}
