"""JWTs without a valid signature of the server: unsigned, tampered with, or signed with the sender's keys (RFC 8725)."""

from __future__ import annotations

import json

from oauth_litmus import expect
from oauth_litmus.check import ACCESS_TOKEN, JWT_ACCESS_TOKENS, LISTENER, RESOURCE, check
from oauth_litmus.client import Target
from oauth_litmus.oauth.jwts import header_of, led_to_a_key, tampered, unsigned, with_senders_keys
from oauth_litmus.wording import counted


@check("BEARER-05", needs={ACCESS_TOKEN, RESOURCE})
async def unsigned_token_is_refused(target: Target) -> None:
    """Present valid or made-up claims with alg none in three spellings, and with the usual alg but without a signature."""
    tokens, opened = await target.resource.access_token()
    made_up = {"sub": "litmus", "aud": target.server.resource, "exp": int(target.now()) + 3600}
    claims = tokens.claims or {"iss": target.server.issuer, "scope": tokens.granted_scope or "", **made_up}

    for what, token in unsigned(header_of(tokens.access_token), claims).items():
        expect.refused_token(await target.resource.call(token), opened, because=f"the token {what}")


@check("BEARER-06", needs={ACCESS_TOKEN, RESOURCE})
async def tampered_token_is_refused(target: Target) -> None:
    """Present a valid token with one claim changed under the old signature, then with one bit of the signature changed."""
    tokens, opened = await target.resource.access_token()

    for what, token in tampered(tokens.access_token, now=target.now()).items():
        expect.refused_token(await target.resource.call(token), opened, because=f"the token {what}")


@check("BEARER-07", needs={ACCESS_TOKEN, RESOURCE, JWT_ACCESS_TOKENS})
async def senders_keys_are_refused(target: Target) -> None:
    """Present forgeries with a public key as HMAC secret, a key in the header or at a URL in it, and a hostile key id."""
    tokens, opened = await target.resource.access_token()

    for what, token in with_senders_keys(tokens.access_token, await target.resource.key_set(tokens.claims)).items():
        answer = expect.no_server_error(
            await target.settled(lambda t=token: target.resource.call(t), target.resource.access_token)
        )
        expect.refused_token(answer, opened, because=f"the token {what}")


@check("BEARER-07a", needs={ACCESS_TOKEN, RESOURCE, JWT_ACCESS_TOKENS, LISTENER})
async def key_urls_of_the_sender_are_not_fetched(target: Target) -> None:
    """Present forgeries whose header names a key URL at the suite's listener, and count the requests for that URL."""
    tokens, opened = await target.resource.access_token()
    place = target.listener.place()
    forged, keys = led_to_a_key(tokens.access_token, {name: f"{place.url}/{name}" for name in ("jku", "x5u")})
    for name in forged:
        target.listener.put(place, name, json.dumps(keys))

    for name, token in forged.items():
        expect.refused_token(
            await target.resource.call(token), opened, because=f"the token's {name} leads to the sender's key"
        )
    hits = target.listener.hits(place)
    got = f"{counted(len(hits), 'request')} for the key"
    expect.that(not hits, obtained=True, expected="no request for a key URL from a token", got=got)
