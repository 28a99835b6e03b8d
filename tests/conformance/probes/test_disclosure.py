"""Secrets and personal data that a cookie shows to each reader of it."""

import base64
import json
import zlib

import pytest
from cryptography.fernet import Fernet

from oauth_litmus.oauth.pkce import new_verifier
from oauth_litmus.probes.disclosure import discloses, readings, verifiers_in

SECRET = "a client secret, of all things"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        "a%20client%20secret%2C%20of%20all%20things",
        _base64url(SECRET.encode()),
        _base64url(json.dumps({"secret": SECRET}).encode()) + ".c2lnbmF0dXJl",
        _base64url(zlib.compress(SECRET.encode())),
        _base64url(_base64url(json.dumps({"s": SECRET}).encode()).encode()),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().replace("=", "%3D"),
    ],
    ids=["plain", "percent", "base64url", "signed JSON", "deflated", "twice", "base64", "base64 in percents"],
)
def test_what_is_only_encoded_can_be_read(value):
    assert discloses(value, SECRET)


def test_what_is_encrypted_cannot():
    assert not discloses(Fernet(Fernet.generate_key()).encrypt(SECRET.encode()).decode(), SECRET)


def test_a_verifier_is_found_by_its_shape():
    verifier = new_verifier()

    assert verifier in verifiers_in(_base64url(json.dumps({"verifier": verifier}).encode()))


def test_a_bomb_is_not_inflated_without_bounds():
    assert max(map(len, readings(_base64url(zlib.compress(b"a" * 50_000_000))))) <= 100_000


def test_what_inflates_again_and_again_is_read_within_bounds():
    bomb = "".join(
        base64.urlsafe_b64encode(zlib.compress(bytes([65 + number]) * 90_000)).decode().rstrip("=") + "."
        for number in range(26)
    )

    assert sum(map(len, readings(bomb * 20))) < 12_000_000
