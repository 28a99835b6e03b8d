"""The user's consent to a client that registered itself (MCP security best practices, Confused Deputy Problem)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from oauth_litmus import expect
from oauth_litmus.browser.model import Browser
from oauth_litmus.browser.pages import Submission
from oauth_litmus.check import BROWSER_LEG, DYNAMIC_REGISTRATION, LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.client.grant_pool import GrantPool, Proof
from oauth_litmus.login.consent import consent_page
from oauth_litmus.oauth.authorization import Attempt, ending_of
from oauth_litmus.verdict import Blocked, NotApplicable


@check("LOGIN-12", needs={LOGIN, RELAY, DYNAMIC_REGISTRATION})
async def self_registered_client_needs_consent(target: Target) -> None:
    """Register a client, begin a login in an empty browser, and look for a page that names the client; with prompt=none too."""
    client = await target.clients.new("https://deputy.example.com/cb")
    held = await target.authorization.hold_upstream(target.authorization.request(client))

    page = consent_page(held, client)
    if page is not None:
        expect.that(
            held.submitted,
            expected="a page that asks for an approval",
            got="a page that nobody must answer",
            at=held.answers,
        )
        both = page.names_client and page.names_redirect_host
        expect.ideally(both, expected="a page that names client and redirect host", got=page.shown, at=held.answers)
        silent = await target.authorization.attempt_upstream(target.authorization.request(client).but(prompt="none"))
        skipped = silent.upstream_url is not None and consent_page(silent, client) is None
        expected = "the consent page with prompt=none too, or an error"
        expect.that(not skipped, expected=expected, got="the way to the upstream", at=silent.answers)
        return
    if not target.controls_upstream:
        expect.ideally(False, expected="a consent page", got="none before the upstream (suspected)", at=held.answers)
        return
    await target.callbacks.obtain(held)
    attempt = await target.callbacks.deliver(held)
    late = consent_page(attempt, client) is not None
    expect.that(
        attempt.code is None or late,
        expected="a page of the server that names the client and asks",
        got="a code without one",
        at=attempt.answers,
    )
    expect.ideally(False, expected="consent before the upstream login", got="none before it", at=held.answers)


@check("LOGIN-22", needs={LOGIN, BROWSER_LEG})
async def refusal_is_no_approval(target: Target) -> None:
    """Press what refuses on the consent page, before the login or after it, and look at where that leads."""
    refused = await target.logins.refused_consent()
    if refused is None:
        raise NotApplicable("no page of the server offers a refusal of the client")

    if refused.inconclusive is not None:
        expect.conclusive(refused.inconclusive)
    if refused.response is not None and refused.code is not None:
        await _is_no_part_of_the_scope(target, refused)
    sent_on = refused.upstream_url is not None and refused.callback_url is None
    onwards = "the way to the upstream" if sent_on else "a code"
    expect.that(not sent_on and refused.code is None, expected="the end of the login", got=onwards, at=refused.answers)
    response, told = refused.response, "error=access_denied, with the state, at the client"
    if response is None:
        expect.ideally(False, expected=told, got=f"{ending_of(refused)}", at=refused.answers)
        return
    expect.ideally(response.error == "access_denied", expected=told, got=f"error={response.error}", at=response.answer)
    state = refused.request.get("state")
    expect.that(response.get("state") == state, expected=told, got="another state, or none", at=response.answer)
    if target.server.advertises_iss:
        issuer, iss = target.server.discovered.metadata.get("issuer"), response.get("iss")
        expect.that(iss == issuer, expected=f"iss={issuer}", got=f"iss={iss}", at=response.answer)


@check("LOGIN-19", needs={LOGIN, RELAY, UPSTREAM_CONTROL, DYNAMIC_REGISTRATION}, logins=4)
async def approval_is_bound_to_the_browser(target: Target) -> None:
    """Submit the approval of a consent page from an empty browser, from one with a login of its own, and without its hidden fields."""
    control = await target.logins.held()
    if not control.submitted:
        raise Blocked("set-up: no page asked for an approval on the way to the upstream", (control.last.number,))
    ways: dict[str, Callable[[Attempt], Awaitable[Attempt]]] = {
        "an empty browser": lambda shown: _submitted(target, shown, _answer(shown), target.new_browser()),
        "a browser with a login of its own": lambda shown: _submitted(
            target, shown, _answer(shown), control.browser.copy()
        ),
        "the same browser without the hidden fields": lambda shown: _submitted(
            target, shown, _without_hidden_fields(shown, _answer(shown)), shown.browser.copy()
        ),
    }

    pages = GrantPool[Target, Attempt, Attempt](_shown, _approved, lambda attempt: attempt.code is not None)
    for what, (_, attempt) in zip(ways, await pages.probe(target, *ways.values()), strict=True):
        expect.that(
            attempt.code is None, expected=f"no code for an approval from {what}", got="a code", at=attempt.answers
        )


@check("LOGIN-20", needs={LOGIN, RELAY, DYNAMIC_REGISTRATION}, logins=2)
async def remembered_consent_covers_one_client(target: Target) -> None:
    """Approve one client and finish the login, then begin a login for a new client in the same browser."""
    approved = target.authorization.code_of(await target.logins.finished())
    stranger = await target.clients.new("https://stranger.example.com/cb")

    held = await target.authorization.attempt_upstream(
        target.authorization.request(stranger), browser=approved.attempt.browser.copy()
    )

    asked = consent_page(held, stranger) is not None and held.submitted
    if asked:
        expect.that(True, expected="the consent page for the other client", got="it")
        return
    if held.upstream_url is None and held.code is None:
        raise Blocked("set-up: the login did not reach the upstream provider", (held.last.number,))
    if not target.controls_upstream and held.code is None:
        expect.ideally(False, expected="a consent page for the other client", got="none (suspected)", at=held.answers)
        return
    attempt = held
    if held.code is None:
        await target.callbacks.obtain(held)
        attempt = await target.callbacks.deliver(held)
    expect.that(
        attempt.code is None,
        expected="a consent page for the other client",
        got="a code without one",
        at=attempt.answers,
    )


async def _is_no_part_of_the_scope(target: Target, refused: Attempt) -> None:
    """Whoever is asked about each scope may refuse one, and let the client in with the others (OAuth 2.1 section 1.4.1)."""
    code = target.authorization.code_of(refused)
    answer = await target.tokens.redeem(code)
    told = answer.json_object().get("scope")
    if (
        answer.has_tokens
        and isinstance(told, str)
        and set(told.split()) < set((code.request.get("scope") or "").split())
    ):
        raise NotApplicable("what can be refused is a part of the scope, and not the client")


async def _shown(target: Target) -> Attempt:
    return await target.authorization.hold_form(target.authorization.request(await target.clients.shared()))


async def _approved(target: Target, shown: Attempt) -> Proof[Attempt]:
    attempt = await target.authorization.submit(shown, _answer(shown), browser=shown.browser)
    return Proof(attempt.upstream_url is not None)


async def _submitted(target: Target, shown: Attempt, submission: Submission, browser: Browser) -> Attempt:
    """What becomes of an approval that this browser sends, at the callback if it leads there."""
    attempt = await target.authorization.submit(shown, submission, browser=browser)
    if attempt.upstream_url is not None:
        await target.callbacks.obtain(attempt)
        attempt = await target.callbacks.deliver(attempt, browser=browser)
    return attempt


def _answer(shown: Attempt) -> Submission:
    if shown.submission is None:
        raise Blocked("set-up: the page has no form to send", (shown.last.number,))
    return shown.submission


def _without_hidden_fields(shown: Attempt, submission: Submission) -> Submission:
    hidden = {field.name for form in shown.pages[-1].forms for field in form.fields if field.type == "hidden"}
    return Submission(submission.url, submission.method, [pair for pair in submission.body if pair[0] not in hidden])
