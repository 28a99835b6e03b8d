"""The relay's own signing key, in all formats that an operator may use."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from supabase_relay.signing_key import SigningKey, _thumbprint

EC, RSA = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        pytest.param(pem(EC), "ES256", id="PEM of P-256"),
        pytest.param(pem(RSA), "RS256", id="PEM of RSA"),
        pytest.param(ECAlgorithm.to_jwk(EC), "ES256", id="JWK of P-256"),
        pytest.param(RSAAlgorithm.to_jwk(RSA), "RS256", id="JWK of RSA"),
        pytest.param(None, "ES256", id="a generated key"),
    ],
)
def test_it_signs_and_publishes_the_public_half(text, algorithm):
    key = SigningKey(text)

    token = key.sign({"sub": "x"})

    assert jwt.decode(token, jwt.PyJWK(key.public_jwk))["sub"] == "x"
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    assert not set(key.public_jwk) & {"d", "p", "q", "dp", "dq", "qi"}


def test_pem_and_jwk_of_one_key_have_one_key_id():
    assert SigningKey(pem(EC)).public_jwk["kid"] == SigningKey(ECAlgorithm.to_jwk(EC)).public_jwk["kid"]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(pem(ec.generate_private_key(ec.SECP384R1())), id="P-384"),
        pytest.param(ECAlgorithm.to_jwk(EC.public_key()), id="a public key"),
    ],
)
def test_other_curves_and_public_keys_are_refused(key):
    with pytest.raises(ValueError, match="SIGNING_KEY"):
        SigningKey(key)


def test_the_key_id_is_the_thumbprint_of_rfc_7638():
    # The example key of RFC 7638 section 3.1.
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn"
        "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qM"
        "QvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJz"
        "KnqDKgw"
    )
    assert _thumbprint({"kty": "RSA", "n": n, "e": "AQAB"}) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert json.loads(ECAlgorithm.to_jwk(EC))["kty"] == "EC"
