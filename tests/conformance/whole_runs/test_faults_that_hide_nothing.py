"""One fault is one finding: what else the server does is judged by ways around the fault."""

from litmus_fixtures.broken_servers.registry import all_broken_servers, replaced
from litmus_fixtures.worlds import world
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import judge
from oauth_litmus.verdict import Verdict
from supabase_relay.errors import OAuthError
from supabase_relay.grants.refresh_token import refresh


async def test_revocation_is_judged_with_a_client_that_has_a_secret():
    names = ("REVOKE-01", "REVOKE-02", "REVOKE-03a", "REVOKE-03b", "REVOKE-04", "REVOKE-05")
    async with world(all_broken_servers()["revocation_needs_a_secret"]) as run:
        engine = await judge(run, Selection(only=names))

    assert {name: engine.results[name].verdict for name in names} == {
        "REVOKE-01": Verdict.PASS,
        "REVOKE-02": Verdict.PASS,
        "REVOKE-03a": Verdict.PASS,
        "REVOKE-03b": Verdict.PASS,
        "REVOKE-04": Verdict.PASS,
        "REVOKE-05": Verdict.FAIL,
    }


async def test_a_defect_of_basic_hides_no_other_verdict():
    names = ("INJ-01", "TOKEN-07", "TOKEN-07a", "TOKEN-08")
    async with world(all_broken_servers()["client_id_is_read_from_the_body"]) as run:
        engine = await judge(run, Selection(only=names))

    assert [engine.results[name].verdict for name in names] == [*[Verdict.PASS] * 3, Verdict.FAIL]


async def test_a_refresh_that_fails_after_a_replay_hides_no_verdict_on_the_replay():
    async def fails(*_: object) -> None:
        raise OAuthError("temporarily_unavailable", "try again", status=503)

    names = ("REPLAY-01", "REPLAY-02")
    with replaced(refresh, fails):
        async with world() as run:
            engine = await judge(run, Selection(only=names))

    assert [engine.results[name].verdict for name in names] == [Verdict.PASS, Verdict.BLOCKED]
