"""The user's consent to a client that registered itself (MCP security best practices, Confused Deputy Problem)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from oauth_litmus import expect
from oauth_litmus.browser.model import Browser
from oauth_litmus.browser.pages import Submission
from oauth_litmus.check import BROWSER_LEG, DYNAMIC_REGISTRATION, LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Client, Target
from oauth_litmus.client.grant_pool import GrantPool, Proof
from oauth_litmus.login.consent import ConsentPage, consent_page
from oauth_litmus.oauth.attempt import Attempt, ending_of
from oauth_litmus.verdict import Blocked, NotApplicable


@check("LOGIN-12", needs={LOGIN, RELAY, DYNAMIC_REGISTRATION})
async def self_registered_client_needs_consent(target: Target) -> None:
    """Register a client, start a login in an empty browser, and look for a page that names the client. Repeat with prompt=none."""
    client = await target.clients.new("https://deputy.example.com/cb")
    held = await target.authorization.hold_upstream(target.authorization.request(client))

    page = consent_page(held, client)
    if page is not None:
        await _asks_for_approval(target, client, held, page)
        return
    if not target.controls_upstream:
        expect.ideally(False, expected="a consent page", got="none before the upstream (suspected)", at=held.answers)
        return
    await target.callbacks.obtain(held)
    attempt = await target.callbacks.deliver(held)
    late = consent_page(attempt, client) is not None
    expect.that(
        attempt.code is None or late,
        obtained=True,
        expected="a page of the server that names the client and asks for approval",
        got="a code without that page",
        at=attempt.answers,
    )
    expect.ideally(False, expected="consent before the upstream login", got="none before it", at=held.answers)


async def _asks_for_approval(target: Target, client: Client, held: Attempt, page: ConsentPage) -> None:
    expect.that(
        held.submitted,
        expected="a page that asks for an approval",
        got="a page that needs no answer",
        at=held.answers,
    )
    both = page.names_client and page.names_redirect_host
    expect.ideally(both, expected="a page that names client and redirect host", got=page.shown, at=held.answers)
    silent = await target.authorization.attempt_upstream(target.authorization.request(client).but(prompt="none"))
    skipped = silent.upstream_url is not None and consent_page(silent, client) is None
    expected = "the consent page or an error, also with prompt=none"
    expect.that(not skipped, expected=expected, got="a redirect to the upstream", at=silent.answers)


@check("LOGIN-22", needs={LOGIN, BROWSER_LEG})
async def refusal_is_no_approval(target: Target) -> None:
    """Refuse the client on the consent page, before or after the login, and see where that leads."""
    refused = await target.logins.refused_consent()
    if refused is None:
        raise NotApplicable("no page of the server lets the user refuse the client")

    if refused.inconclusive is not None:
        expect.conclusive(refused.inconclusive)
    if refused.response is not None and refused.code is not None:
        await _is_refusal_of_the_client(target, refused)
    sent_on = refused.upstream_url is not None and refused.callback_url is None
    onwards = "a redirect to the upstream" if sent_on else "a code"
    expect.that(
        not sent_on and refused.code is None,
        obtained=True,
        expected="the end of the login",
        got=onwards,
        at=refused.answers,
    )
    response, told = refused.response, "error=access_denied and the state, sent to the client"
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
    """Submit the approval of a consent page from an empty browser, from a browser with another login, and without hidden fields."""
    control = await target.logins.held()
    if not control.submitted:
        raise Blocked("set-up: no page asked for an approval on the way to the upstream", (control.last.number,))
    ways: dict[str, Callable[[Attempt], Awaitable[Attempt]]] = {
        "an empty browser": lambda shown: _submitted(target, shown, _answer(shown), target.new_browser()),
        "a browser with another login": lambda shown: _submitted(target, shown, _answer(shown), control.browser.copy()),
        "the same browser without the hidden fields": lambda shown: _submitted(
            target, shown, _without_hidden_fields(shown, _answer(shown)), shown.browser.copy()
        ),
    }

    pages = GrantPool[Target, Attempt, Attempt](_shown, _approved, lambda attempt: attempt.code is not None)
    for what, (_, attempt) in zip(ways, await pages.probe(target, *ways.values()), strict=True):
        expect.that(
            attempt.code is None,
            obtained=True,
            expected=f"no code for an approval from {what}",
            got="a code",
            at=attempt.answers,
        )


@check("LOGIN-20", needs={LOGIN, RELAY, DYNAMIC_REGISTRATION}, logins=2)
async def remembered_consent_covers_one_client(target: Target) -> None:
    """Approve one client and finish the login, then start a login for a new client in the same browser."""
    approved = target.authorization.code_of(await target.logins.finished())
    stranger = await target.clients.new("https://stranger.example.com/cb")

    held = await target.authorization.attempt_upstream(
        target.authorization.request(stranger), browser=approved.attempt.browser.copy()
    )

    asked = consent_page(held, stranger) is not None and held.submitted
    if asked:
        expect.that(True, expected="a consent page for the other client", got="that page")
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
        obtained=True,
        expected="a consent page for the other client",
        got="a code without that page",
        at=attempt.answers,
    )


async def _is_refusal_of_the_client(target: Target, refused: Attempt) -> None:
    """Require that the page refuses the client. On some pages the user refuses single scopes (OAuth 2.1 section 1.4.1).

    Raises:
        NotApplicable: the tokens have a part of the requested scope.
    """
    code = target.authorization.code_of(refused)
    answer = await target.tokens.redeem(code)
    told = answer.json_object().get("scope")
    if (
        answer.has_tokens
        and isinstance(told, str)
        and set(told.split()) < set((code.request.get("scope") or "").split())
    ):
        raise NotApplicable("the page lets the user refuse a part of the scope, but not the client")


async def _shown(target: Target) -> Attempt:
    return await target.authorization.hold_form(target.authorization.request(await target.clients.shared()))


async def _approved(target: Target, shown: Attempt) -> Proof[Attempt]:
    attempt = await target.authorization.submit(shown, _answer(shown), browser=shown.browser)
    return Proof(attempt.upstream_url is not None)


async def _submitted(target: Target, shown: Attempt, submission: Submission, browser: Browser) -> Attempt:
    """Submit a form from this browser. If it leads to the upstream, deliver the callback too."""
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
