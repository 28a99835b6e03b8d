"""Client metadata as text on the server's pages (OAuth 2.1 section 7.12, RFC 7591 section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, check
from oauth_litmus.probes.markup import IMAGE, SCRIPT_URL, injected

if TYPE_CHECKING:
    from oauth_litmus.client import Target

STRANGER = "https://evil.example/cb"
LINKS = ("client_uri", "logo_uri", "policy_uri", "tos_uri")


@check("REG-07", needs={DYNAMIC_REGISTRATION})
async def client_metadata_is_text_on_pages(target: Target) -> None:
    """Register clients with markup as the name and script URLs as links, and read their login pages and error pages."""
    named = {**target.clients.metadata(), "client_name": f"'\">{IMAGE}"}
    linked = {**target.clients.metadata(), **dict.fromkeys(LINKS, SCRIPT_URL)}

    for document in (named, linked):
        registered = expect.conclusive(await target.clients.register(document))
        expect.ideally(registered.status < 500, expected="201 or 400", got=expect.describe(registered), at=registered)
        if registered.status >= 300:
            continue
        request = target.authorization.request(target.clients.client_of(registered, target.redirect_uri))
        attempts = [
            await target.authorization.attempt_upstream(request),
            await target.authorization.attempt_upstream(request.but(redirect_uri=STRANGER)),
        ]
        for answer in (answer for attempt in attempts for answer in target.authorization.own_answers(attempt)):
            found = injected(answer.text) if expect.conclusive(answer).is_html else None
            expect.that(found is None, expected="client metadata as text", got=f"{found} on a page", at=answer)
            image = injected(answer.text, images=True) if answer.is_html else None
            expect.ideally(image is None, expected="no script URL on a page", got=f"{image} on a page", at=answer)
