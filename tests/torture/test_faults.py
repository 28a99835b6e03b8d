"""Each fault alone: the affected checks are BLOCKED with a reason, the others are judged, and the run ends quickly."""

import time
from pathlib import Path

import pytest
from judged import FEW, TIMEOUT, complaint, judged, profile_of

from litmus_fixtures.torture_server.faults import FAULTS
from litmus_fixtures.torture_server.server import Rule, torturing
from oauth_litmus.run_state.budget import Budget

pytestmark = pytest.mark.sockets

TOKEN = "/oauth2/v1/token"
AUTHORIZE = "/oauth2/v1/authorize"
REGISTER = "/oauth2/v1/register"
WELL_KNOWN = "/.well-known/"
UNTOUCHED = "META-04"


def test_every_fault_is_met_somewhere():
    source = Path(__file__).read_text("utf-8") + Path(__file__).with_name("test_whole_run.py").read_text("utf-8")
    assert [name for name in FAULTS if f'"{name}"' not in source] == []


async def test_without_a_fault_everything_passes():
    async with torturing() as torture:
        outcome = await judged(torture)

    assert outcome.of("PASS") == set(FEW)
    assert outcome.left_behind == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("endless_body", "200 application/json, a body of more than 1 MB"),
        ("endless_events", f"no complete answer within {TIMEOUT} s"),
        ("endless_hints", f"no complete answer within {TIMEOUT} s"),
        ("slow_head", f"no complete answer within {TIMEOUT} s"),
        ("slow_body", f"no complete answer within {TIMEOUT} s"),
        ("silence", f"no complete answer within {TIMEOUT} s"),
        ("hangs_up", "Server disconnected"),
        ("cut_in_the_head", "Server disconnected"),
        ("cut_in_the_body", "peer closed connection"),
        ("shorter_than_promised", "received 2 bytes, expected 1000"),
        ("longer_than_promised", "200 application/json"),
        ("no_http", "Server disconnected"),
        ("circle", "redirects are not followed"),
        ("unavailable", ": 503"),
        ("crash", ": 500"),
        ("gzip_bomb", "a body of more than 1 MB"),
        ("gzip_bomb_in_a_bomb", "a body of more than 1 MB"),
        ("brotli_bomb", "its body is compressed with 'br', although no compression was asked for"),
        ("zstd_bomb", "its body is compressed with 'zstd'"),
        ("deep_json", "200 application/json"),
        ("huge_header", "Receive buffer too long"),
        ("thousands_of_headers", "its head has 5003 lines, more than 500"),
        ("hundreds_of_cookies", "redirects are not followed"),
        ("unclosed_tags", "200 text/html"),
    ],
)
async def test_a_fault_in_the_metadata_is_one_diagnosis(fault, said):
    async with torturing(Rule(fault, WELL_KNOWN)) as torture:
        assert said in await complaint(torture)


# All endpoints share the code that reads a response, so the test above covers the other faults.
@pytest.mark.parametrize(
    "fault",
    ["endless_body", "slow_head", "cut_in_the_body", "circle", "crash", "gzip_bomb", "deflate_bomb", "deep_json"],
)
async def test_a_fault_at_the_token_endpoint_blocks_only_checks_that_need_tokens(fault):
    began = time.monotonic()
    async with torturing(Rule(fault, TOKEN)) as torture:
        outcome = await judged(torture, "META-04", "REPLAY-01")

    assert outcome.verdicts == {"META-04": "PASS", "REPLAY-01": "BLOCKED"}
    assert "an ordinary login does not work: " in outcome.reasons["REPLAY-01"]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "fault",
    [
        "circle", "spiral", "hundreds_of_cookies", "a_page_that_reloads", "a_form_that_comes_back", "endless_page",
        "unclosed_tags", "tags_without_end", "comments_without_end", "endless_forms", "lines_for_patterns",
    ],
)  # fmt: skip
async def test_a_login_that_leads_nowhere_is_given_up(fault):
    began = time.process_time()
    async with torturing(Rule(fault, AUTHORIZE)) as torture:
        outcome = await judged(torture, "META-04", "REPLAY-01", profile=profile_of(timeout=5))

    assert outcome.verdicts == {"META-04": "PASS", "REPLAY-01": "BLOCKED"}
    assert "the login ended without a code" in outcome.diagnosis
    assert time.process_time() - began < 8


