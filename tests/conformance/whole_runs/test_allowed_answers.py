"""Answers that the specifications allow and that were once held against a server."""

import base64
import html
import json
import os
import random
import secrets
import time
from dataclasses import replace

import pytest
from core_worlds import answer, ended
from other_choices import not_passed
from starlette.responses import JSONResponse, RedirectResponse, Response

from litmus_fixtures.straw_server import (
    authorize,
    clients,
    discovery,
    limits,
    management,
    pages,
    parameters,
    records,
    registration,
    resource,
    responses,
    revocation,
    server,
    token,
)
from oauth_litmus.probes.randomness import MIN_BITS, bits_that_vary, least_characters
from oauth_litmus.verdict import Verdict

STRANGER = "https://evil.example/cb"


def warned(decisions):
    return {name: decision.verdict for name, decision in decisions.items()}


def shows(markup):
    return ended(replace(answer(400, headers={"content-type": "text/html"}), body=markup.encode()))


@pytest.mark.parametrize(
    "markup",
    [
        f"<script src=/app.js></script>The redirect location <code>{STRANGER}</code> is not registered.",
        f'<script type="application/json">{{"location": "{STRANGER}"}}</script>',
        f"<script>window.state = {json.dumps({'location': {'search': f'?redirect_uri={STRANGER}'}})}</script>",
        f"<script>if (location == home) stay(); say('{STRANGER}')</script>",
    ],
)
def test_an_address_in_a_page_is_not_gone_to(markup):
    assert not shows(markup).reached(STRANGER)


@pytest.mark.parametrize(
    "script",
    [
        f'location = "{STRANGER}"',
        f"window.location.href='{STRANGER}?code=1'",
        f"var u = `{STRANGER}`; location.replace(u)",
        'document.location.assign("https:\\/\\/evil.example\\/cb")',
    ],
)
def test_a_script_that_sets_the_location_goes_there(script):
    assert shows(f"<SCRIPT nonce=x>{script}</SCRIPT>").reached(STRANGER)


async def test_a_challenge_may_say_something_else_each_time():
    def refusal(straw, status, why=""):
        parts = ['realm="straw"', *([why] if why else []), f'error_id="{secrets.token_hex(4)}"']
        challenge = {"cache-control": "no-store", "www-authenticate": "Bearer " + ", ".join(parts)}
        return Response(status_code=status, headers=challenge)

    assert await not_passed(("META-07",), {resource.refusal: refusal}, "configured") == {}


@pytest.mark.parametrize(
    ("header", "realm"), [("x-forwarded-host", "{}"), ("x-forwarded-prefix", "http://127.0.0.1:8090{}")]
)
async def test_a_challenge_that_repeats_a_forwarding_header_is_seen(header, realm):
    sent = []

    async def notes(request):
        sent[:] = [request.headers.get(header, "")]
        return await good(request)

    def refusal(straw, status, why=""):
        return Response(status_code=status, headers={"www-authenticate": f'Bearer realm="{realm.format(sent[0])}"'})

    good = resource.notes
    decisions = await not_passed(("META-07",), {resource.notes: notes, resource.refusal: refusal}, "configured")

    assert warned(decisions) == {"META-07": Verdict.FAIL}


async def test_the_order_of_a_list_in_the_metadata_means_nothing():
    def in_any_order(straw):
        values = [f"http://acr.operator.example/{number}" for number in range(9)]
        return good(straw) | {"acr_values_supported": random.sample(values, len(values))}

    good = discovery.server_metadata
    assert await not_passed(("META-07",), {discovery.server_metadata: in_any_order}, "configured") == {}


async def test_an_extension_of_the_metadata_may_be_anything():
    def extended(straw):
        more = {"x_events_endpoint": "wss://events.example/", "x_old_endpoint": {"until": "2027"}}
        types = {"response_types_supported": ["code", "id_token", "code id_token"]}
        return good(straw) | more | types

    good = discovery.server_metadata
    assert await not_passed(("META-03",), {discovery.server_metadata: extended}, "openid") == {}


async def test_a_revocation_may_take_two_seconds_to_spread():
    pending = []

    def later(straw, client, value):
        pending.append((time.time() + 2, straw, client, value))

    def refresh(straw, client, form):
        for waiting in [each for each in pending if time.time() >= each[0]]:
            pending.remove(waiting)
            good_revoke(*waiting[1:])
        return good_refresh(straw, client, form)

    good_revoke, good_refresh = revocation.revoke_for, token.refresh
    overrides = {revocation.revoke_for: later, token.refresh: refresh}
    decisions = await not_passed(("REVOKE-01", "REVOKE-09"), overrides, "configured")

    assert warned(decisions) == {"REVOKE-01": Verdict.WARN, "REVOKE-09": Verdict.WARN}


async def test_the_code_may_be_looked_at_before_the_client():
    def code_first(straw, request, form):
        if form.get("grant_type") == "authorization_code" and form.get("code") not in straw.records.codes:
            raise parameters.OAuthError("invalid_grant", "no such code")
        return good(straw, request, form)

    good = clients.authenticated
    decisions = await not_passed(("TOKEN-07",), {clients.authenticated: code_first}, "configured")

    assert warned(decisions) == {"TOKEN-07": Verdict.WARN}


