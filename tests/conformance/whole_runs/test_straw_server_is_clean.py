"""The straw server makes the other allowed choices: what the suite finds on it is a false alarm, or is pinned here."""

import pytest

from litmus_fixtures.straw_server.choices import VARIANTS
from litmus_fixtures.straw_world import straw_profile, straw_world
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import judge
from oauth_litmus.verdict import Verdict

NO_ISS = {"ISS-01"}
"""MCP authorization, "Mix-Up": the server SHOULD send iss (RFC 9207)."""
NO_NOSNIFF = {"HEADERS-04a"}
"""Recommended practice: X-Content-Type-Options on every answer."""
SHORT_CHALLENGE = {"BEARER-01"}
"""MCP authorization, "Protected Resource Metadata Discovery": the challenge SHOULD name resource_metadata and scope."""
PLAIN = {"META-04", "PKCE-05", "PKCE-06"}
"""OAuth 2.1 section 7.5.2: plain SHOULD NOT be used."""
NO_GRACE = {"REPLAY-14"}
"""Recommended practice: OAuth 2.1 section 4.3.1 invalidates the previous refresh token, and names no grace."""
PINNED = {
    "configured": NO_ISS | NO_NOSNIFF | SHORT_CHALLENGE | NO_GRACE,
    "managed": NO_ISS | NO_NOSNIFF | SHORT_CHALLENGE | NO_GRACE,
    "openid": NO_NOSNIFF,
    "plain": NO_ISS | {"ISS-02"} | NO_NOSNIFF | PLAIN | NO_GRACE,
}
JUDGED_AT_LEAST = 100


async def verdicts(variant, profile=None):
    """The preflight's diagnosis, and every result by its id."""
    async with straw_world(variant, profile=profile) as run:
        engine = await judge(run, Selection())
    return engine.readiness.diagnosis, engine.results


@pytest.mark.parametrize("variant", VARIANTS)
async def test_every_variant_is_clean_but_for_pinned_warnings(variant):
    diagnosis, results = await verdicts(variant)

    assert not diagnosis
    assert not {identifier: result.decision for identifier, result in results.items() if result.verdict.is_red}
    assert {identifier for identifier, result in results.items() if result.verdict is Verdict.WARN} == PINNED[variant]
    assert sum(result.verdict.was_judged for result in results.values()) >= JUDGED_AT_LEAST


@pytest.mark.parametrize("variant", VARIANTS)
async def test_what_is_not_judged_says_why(variant):
    _, results = await verdicts(variant)

    assert all(
        result.decision.reason
        for result in results.values()
        if result.verdict in (Verdict.SKIP, Verdict.NOT_APPLICABLE)
    )


async def test_a_server_with_nothing_but_confidential_clients_is_clean():
    profile = straw_profile("configured")
    secret = tuple(client for client in profile.clients if client.auth_method != "none")

    diagnosis, results = await verdicts("configured", profile.model_copy(update={"clients": secret}))

    assert not diagnosis
    assert not {identifier: result.decision for identifier, result in results.items() if result.verdict.is_red}
    assert sum(result.verdict.was_judged for result in results.values()) >= JUDGED_AT_LEAST


async def test_a_single_configured_client_costs_skips_that_say_how_to_configure_another():
    profile = straw_profile("configured")
    one = tuple(client for client in profile.clients if client.client_id == "public-one")

    _, results = await verdicts("configured", profile.model_copy(update={"clients": one}))

    assert not {identifier: result.decision for identifier, result in results.items() if result.verdict.is_red}
    assert "[[clients]]" in results["INJ-01"].decision.reason
