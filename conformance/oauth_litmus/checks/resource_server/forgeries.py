"""JWTs that nobody signed, or not the server: unsigned, tampered with, or with keys of the sender's (RFC 8725)."""

from __future__ import annotations

import json

from oauth_litmus import expect
from oauth_litmus.check import ACCESS_TOKEN, JWT_ACCESS_TOKENS, LISTENER, RESOURCE, check
from oauth_litmus.client import Target
from oauth_litmus.oauth.jwts import header_of, led_to_a_key, tampered, unsigned, with_senders_keys


@check("BEARER-05", needs={ACCESS_TOKEN, RESOURCE})
async def unsigned_token_is_refused(target: Target) -> None:
    """Present the claims of a valid token (or made-up ones) with alg none in three spellings, and unsigned."""
    tokens, opened = await target.resource.access_token()
    made_up = {"sub": "litmus", "aud": target.server.resource, "exp": int(target.now()) + 3600}
    claims = tokens.claims or {"iss": target.server.issuer, "scope": tokens.granted_scope or "", **made_up}

    for what, token in unsigned(header_of(tokens.access_token), claims).items():
        expect.refused_token(await target.resource.call(token), opened, because=f"it {what}")


@check("BEARER-06", needs={ACCESS_TOKEN, RESOURCE})
async def tampered_token_is_refused(target: Target) -> None:
    """Present a valid token with one claim changed under the old signature, and with one bit of that changed."""
    tokens, opened = await target.resource.access_token()

    for what, token in tampered(tokens.access_token, now=target.now()).items():
        expect.refused_token(await target.resource.call(token), opened, because=f"it {what}")


@check("BEARER-07", needs={ACCESS_TOKEN, RESOURCE, JWT_ACCESS_TOKENS})
async def senders_keys_are_refused(target: Target) -> None:
    """Present forgeries with public keys as HMAC secrets, keys in the header, and key ids that lead elsewhere."""
    tokens, opened = await target.resource.access_token()

    for what, token in with_senders_keys(tokens.access_token, await target.resource.key_set(tokens.claims)).items():
        answer = expect.no_server_error(
            await target.settled(lambda t=token: target.resource.call(t), target.resource.access_token)
        )
        expect.refused_token(answer, opened, because=f"it {what}")


@check("BEARER-07a", needs={ACCESS_TOKEN, RESOURCE, JWT_ACCESS_TOKENS, LISTENER})
async def key_urls_of_the_sender_are_not_fetched(target: Target) -> None:
    """Present forgeries that name a URL of the suite's own for their key, and count who comes for it."""
    tokens, opened = await target.resource.access_token()
    place = target.listener.place()
    forged, keys = led_to_a_key(tokens.access_token, {name: f"{place.url}/{name}" for name in ("jku", "x5u")})
    for name in forged:
        target.listener.put(place, name, json.dumps(keys))

    for name, token in forged.items():
        expect.refused_token(await target.resource.call(token), opened, because=f"its key is the sender's, by {name}")
    hits = target.listener.hits(place)
    got = f"{len(hits)} requests for it"
    expect.that(not hits, expected="nobody fetches a key from where a token says", got=got)