async def test_the_diagnosis_names_a_redirect_loop():
    async with torturing(Rule("circle", AUTHORIZE)) as torture:
        assert "the login did not end within 25 navigations" in (await judged(torture, "REPLAY-01")).diagnosis


@pytest.mark.parametrize("fault", ["cut_in_the_body", "endless_body", "crash", "silence"])
async def test_a_fault_at_the_registration_blocks_only_checks_that_need_a_client(fault):
    async with torturing(Rule(fault, REGISTER)) as torture:
        outcome = await judged(torture, "META-04", "REPLAY-01")

    assert outcome.verdicts == {"META-04": "PASS", "REPLAY-01": "BLOCKED"}
    assert outcome.diagnosis.startswith("no client: ")


async def test_checks_of_every_page_are_blocked_if_a_login_breaks_off():
    async with torturing(Rule("crash", AUTHORIZE, after=1)) as torture:
        outcome = await judged(torture, "HEADERS-01", "HEADERS-02a", "HEADERS-02b", "HEADERS-03")

    assert outcome.of("BLOCKED") == {"HEADERS-01", "HEADERS-02a", "HEADERS-02b", "HEADERS-03"}, outcome.verdicts


async def test_an_expires_in_of_401_digits_does_not_crash_the_suite():
    async with torturing(Rule("huge_numbers", TOKEN)) as torture:
        outcome = await judged(torture, "EXPIRY-14", "EXPIRY-01", "EXPIRY-15")

    assert outcome.of("ERROR") == set()
    assert "inf" in outcome.reasons["EXPIRY-14"]


async def test_an_endpoint_that_never_answers_is_given_up_after_three_timeouts():
    # The preflight redeems one code and refreshes once. After that, the token endpoint is silent.
    async with torturing(Rule("silence", TOKEN, after=2)) as torture:
        outcome = await judged(torture, "replay", "token_endpoint", "scope", "META-04")
        asked = sum(path.startswith(TOKEN) for _, path, _, _ in torture.heard)

    assert outcome.verdicts["META-04"] == "PASS"
    assert outcome.of("FAIL", "WARN") == set()
    assert any("3 requests in a row to" in reason for reason in outcome.reasons.values())
    assert asked < 2 + 24 + 24


async def test_a_token_endpoint_that_stays_unavailable_blocks_only_checks_that_need_it():
    async with torturing(Rule("unavailable", TOKEN, after=2)) as torture:
        outcome = await judged(torture, "META-04", "REPLAY-01", "HEADERS-01")

    assert outcome.verdicts == {"META-04": "PASS", "HEADERS-01": "PASS", "REPLAY-01": "BLOCKED"}
    assert "503" in outcome.reasons["REPLAY-01"]


async def test_a_slow_body_is_read_until_the_timeout_of_the_profile():
    async with torturing(Rule("slow_body", WELL_KNOWN)) as torture:
        began = time.monotonic()
        assert "within 0.2 s" in await complaint(torture, profile=profile_of(timeout=0.2))

    assert time.monotonic() - began < 2


async def test_the_run_ends_after_max_time():
    async with torturing(Rule("silence", AUTHORIZE, after=1)) as torture:
        budget = Budget(max_time=2.0)
        began = time.monotonic()
        outcome = await judged(torture, "redirect_uri", profile=profile_of(timeout=30), budget=budget)

    assert time.monotonic() - began < 6
    assert "the run was stopped after 2 s: give a longer --max-time" in outcome.engine.stopped
    assert outcome.of("BLOCKED")
    assert outcome.engine.stopped in outcome.reasons.values()