async def test_one_url_may_manage_all_clients():
    async def manage(request):
        straw = server.straw_of(request)
        presented = (request.headers.get("authorization") or "").partition(" ")[2]
        mine = [
            client for client in straw.records.clients.values() if presented and client.management_token == presented
        ]
        if not mine:
            return Response(status_code=401, headers={"www-authenticate": 'Bearer error="invalid_token"'})
        if request.method == "DELETE":
            del straw.records.clients[mine[0].client_id]
            return Response(status_code=204)
        if request.method == "PUT":
            return Response(status_code=405)
        return JSONResponse(told(straw, mine[0]), 200, parameters.NO_STORE)

    def told(straw, client):
        document = good(straw, client)
        at = {"registration_client_uri": straw.url("register/me")} if "registration_client_uri" in document else {}
        return document | at

    good = registration.information
    overrides = {management.manage: manage, registration.information: told}
    assert await not_passed(("REG-06a", "REG-06b"), overrides) == {}


async def test_an_error_page_may_stand_at_another_host():
    def elsewhere(error, description, status=400):
        return RedirectResponse("https://help.operator.example/oauth-error?e=1", 302)

    decisions = await not_passed(("AUTHZ-01",), {pages.error_page: elsewhere}, "plain")

    assert warned(decisions) == {"AUTHZ-01": Verdict.WARN}


async def test_a_page_may_link_to_what_is_not_loaded():
    def page(title, body, status=200):
        links = '<link rel="privacy-policy" href="https://www.operator.example/privacy"><link rel=dns-prefetch href="https://c.example/">'
        return Response(
            f"<!doctype html><title>{html.escape(title)}</title>{links}{body}", status, pages.HEADERS, "text/html"
        )

    assert await not_passed(("HEADERS-02b",), {pages.page: page}, "configured") == {}


async def test_the_answer_may_stand_before_the_registered_query():
    def answered_first(straw, redirect_uri, state, **answered):
        url = good(straw, redirect_uri.partition("?")[0], state, **answered)
        query = redirect_uri.partition("?")[2]
        return f"{url}&{query}" if query else url

    good = responses.response_url
    assert await not_passed(("REDIR-17",), {responses.response_url: answered_first}, "openid") == {}


async def test_a_code_may_be_written_in_letters_of_one_case(monkeypatch):
    class WithoutCase(dict):
        def get(self, key, default=None):
            return super().get(key.upper(), default)

        def __contains__(self, key):
            return super().__contains__(key.upper())

    def base32(kind):
        return base64.b32encode(os.urandom(20)).decode() if kind in ("code", "rt") else good(kind)

    def made(self, *arguments, **more):
        begun(self, *arguments, **more)
        self.codes, self.refresh_tokens = WithoutCase(), WithoutCase()

    good, begun = records.new_secret, records.Records.__init__
    monkeypatch.setattr(records.Records, "__init__", made)
    decisions = await not_passed(("TOKEN-11a", "TOKEN-11b"), {records.new_secret: base32}, "configured")

    assert set(warned(decisions).values()) <= {Verdict.WARN}


async def test_a_penalty_may_outlast_the_window():
    ends = {}

    def penalty(self, request, action, *, count=True):
        place = (id(self), action, request.client.host)
        if ends.get(place, 0) > time.time():
            return refused(ends[place] - time.time())
        answered = good(self, request, action, count=count)
        if answered is None:
            return None
        ends[place] = time.time() + 900
        return refused(900)

    def refused(seconds):
        return JSONResponse({"error": "slow_down"}, 429, {"retry-after": str(int(seconds) + 1)})

    good = limits.FixedWindows.refusal
    decisions = await not_passed(("RATE-03",), {limits.FixedWindows.refusal: penalty}, "configured")

    assert warned(decisions) == {"RATE-03": Verdict.WARN}


async def test_a_response_may_disclose_all_and_a_request_without_scope_be_refused():
    def demanded(straw, client, text):
        if text is None:
            raise parameters.OAuthError("invalid_scope", "scope is missing")
        return good(straw, client, text)

    def told(straw, grant, scope, **more):
        return answered(straw, grant, scope, **more) | {"scope": parameters.scope_text(scope)}

    good, answered = authorize.scope_wanted, token.token_response
    overrides = {authorize.scope_wanted: demanded, token.token_response: told}
    assert await not_passed(("SCOPE-06",), overrides, "configured") == {}


def test_what_uses_more_characters_needs_fewer():
    printable = [base64.b85encode(os.urandom(16)).decode() for _ in range(5)]
    of_base64 = [secrets.token_urlsafe(16) for _ in range(5)]

    assert least_characters([*printable, "~!{}"]) == 20
    assert least_characters(of_base64) == 22
    assert bits_that_vary([f"{value}!" for value in printable]) >= MIN_BITS - 7
    assert bits_that_vary(of_base64) >= MIN_BITS
    assert bits_that_vary([f"client-secret-{number:08d}" for number in range(5)]) < MIN_BITS
