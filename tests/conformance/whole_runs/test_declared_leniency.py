"""A resource is judged by its declaration: it must keep to it, and a declared leniency is no finding."""

from litmus_fixtures.broken_servers.registry import all_broken_servers
from litmus_fixtures.worlds import world
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import judge
from oauth_litmus.verdict import Verdict


async def verdict_of(identifier, broken, **declared):
    async with world(all_broken_servers()[broken]) as run:
        run.server.profile = run.server.profile.model_copy(update=declared)
        return (await judge(run, Selection(only=(identifier,)))).results[identifier].verdict


async def test_a_token_in_the_query_is_a_warning_where_it_is_declared():
    assert await verdict_of("BEARER-09", "query_carries_the_token") is Verdict.FAIL
    assert await verdict_of("BEARER-09", "query_carries_the_token", query_tokens=True) is Verdict.WARN


async def test_an_audience_elsewhere_fails_only_who_claims_resource_indicators():
    broken = "every_token_is_for_the_first_resource"

    assert await verdict_of("RES-02", broken) is Verdict.FAIL
    assert await verdict_of("RES-02", broken, resource_indicators=False) is Verdict.WARN
