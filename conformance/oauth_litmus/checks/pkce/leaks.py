"""Answers that must not disclose the challenge or the verifier (OAuth 2.1 section 4.1.2)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, check
from oauth_litmus.oauth.pkce import new_verifier, s256

if TYPE_CHECKING:
    from oauth_litmus.client import Code, Target
    from oauth_litmus.http.answer import Answer

_ENCODED = re.compile(rb"[A-Za-z0-9_+/-]{8,}={0,2}")
_DEEPEST = 3
"""Layers of base64 to decode: a JWT inside a state has several."""


@check("PKCE-16a", needs={LOGIN})
async def challenge_cannot_be_read_in_the_response(target: Target) -> None:
    """Look for the challenge in the parameters of an authorization response, also under base64 and inside a JWT."""
    code = target.authorization.code_of(await target.logins.finished())
    challenge, attempt, response = s256(code.code_verifier), code.attempt, code.response

    for name, value in (*response.parameters, *response.fragment):
        expect.that(
            not holds(value, challenge),
            expected="an authorization response without the code_challenge",
            got=f"{name} contains it",
            at=response.answer,
        )

    upstream = parse_qsl(urlsplit(attempt.upstream_url or "").query)
    elsewhere = [(f"{name} sent to the upstream", value) for name, value in upstream if name != "code_challenge"]
    elsewhere += [(f"the cookie {cookie.name}", cookie.value) for _, cookie in attempt.cookies]
    for what, value in elsewhere:
        expect.ideally(
            not holds(value, challenge),
            expected="no code_challenge in cookies or at the upstream",
            got=f"{what} contains it",
            at=attempt.answers,
        )


@check("PKCE-16b", needs={LOGIN})
async def refusal_discloses_no_verifier_or_challenge(target: Target) -> None:
    """Redeem a code with a wrong verifier, and look for this verifier and for the challenge in the answer."""
    presented, challenges = new_verifier(), list[str]()
    target.secret(presented, "code_verifier")

    async def redeem(code: Code) -> Answer:
        challenges.append(s256(code.code_verifier))
        return await target.tokens.redeem(code, code_verifier=presented)

    answer = expect.conclusive(await target.probing.try_code(redeem))

    for what, value in {"code_verifier that was sent": presented, "code_challenge": challenges[-1]}.items():
        expect.that(
            value not in answer.text,
            expected="an error that repeats no secret",
            got=f"the {what} in the answer",
            at=answer,
        )


def holds(value: str, challenge: str) -> bool:
    """Whether a value contains the challenge: as text, as bytes, or encoded in base64."""
    wanted = (challenge.encode(), base64.urlsafe_b64decode(f"{challenge}="))
    layer = [value.encode()]
    for _ in range(_DEEPEST):
        if any(needle in text for text in layer for needle in wanted):
            return True
        layer = [decoded for text in layer for part in _ENCODED.findall(text) if (decoded := _decoded(part))]
    return False


def _decoded(text: bytes) -> bytes:
    """Decode base64 in either alphabet, with or without padding; empty if the text is not base64."""
    stripped = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(stripped + b"=" * (-len(stripped) % 4), validate=True)
    except binascii.Error:
        return b""
