"""Forgeries are what their names say, and tokens that are no JWTs are read as nothing."""

import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from oauth_litmus.oauth import jwts

KEY = ec.generate_private_key(ec.SECP256R1())
CLAIMS = {"sub": "ada", "aud": "https://rs.example.com", "exp": int(time.time()) + 600, "scope": "a b"}
TOKEN = jwt.encode(CLAIMS, KEY, algorithm="ES256", headers={"kid": "k"})
JWK = {**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k"}


def verified(token):
    return jwt.decode(token, KEY.public_key(), algorithms=["ES256"], options={"verify_aud": False})


@pytest.mark.parametrize("text", ["", "null", "a.b.c", "\u00fc.\u00fc.\u00fc", "eyJhbGciOiJub25lIn0.bnVsbA."])
def test_what_is_no_jwt_has_no_claims(text):
    assert jwts.claims_of(text) == {}


@pytest.mark.parametrize(
    ("claims", "scopes"), [({"scope": "a b"}, {"a", "b"}), ({"scp": ["a"]}, {"a"}), ({"scope": ""}, set()), ({}, None)]
)
def test_scopes_are_read_from_either_claim(claims, scopes):
    assert jwts.scopes_in(claims) == scopes


@pytest.mark.parametrize("what", jwts.tampered(TOKEN, now=0))
def test_a_tampered_token_does_not_verify(what):
    with pytest.raises(jwt.InvalidTokenError):
        verified(jwts.tampered(TOKEN, now=time.time())[what])


@pytest.mark.parametrize("what", jwts.with_senders_keys(TOKEN, [JWK]))
def test_a_token_under_the_senders_key_does_not_verify(what):
    with pytest.raises(jwt.InvalidTokenError):
        verified(jwts.with_senders_keys(TOKEN, [JWK])[what])


def test_an_unsigned_token_keeps_its_claims():
    forged = jwts.unsigned(jwts.header_of(TOKEN), jwts.claims_of(TOKEN))

    assert len(forged) == 4
    assert all(token.endswith(".") and jwts.claims_of(token) == CLAIMS for token in forged.values())


def test_a_token_that_brings_its_key_verifies_with_that_key():
    token = jwts.signed_by_stranger(jwts.header_of(TOKEN), CLAIMS)
    brought = jwt.PyJWK(jwts.header_of(token)["jwk"])

    assert jwt.decode(token, brought, algorithms=["ES256"], options={"verify_aud": False}) == CLAIMS


def test_an_opaque_token_is_bent_in_the_middle():
    assert jwts.with_bent_signature("0123456789") == "01234A6789"
