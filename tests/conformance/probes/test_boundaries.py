"""At the end of a lifetime: what came on the wrong side of it says nothing, and the verdict states what was measured."""

import httpx
import pytest

from litmus_fixtures.straw_world import straw_profile, straw_world
from oauth_litmus import expect
from oauth_litmus.http.answer import Answer
from oauth_litmus.probes.boundary import Boundary, clock_offset
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import judge
from oauth_litmus.verdict import Blocked, Judgement, Level, Verdict, Violation, decide

NOON = 1_782_907_200.0
DATE = "Wed, 01 Jul 2026 12:00:00 GMT"


def answer(sent, received, status=400, **headers):
    return Answer(7, "POST", "https://as.example.com/token", status, httpx.Headers(headers), b"", sent, received)


@pytest.fixture(autouse=True)
def judgement():
    fresh = Judgement()
    token = expect.judgement.set(fresh)
    yield fresh
    expect.judgement.reset(token)


@pytest.fixture
def end():
    """Of something that was issued between 0 and 0.2 and lives a minute."""
    return Boundary.of(answer(0.0, 0.2), 60.0)


def test_an_end_is_bracketed_by_what_is_known_of_its_beginning(end):
    assert (end.before, end.earliest, end.latest, end.after) == (58.0, 60.0, 60.2, 62.2)


def test_slow_answers_widen_the_bracket():
    assert Boundary.of(answer(0.0, 3.0), 60.0).before == 60.0 - 9.0


@pytest.mark.parametrize(
    ("sent", "received"), [(59.9, 60.0), (61.0, 61.1), (58.0, 64.0)], ids=["late", "queued", "slow answer"]
)
def test_a_refusal_that_may_have_come_after_the_end_says_nothing(end, sent, received):
    with pytest.raises(Blocked, match="may have come after it"):
        end.before_its_end(answer(sent, received), held=False)


def test_a_refusal_before_the_end_is_judged(end):
    end.before_its_end(answer(58.0, 58.1), held=False)


def test_a_success_shows_what_it_must_however_late_it_came(end):
    end.before_its_end(answer(61.0, 65.0, 200), held=True)


def test_a_request_that_was_sent_before_the_end_shows_nothing_of_a_late_one(end):
    with pytest.raises(Blocked, match="may have come before it"):
        end.after_its_end(answer(60.1, 60.3))


def test_a_pass_states_instants_round_trip_and_clock_offset(end, judgement):
    end.before_its_end(answer(58.0, 58.1, date=DATE), held=True)
    judgement.judged += 1

    reason = decide(Level.MUST, judgement, None).reason
    assert reason.startswith("sent 2.000 s before expiry, round trip 0.100 s, clock offset of the server between")


def test_a_finding_states_them_too(end, judgement):
    late = answer(62.2, 62.3)
    end.after_its_end(late)

    with pytest.raises(Violation) as found:
        expect.that(False, expected="a refusal", got="tokens", at=late)

    assert found.value.finding.got == (
        "tokens; sent 2.000 s after expiry, round trip 0.100 s, clock offset unknown (no Date)"
    )


def test_the_servers_clock_is_read_from_its_date():
    assert clock_offset(answer(NOON - 10.0, NOON - 9.5, date=DATE)) == (9.5, 12.0)


def test_an_instant_of_the_servers_clock_is_met_by_that():
    end = Boundary.of_instant(NOON + 60, answer(NOON - 10.0, NOON - 9.5, date=DATE))

    assert (end.earliest, end.latest) == (NOON + 48.0, NOON + 50.5)


@pytest.mark.parametrize("date", ["yesterday", ""])
def test_without_a_readable_date_the_clocks_are_taken_to_agree(date):
    end = Boundary.of_instant(60.0, answer(0.0, 0.1, date=date))

    assert (end.earliest, end.latest) == (60.0, 60.0)


async def verdict_of(identifier, **lifetimes):
    declared = straw_profile("configured")
    profile = declared.model_copy(update={"lifetimes": declared.lifetimes.model_copy(update=lifetimes)})
    async with straw_world("configured", profile=profile) as run:
        return (await judge(run, Selection(only=(identifier,)))).results[identifier].verdict


async def test_codes_that_are_declared_to_live_an_hour_are_warned_of():
    assert await verdict_of("EXPIRY-04", code=3600.0) is Verdict.WARN


async def test_a_code_whose_lifetime_is_not_declared_is_not_judged_by_it():
    assert await verdict_of("EXPIRY-04", code=None) is Verdict.SKIP
