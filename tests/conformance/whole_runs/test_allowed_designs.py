"""How servers in the field are built, where the specifications leave it to them, and what was once held against them."""

import html

import pytest
from other_choices import not_passed
from starlette.responses import HTMLResponse, JSONResponse

from litmus_fixtures.straw_server import authorize, management, pages, registration, sign_in, token
from litmus_fixtures.straw_server.records import new_secret
from litmus_fixtures.straw_server.server import Straw, straw_of
from litmus_fixtures.straw_world import straw_profile
from oauth_litmus.verdict import Verdict

CONSENT_BUTTONS = (
    '<button name="decision" value="deny">Deny</button><button name="decision" value="allow">Allow</button>'
)


async def test_the_registration_access_token_may_change_with_each_answer():
    async def renewing(request):
        straw = straw_of(request)
        client = management.managing_client(straw, request)
        if request.method == "DELETE":
            return await good(request)
        if request.method == "PUT":
            management.change(straw, client, await registration.document_of(request))
        client.management_token = new_secret("rat")
        return JSONResponse(registration.information(straw, client))

    async def manage(request):
        try:
            return await renewing(request)
        except registration.OAuthError as error:
            return registration.json_error(error)

    good = management.manage
    assert await not_passed(("REG-06a", "REG-06b", "REG-06c"), {management.manage: manage}) == {}


def with_a_question(question, buttons, refused=None):
    """The consent route with a page before it, on the buttons `a=0` and `a=1`; what is done with the first."""
    consent = sign_in.consent

    async def asking(request):
        straw, answer = straw_of(request), request.query_params.get("a")
        try:
            under_way, session = sign_in._under_way(straw, request)
        except sign_in.OAuthError:
            return await consent(request)
        if request.method == "POST" or not session.user or (answer and not (refused and answer == "0")):
            return await consent(request)
        if answer:
            return refused(straw, under_way.request, session.user)
        client = straw.records.clients[under_way.request.client_id]
        text = question.format(client=html.escape(client.name or client.client_id))
        flow = f'<input type="hidden" name="flow" value="{request.query_params["flow"]}">'
        return pages.page("One more thing", f"<p>{text}</p><form action={straw.url('consent')}>{flow}{buttons}</form>")

    return {consent: asking}


@pytest.mark.parametrize(
    "question", ["Stay signed in? You are on your way to {client}.", "May {client} send you news?"]
)
async def test_a_question_beside_the_approval_may_be_answered_with_no(question):
    buttons = '<button name="a" value="0">No, thanks</button><button name="a" value="1">Yes</button>'

    assert await not_passed(("LOGIN-22", "AUTHZ-07"), with_a_question(question, buttons)) == {}


async def test_a_part_of_the_scope_may_be_refused():
    def for_the_rest(straw, wanted, user):
        less = sign_in.AuthorizationRequest(**{**vars(wanted), "scope": wanted.scope - {"notes.write"}})
        return sign_in.decided(straw, less, user, "allow")

    buttons = '<button name="a" value="0">Do not allow writing</button><button name="a" value="1">Allow</button>'
    question = "Besides reading, {client} would like to write notes."
    overrides = {
        **with_a_question(question, buttons, for_the_rest),
        token.token_response: always_with_scope(token.token_response),
    }

    decisions = await not_passed(("LOGIN-22",), overrides, "configured")

    assert decisions["LOGIN-22"].verdict is Verdict.NOT_APPLICABLE


def always_with_scope(token_response):
    def response(straw, grant, scope, **how):
        return {**token_response(straw, grant, scope, **how), "scope": " ".join(sorted(scope))}

    return response


BANNER = '<form action="/cookies"><button name="c" value="0">Reject all</button><button name="c" value="1">Accept all</button></form>'
NOT_YOU = '<form action="/oauth2/v1/login"><button>Not you?</button></form>'


