"""The user's approval must come before the state cookie and the callback (MCP security best practices)."""

from __future__ import annotations

from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.browser.cookies import stem
from oauth_litmus.check import LOGIN, RELAY, check
from oauth_litmus.client import Target
from oauth_litmus.login.consent import consent_page
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.probes.callback_url import binding_parameters, with_parameter
from oauth_litmus.probes.error_page import error_page
from oauth_litmus.probes.state_cookie import living_cookies, state_cookie
from oauth_litmus.verdict import NotApplicable


@check("COOKIE-13a", needs={LOGIN, RELAY})
async def other_answers_set_no_state_cookie(target: Target) -> None:
    """Read the cookies of the metadata, of a refused authorization request, and of a token response."""
    name = stem((await state_cookie(target)).set_cookie.name)
    tokens = await target.grants.shared()

    for answer in (target.server.discovered.metadata_answer, await error_page(target), tokens.answer):
        expect.ideally(
            name not in {stem(cookie.name) for cookie in living_cookies(answer)},
            expected=f"{name} set only on the way to the upstream",
            got=f"{urlsplit(answer.url).path} sets it, although it starts no login",
            at=answer,
        )


@check("COOKIE-13b", needs={LOGIN, RELAY}, logins=2, holds_grants=True)
async def callback_needs_the_approval(target: Target) -> None:
    """Deliver a callback to a browser that has seen the consent page and not approved. Its upstream code fits every login."""
    client = await target.clients.shared()
    approved = await target.authorization.hold_upstream(target.authorization.request(client))
    if consent_page(approved, client) is None or not approved.submitted:
        raise NotApplicable("the server does not ask for consent before the login at the upstream")
    asked = await target.authorization.hold_form(target.authorization.request(client))
    if not target.controls_upstream:
        name = stem((await state_cookie(target)).set_cookie.name)
        early = name in {stem(cookie.name) for cookie in asked.browser.jar()}
        expect.ideally(
            not early, expected=f"{name} set after the approval", got="set before it (suspected)", at=asked.answers
        )
        return
    genuine = await target.callbacks.obtain(approved, any_verifier=True)
    url = _moved(await target.callbacks.obtain(approved, any_verifier=True), approved, asked)
    if url is None:
        expect.that(True, expected="no identifier of the callback before the approval", got="none")
        return

    attempt = await target.callbacks.deliver(asked, url=url)

    expect.that(
        attempt.code is None, obtained=True, expected="no code without an approval", got="a code", at=attempt.answers
    )
    expect.conclusive(attempt.inconclusive) if attempt.inconclusive else None
    target.authorization.code_of(await target.callbacks.deliver(approved, url=genuine))


def _moved(url: str, approved: Attempt, asked: Attempt) -> str | None:
    """Rewrite the callback of the approved login for the other login; None if the other's values are not visible before its approval."""
    shown = _identifiers(asked)
    for name, value in binding_parameters(approved).items():
        others = [shown.get(position) for position, known in _identifiers(approved).items() if known == value]
        if not others or others[0] is None:
            return None
        url = with_parameter(url, name, others[0])
    return url


def _identifiers(attempt: Attempt) -> dict[tuple[str, str], str]:
    """Values that may identify the login before the consent, by position: hidden fields, and parts of the start URL."""
    hidden = {
        ("field", field.name): field.value
        for page in attempt.pages
        for form in page.forms
        for field in form.fields
        if field.type == "hidden"
    }
    parts = urlsplit(attempt.start_url or "")
    path = {("path", str(number)): piece for number, piece in enumerate(parts.path.split("/"))}
    pairs = [pair.partition("=") for pair in parts.query.split("&")]
    return {**{("query", name): value for name, _, value in pairs}, **path, **hidden}
