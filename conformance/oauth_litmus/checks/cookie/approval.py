"""The cookie and the callback come after the user's approval (MCP security best practices)."""

from __future__ import annotations

from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.browser.cookies import stem
from oauth_litmus.check import LOGIN, RELAY, check
from oauth_litmus.client import Target
from oauth_litmus.login.consent import consent_page
from oauth_litmus.oauth.authorization import Attempt
from oauth_litmus.probes.callback_url import binding_parameters, with_parameter
from oauth_litmus.probes.error_page import error_page
from oauth_litmus.probes.state_cookie import living_cookies, state_cookie
from oauth_litmus.verdict import NotApplicable


@check("COOKIE-13a", needs={LOGIN, RELAY})
async def other_answers_set_no_state_cookie(target: Target) -> None:
    """Look at the cookies of the metadata, of an authorization request that is refused, and of a token response."""
    name = stem((await state_cookie(target)).set_cookie.name)
    tokens = await target.grants.shared()

    for answer in (target.server.discovered.metadata_answer, await error_page(target), tokens.answer):
        expect.ideally(
            name not in {stem(cookie.name) for cookie in living_cookies(answer)},
            expected=f"{name} on the way to the upstream only",
            got=f"it is set by {urlsplit(answer.url).path}, which begins no login",
            at=answer,
        )


@check("COOKIE-13b", needs={LOGIN, RELAY}, logins=2, holds_grants=True)
async def callback_needs_the_approval(target: Target) -> None:
    """Bring a callback, with an upstream code that fits every login, to a browser that was asked and has not approved."""
    client = await target.clients.shared()
    approved = await target.authorization.hold_upstream(target.authorization.request(client))
    if consent_page(approved, client) is None or not approved.submitted:
        raise NotApplicable("the server asks for no consent before the login at the upstream")
    asked = await target.authorization.hold_form(target.authorization.request(client))
    if not target.controls_upstream:
        name = stem((await state_cookie(target)).set_cookie.name)
        early = name in {stem(cookie.name) for cookie in asked.browser.jar()}
        expect.ideally(not early, expected=f"{name} after the approval", got="before it (suspected)", at=asked.answers)
        return
    genuine = await target.callbacks.obtain(approved, any_verifier=True)
    url = _moved(await target.callbacks.obtain(approved, any_verifier=True), approved, asked)
    if url is None:
        expect.that(True, expected="nothing of the callback is known before the approval", got="nothing")
        return

    attempt = await target.callbacks.deliver(asked, url=url)

    expect.that(attempt.code is None, expected="no code without an approval", got="a code", at=attempt.answers)
    expect.conclusive(attempt.inconclusive) if attempt.inconclusive else None
    target.authorization.code_of(await target.callbacks.deliver(approved, url=genuine))


def _moved(url: str, approved: Attempt, asked: Attempt) -> str | None:
    """The callback of one login as that of the other; None if the other's part of it does not show before its approval."""
    places = _places(asked)
    for name, value in binding_parameters(approved).items():
        others = [places.get(place) for place, known in _places(approved).items() if known == value]
        if not others or others[0] is None:
            return None
        url = with_parameter(url, name, others[0])
    return url


def _places(attempt: Attempt) -> dict[tuple[str, str], str]:
    """What names the login on its way up to the consent: hidden fields, and parts of the start address."""
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