@pytest.mark.parametrize(
    ("above", "buttons"),
    [
        (BANNER, CONSENT_BUTTONS),
        (NOT_YOU, CONSENT_BUTTONS),
        ("", f'<button name="decision" value="back">Back</button>{CONSENT_BUTTONS}'),
    ],
    ids=["cookie banner", "not you", "back"],
)
async def test_other_buttons_of_a_consent_page_are_no_refusal(above, buttons):
    def consent_page(straw, wanted, session):
        client = straw.records.clients[wanted.client_id]
        text = f"Give {html.escape(client.name)} access?"
        page = pages.form_page("Consent", text, {"form_token": session.form_token}, buttons)
        return HTMLResponse(page.body.decode().replace("<h1>", f"{above}<h1>"), 200, pages.HEADERS)

    def decided(straw, wanted, user, decision):
        return pages.page("Sign in", "") if decision == "back" else good(straw, wanted, user, decision)

    good = sign_in.decided
    assert await not_passed(("LOGIN-22",), {sign_in._consent_page: consent_page, good: decided}) == {}


async def test_refresh_tokens_may_come_with_offline_access_alone(monkeypatch):
    def response(straw, grant, scope, *, with_refresh_token):
        return good(straw, grant, scope, with_refresh_token=with_refresh_token and "offline_access" in grant.scope)

    good = token.token_response
    monkeypatch.setattr(Straw, "scopes", property(lambda straw: ("notes.read", "notes.write", "offline_access")))
    names, overrides = ("SCOPE-01", "SCOPE-02", "SCOPE-03", "SCOPE-09b"), {good: response}
    last = straw_profile("managed").model_copy(update={"scopes": ("notes.read", "notes.write", "offline_access")})
    undeclared = last.model_copy(update={"scopes": ("notes.read", "notes.write")})

    for profile, advice in ((last, "first in `scopes`"), (undeclared, "declare `scopes")):
        decisions = await not_passed(names, overrides, profile=profile)

        assert {decision.verdict for decision in decisions.values()} == {Verdict.SKIP}
        assert all(advice in decision.reason for decision in decisions.values())


async def test_more_than_was_asked_for_may_be_granted_and_said():
    def wanted(straw, client, text):
        return good(straw, client, text) | ({"profile"} if text else set())

    good = authorize.scope_wanted
    overrides = {good: wanted, token.token_response: always_with_scope(token.token_response)}
    assert await not_passed(("SCOPE-09a", "SCOPE-05"), overrides) == {}


async def test_a_login_that_ends_at_a_captcha_says_nothing_of_ports():
    async def captcha(request):
        return pages.error_page("captcha", "Are you a person?") if request.method == "POST" else await good(request)

    good = sign_in.consent
    decisions = await not_passed(("REDIR-11", "REDIR-12", "REDIR-15"), {good: captcha})

    assert {decision.verdict for decision in decisions.values()} == {Verdict.BLOCKED}


async def test_every_client_may_be_registered_as_a_public_one():
    def public(straw, document):
        client = good(straw, document)
        client.auth_method = "none"
        return client

    good = registration.client_from
    decisions = await not_passed(("TOKEN-08", "EXPIRY-16", "EXPIRY-16a"), {good: public}, "openid")

    assert {decision.verdict for decision in decisions.values()} == {Verdict.NOT_APPLICABLE}


async def test_an_error_page_may_come_with_status_200():
    def error_page(error, description, status=400):
        return pages.page("This cannot go on", f"<p>{html.escape(description)}</p>")

    names = ("SCOPE-06", "AUTHZ-04", "REDIR-01", "REDIR-02", "REDIR-05", "REDIR-25")
    decisions = await not_passed(names, {pages.error_page: error_page}, "configured")

    # The trait is told once; that a scope is needed, as ever.
    assert decisions.pop("SCOPE-06").verdict is Verdict.SKIP
    assert {name: decision.verdict for name, decision in decisions.items()} == {"REDIR-01": Verdict.WARN}
