"""Sessions of the resource: a session id is not a credential (MCP security best practices, State Handle Hijacking)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, RESOURCE, check
from oauth_litmus.client import Target
from oauth_litmus.http.answer import Answer
from oauth_litmus.verdict import Blocked, NotApplicable

LIST_TOOLS = b'{"jsonrpc":"2.0","id":2,"method":"tools/list"}'


@check("BEARER-12", needs={LOGIN, RESOURCE}, logins=2)
async def session_is_no_credential(target: Target) -> None:
    """Open an MCP session with a token, then use its id without a token and, if there is a second user, with that user's token."""
    if target.server.profile.specification != "mcp":
        raise NotApplicable("the suite recognises only MCP sessions, and the profile names another specification")
    tokens, _ = await target.resource.valid_tokens()
    session = (await target.resource.call(tokens.access_token, method="POST")).headers.get("mcp-session-id")
    if session is None:
        raise NotApplicable("the resource keeps no session: its answer has no Mcp-Session-Id")
    target.secret(session, "session")
    second = (
        await target.tokens.for_code(await target.callbacks.login_as(target.user("b")))
        if target.controls_upstream
        else None
    )

    own = await _in_session(target, session, tokens.access_token)
    anonymous = await _in_session(target, session, None)
    stranger = await _in_session(target, session, second.access_token) if second else None
    await target.resource.call(tokens.access_token, method="DELETE", headers={"mcp-session-id": session})

    if own.status >= 300:
        raise Blocked(f"set-up: the session cannot be used with its own token ({own.status})", (own.number,))
    expect.that(anonymous.status >= 300, expected="401 without a token", got=f"{anonymous.status}", at=anonymous)
    if stranger is not None:
        wanted, got = "401, 403 or 404 for another user's token", f"{stranger.status}"
        subject = str(tokens.claims.get("sub") or "")
        shown = bool(subject) and stranger.status < 300 and subject in stranger.text
        expect.that(not shown, obtained=True, expected=wanted, got=f"{got} with the first user's data", at=stranger)
        expect.ideally(stranger.status >= 300, expected=wanted, got=got, at=stranger)


async def _in_session(target: Target, session: str, token: str | None) -> Answer:
    headers = {"mcp-session-id": session}
    return expect.conclusive(await target.resource.call(token, method="POST", headers=headers, body=LIST_TOOLS))
