"""The server neither fetches the URLs that strangers register nor shows their content (RFC 7591 section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, LISTENER, check
from oauth_litmus.client.shared import shared
from oauth_litmus.verdict import Skipped
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.listener import Place

SHOWN = ("logo_uri", "client_uri", "policy_uri", "tos_uri")
"""Members with URLs for people, which a server need not fetch."""
FETCHED = ("jwks_uri", "sector_identifier_uri")
"""Members with URLs that a server may have to fetch (RFC 7591 section 2, OpenID Connect Registration section 5)."""
A_WHILE = 2.0
"""Seconds to wait for requests that the server sends after its answer."""


@dataclass(frozen=True)
class Registrations:
    """Registrations with URLs of the suite's listener, and the server's answers."""

    place: Place
    accepted: bool
    """Whether the server registered the client with the `SHOWN` URLs."""
    answers: tuple[Answer, ...]


@check("REG-08a", needs={DYNAMIC_REGISTRATION, LISTENER})
async def shown_urls_are_not_fetched(target: Target) -> None:
    """Register a logo, home page, policy and terms at the suite's listener, start a login, and count the requests there."""
    registered = await _register_listener_urls(target)

    through_browser = target.uses_a_login_driver
    listener = target.listener
    for member in SHOWN:
        hits = [hit for hit in listener.hits(registered.place) if hit.path.endswith(member)]
        fetched = [hit for hit in hits if not (through_browser and hit.by_a_browser)]
        agents = ", ".join(sorted({hit.user_agent or "an unnamed client" for hit in fetched}))
        got = f"{counted(len(fetched), 'request')}, from {agents}"
        expect.ideally(not fetched, expected=f"no request for {member}", got=got, at=registered.answers)
    if not registered.accepted and not listener.hits(registered.place):
        raise Skipped(
            f"the server registers no URLs at {listener.url}, so the suite cannot see whether it fetches any: "
            'declare a public https URL in the profile, as `[listener] url = "https://PUBLIC", bind = "0.0.0.0:8443"`'
        )


@check("REG-08b", needs={DYNAMIC_REGISTRATION, LISTENER})
async def fetched_content_is_not_shown(target: Target) -> None:
    """Register URLs of the suite's listener, start a login, and look for the content of these URLs in answers and pages."""
    registered = await _register_listener_urls(target)

    for answer in registered.answers:
        shown = registered.place.marker in answer.text
        got = "the content of a URL that a stranger registered"
        expect.safe(not shown, expected="an answer without content of registered URLs", got=got, at=answer)


@shared
async def _register_listener_urls(target: Target) -> Registrations:
    """Register one client with the `SHOWN` URLs and one with the `FETCHED` URLs, and start a login of the first."""
    listener = target.listener
    place = listener.place()
    urls = {member: listener.put(place, member, f'{{"litmus": "{place.marker}"}}') for member in (*SHOWN, *FETCHED)}

    shown = await target.clients.register({**target.clients.metadata(), **{member: urls[member] for member in SHOWN}})
    keyed = {**target.clients.metadata(), **{member: urls[member] for member in FETCHED}}
    fetched = await target.clients.register({**keyed, "token_endpoint_auth_method": "private_key_jwt"})
    answers = [expect.conclusive(shown), expect.conclusive(fetched)]
    if shown.status < 300:
        client = target.clients.client_of(shown, target.redirect_uri)
        answers += target.authorization.own_answers(
            await target.authorization.attempt_upstream(target.authorization.request(client))
        )
    await target.until(target.now() + A_WHILE)
    return Registrations(place, shown.status < 300, tuple(answers))
