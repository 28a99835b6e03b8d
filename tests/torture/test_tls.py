"""An invalid certificate, or a TLS handshake that never completes, gives one error message at once, instead of a run."""

import socket
import time

import pytest
from judged import complaint, judged, profile_of

from litmus_fixtures.torture_server.certificates import self_signed
from litmus_fixtures.torture_server.server import Rule, Torture, torturing

pytestmark = pytest.mark.sockets


async def test_a_self_signed_certificate_is_refused_with_advice(tmp_path):
    async with torturing(tls=self_signed(tmp_path).context()) as torture:
        said = await complaint(torture)

    assert "self-signed certificate" in said
    assert "[http] ca_file" in said
    assert torture.heard == []


async def test_an_expired_certificate_is_refused(tmp_path):
    certificate = self_signed(tmp_path, ends_in_days=-1)
    async with torturing(tls=certificate.context()) as torture:
        assert "certificate has expired" in await complaint(torture, profile=_trusting(certificate))


async def test_a_certificate_for_another_host_is_refused(tmp_path):
    certificate = self_signed(tmp_path, host="elsewhere.example")
    async with torturing(tls=certificate.context()) as torture:
        assert "certificate is not valid for '127.0.0.1'" in await complaint(torture, profile=_trusting(certificate))


async def test_plain_http_instead_of_tls_is_an_error():
    async with torturing() as torture:
        assert "cannot be reached: " in await complaint(torture, url=torture.origin.replace("http:", "https:"))


async def test_a_handshake_that_never_ends_is_given_up():
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        origin = f"https://127.0.0.1:{silent.getsockname()[1]}"
        said = await complaint(Torture(origin=origin), profile=profile_of(timeout=0.3))

    assert "no connection within 0.24 s" in said
    assert time.monotonic() - began < 3


async def test_a_certificate_of_the_operators_own_authority_is_accepted(tmp_path):
    certificate = self_signed(tmp_path)
    async with torturing(tls=certificate.context()) as torture:
        outcome = await judged(torture, "META-04", "REPLAY-01", profile=_trusting(certificate, timeout=5))

    assert outcome.verdicts == {"META-04": "PASS", "REPLAY-01": "PASS"}


async def test_a_tls_connection_that_breaks_during_a_response_blocks_the_check(tmp_path):
    certificate = self_signed(tmp_path)
    async with torturing(Rule("cut_in_the_body", "/oauth2/v1/token"), tls=certificate.context()) as torture:
        outcome = await judged(torture, "META-04", "REPLAY-01", profile=_trusting(certificate, timeout=5))

    assert outcome.verdicts == {"META-04": "PASS", "REPLAY-01": "BLOCKED"}


def _trusting(certificate, **changes):
    return profile_of(http={"ca_file": str(certificate.path)}, **changes)
