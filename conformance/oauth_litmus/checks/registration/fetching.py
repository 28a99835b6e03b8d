"""URLs that strangers register are shown, and not fetched (RFC 7591 section 5)."""

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
"""Members that people follow, and servers need not."""
FETCHED = ("jwks_uri", "sector_identifier_uri")
"""Members that a server may have to fetch (RFC 7591 section 2, OpenID Connect Registration section 5)."""
A_WHILE = 2.0
"""Seconds in which a server has fetched what it fetches behind an answer."""


@dataclass(frozen=True)
class Led:
    """A server that was told URLs of the suite's own, and what it answered."""

    place: Place
    taken: bool
    """Whether a client with these URLs was registered."""
    answers: tuple[Answer, ...]


@check("REG-08a", needs={DYNAMIC_REGISTRATION, LISTENER})
async def shown_urls_are_not_fetched(target: Target) -> None:
    """Register with the URLs of logo, home page, policy and terms at the suite, and open the login; count who comes."""
    led = await _lead(target)

    through_browser = target.uses_a_login_driver
    listener = target.listener
    for member in SHOWN:
        hits = [hit for hit in listener.hits(led.place) if hit.path.endswith(member)]
        fetched = [hit for hit in hits if not (through_browser and hit.by_a_browser)]
        got = f"{counted(len(fetched), 'request')}, from {', '.join(sorted({hit.user_agent or 'nobody' for hit in fetched}))}"
        expect.ideally(not fetched, expected=f"nobody fetches {member}", got=got, at=led.answers)
    if not led.taken and not listener.hits(led.place):
        raise Skipped(
            f"the server registers no URLs at {listener.url}, so that nothing of what it fetches could be seen: "
            'declare a public https URL in the profile, as `[listener] url = "https://PUBLIC", bind = "0.0.0.0:8443"`'
        )


@check("REG-08b", needs={DYNAMIC_REGISTRATION, LISTENER})
async def nothing_fetched_is_shown(target: Target) -> None:
    """Register with URLs at the suite, and look for what stands there in the answers and on the pages."""
    led = await _lead(target)

    for answer in led.answers:
        shown = led.place.marker in answer.text
        got = "what the server found at a URL that a stranger registered"
        expect.safe(not shown, expected="an answer without what was fetched", got=got, at=answer)


@shared
async def _lead(target: Target) -> Led:
    """Register twice, with what is shown and with what may be fetched, and open the login of the first."""
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
    return Led(place, shown.status < 300, tuple(answers))
