"""The scope that a challenge names is judged by what it opens (SCOPE-12c)."""

import pytest

from litmus_fixtures.broken_servers.registry import replaced
from litmus_fixtures.worlds import world
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import judge
from oauth_litmus.verdict import Verdict
from supabase_relay.routes.resource import challenge

SCOPES = ("mcp:read", "mcp:write", "mcp:all")


async def result_with(**declared):
    async with world(settings={"SCOPES": " ".join(SCOPES)}) as run:
        run.server.profile = run.server.profile.model_copy(update=declared)
        return (await judge(run, Selection(only=("SCOPE-12c",)))).results["SCOPE-12c"]


def naming(scope):
    """The resource names this scope in every challenge for want of scope."""
    return replaced(challenge, lambda relay, error, wanted: challenge(relay, error, scope if wanted else None))


async def test_the_declared_scope_passes():
    assert (await result_with()).verdict is Verdict.PASS


async def test_another_scope_passes_where_it_opens_the_operation():
    # The operation is declared by a scope that the resource never names; those that it names open it all the same.
    declared = {"operations": {"mcp:all": "PUT /mcp"}, "scopes": SCOPES}

    assert (await result_with(**declared)).verdict is Verdict.PASS


async def test_a_scope_that_opens_nothing_is_a_warning():
    with naming("mcp:all"):
        assert (await result_with(scopes=SCOPES)).verdict is Verdict.WARN


async def test_a_scope_that_the_run_may_not_ask_for_is_left_alone():
    with naming("superuser"):
        result = await result_with(scopes=SCOPES)

    assert result.verdict is Verdict.SKIP
    assert "superuser" in result.decision.reason


@pytest.mark.parametrize(("specification", "verdict"), [("mcp", Verdict.PASS), ("oauth2.1", Verdict.NOT_APPLICABLE)])
async def test_only_mcp_asks_for_it(specification, verdict):
    assert (await result_with(specification=specification)).verdict is verdict
