"""A published key set is judged by what it gives away, and by nothing else (META-08)."""

import base64
from dataclasses import replace

import pytest
from core_worlds import ISSUER, Places, run_with
from starlette.responses import PlainTextResponse, Response

from litmus_fixtures.in_process import Applications
from oauth_litmus.checks import all_checks
from oauth_litmus.run.engine import Engine
from oauth_litmus.verdict import Verdict

CHECK = "META-08"
EC = {"kty": "EC", "crv": "P-256", "x": "x-1", "y": "y-1", "kid": "1"}


def rsa(bits, **members):
    modulus = (1 << (bits - 1) | 1).to_bytes((bits + 7) // 8)
    return {
        "kty": "RSA",
        "e": "AQAB",
        "n": base64.urlsafe_b64encode(modulus).rstrip(b"=").decode(),
        "kid": "1",
        **members,
    }


def keys(*jwks):
    return {"keys": list(jwks)}


async def result_for(answer, metadata=None, resource_metadata=None):
    advertised = {"jwks_uri": f"{ISSUER}/keys"} if metadata is None else metadata
    server = Places(keys=answer).application()
    run = run_with(metadata=advertised, transports=lambda _: Applications({ISSUER: server}))
    run.server.discovered = replace(run.server.discovered, resource_metadata=resource_metadata)
    engine = Engine(run, lambda result: None)
    await engine.judge([all_checks()[CHECK]])
    return engine.results[CHECK]


@pytest.mark.parametrize(
    "published",
    [
        keys(),
        keys(EC),
        keys(EC, EC | {"kid": "2"}),
        keys(rsa(2048)),
        keys(rsa(2047)),
        keys(EC | {"d": None}),
        keys(EC | {"d": ""}),
        keys({"kty": "oct", "kid": "1"}),
        keys({"kty": "unheard-of", "d": "members of other kinds mean other things"}),
        keys(rsa(2048) | {"n": "no number!"}),
    ],
)
async def test_public_keys_pass(published):
    assert (await result_for(published)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("published", "said"),
    [
        (keys(EC | {"d": "private"}), "d in key 1"),
        (keys(EC, rsa(2048, kid="2", d="private", p="prime")), "d, p in key 2"),
        (keys({"kty": "OKP", "crv": "Ed25519", "x": "x-1", "d": "private"}), "d in key 1"),
        (keys({"kty": "oct", "k": "c2VjcmV0"}), "k in key 1"),
        (keys({"kty": "AKP", "alg": "ML-DSA-44", "pub": "p-1", "priv": "private"}), "priv in key 1"),
        (keys(rsa(1024)), "1024 bits"),
        ({"keys": {"1": EC}}, "200"),
        (PlainTextResponse("keys"), "200"),
    ],
)
async def test_what_gives_a_key_away_fails(published, said):
    result = await result_for(published)

    assert result.verdict is Verdict.FAIL
    assert said in result.findings[0].got


@pytest.mark.parametrize("published", [keys(EC, EC), keys(EC, {"kty": "EC", "crv": "P-256", "x": "x-2", "y": "y-2"})])
async def test_several_keys_without_ids_of_their_own_are_a_warning(published):
    assert (await result_for(published)).verdict is Verdict.WARN


async def test_the_key_set_of_the_resource_is_read_too():
    leaking = {"resource": f"{ISSUER}/mcp", "jwks_uri": f"{ISSUER}/keys"}

    result = await result_for(keys(EC | {"d": "private"}), metadata={}, resource_metadata=leaking)

    assert result.verdict is Verdict.FAIL


@pytest.mark.parametrize("status", [404, 500])
async def test_where_nothing_stands_nothing_is_said(status):
    assert (await result_for(Response(status_code=status))).verdict is Verdict.BLOCKED


async def test_without_a_key_set_it_does_not_apply():
    assert (await result_for(keys(), metadata={})).verdict is Verdict.NOT_APPLICABLE
