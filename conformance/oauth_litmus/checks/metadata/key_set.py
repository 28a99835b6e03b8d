"""The keys in published key sets (RFC 7517 section 9.2)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, cast

from oauth_litmus import expect
from oauth_litmus.check import check
from oauth_litmus.verdict import Blocked, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer

Jwk = dict[str, object]

PRIVATE = {
    "RSA": ("d", "p", "q", "dp", "dq", "qi", "oth"),
    "EC": ("d",),
    "OKP": ("d",),
    "oct": ("k",),
    "AKP": ("priv",),
}
"""Members that only the holder of a key may know, by key type (RFC 7518 section 6, RFC 8037 section 2)."""
SHORTEST_MODULUS = 2048 - 8
"""In bits. RFC 7518 section 3.3 requires 2048, but the product of two 1024-bit primes may be a little shorter."""


@check("META-08", needs=set())
async def key_set_is_public(target: Target) -> None:
    """Read every key of the key sets that the metadata documents name."""
    urls = _key_sets(target)
    if not urls:
        raise NotApplicable("the metadata names no jwks_uri")

    for url in urls:
        answer = await target.get(url)
        if answer.status != 200:
            raise Blocked(f"GET {url} was answered {answer.status}", (answer.number,))
        keys = _keys_of(answer)
        for number, jwk in enumerate(keys, start=1):
            _is_public(jwk, f"key {number} of {url} ({jwk.get('kty')})", answer)
        ids = [jwk.get("kid") for jwk in keys]
        apart = len(keys) < 2 or (None not in ids and len(set(map(str, ids))) == len(ids))
        got = f"{len(keys)} keys with {len(set(map(str, ids)) - {'None'})} key ids at {url}"
        expect.ideally(apart, expected="a different kid for each of several keys", got=got, at=answer)


def _key_sets(target: Target) -> list[str]:
    discovered = target.server.discovered
    documents: list[Mapping[str, object]] = [discovered.metadata, discovered.resource_metadata or {}]
    named = [document.get("jwks_uri") for document in documents]
    return list(dict.fromkeys(url for url in named if isinstance(url, str)))


def _keys_of(answer: Answer) -> list[Jwk]:
    keys = answer.json_object().get("keys")
    expect.that(isinstance(keys, list), expected="a JWK set", got=expect.describe(answer), at=answer)
    return [cast("Jwk", jwk) for jwk in cast("list[object]", keys) if isinstance(jwk, dict)]


def _is_public(jwk: Jwk, name: str, answer: Answer) -> None:
    given_away = [member for member in PRIVATE.get(str(jwk.get("kty")), ()) if jwk.get(member)]
    expect.that(not given_away, expected="public keys only", got=f"{', '.join(given_away)} in {name}", at=answer)
    bits = _modulus_bits(jwk)
    long_enough = bits is None or bits >= SHORTEST_MODULUS
    expect.that(long_enough, expected="RSA keys of 2048 bits or more", got=f"{bits} bits in {name}", at=answer)


def _modulus_bits(jwk: Jwk) -> int | None:
    """The size of an RSA key in bits; None for other keys, and for a modulus that is no number."""
    modulus = jwk.get("n")
    if jwk.get("kty") != "RSA" or not isinstance(modulus, str):
        return None
    try:
        number = base64.b64decode(modulus + "=" * (-len(modulus) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return int.from_bytes(number, "big").bit_length()
