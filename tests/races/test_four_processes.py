"""Single use and one successor, with four relay processes on one Valkey. A race can show only between processes.

`LITMUS_RACE_ROUNDS` sets how often each race runs (`nox -s races` runs each 200 times).
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager

import pytest

from litmus_fixtures.demo_settings import on_valkey
from litmus_fixtures.operator_profile import profile_of
from litmus_fixtures.served import served_relay
from oauth_litmus.client import Target
from oauth_litmus.run.runner import Options, connected

ROUNDS = int(os.environ.get("LITMUS_RACE_ROUNDS", "10"))
RACERS = 20
PROCESSES = 4
UNLIMITED = {f"LIMIT_{action}": "0" for action in ("REGISTER", "AUTHORIZE", "START", "CALLBACK", "TOKEN_FAILURES")}

pytestmark = [pytest.mark.sockets, pytest.mark.valkey]


@asynccontextmanager
async def racing(tokens: str, leeway: int = 10):
    values = {**UNLIMITED, "ACCESS_TOKENS": tokens, "REFRESH_LEEWAY": str(leeway)}
    with on_valkey() as store, served_relay({**values, **store}, processes=PROCESSES) as served:
        async with connected(Options(served.issuer, profile_of(served.settings, served.simulator))) as run:
            async with run.clock.running():
                yield Target(run, "race")


async def tokens_of(target: Target, user: str):
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()), user=user)
    return await target.tokens.for_code(target.authorization.code_of(await target.callbacks.deliver(held)))


@pytest.mark.parametrize("tokens", ["supabase", "relay"])
async def test_of_twenty_redemptions_one_succeeds(tokens):
    async with racing(tokens) as target:
        for number in range(ROUNDS):
            _, answers = await target.races.at_token_endpoint(
                RACERS, target.authorization.login, lambda code, gate: target.tokens.redeem(code, via=gate)
            )

            assert sorted(answer.status for answer in answers) == [200, *[400] * (RACERS - 1)], f"round {number}"


@pytest.mark.parametrize("tokens", ["supabase", "relay"])
async def test_twenty_refreshes_share_one_successor_and_ask_supabase_once(tokens):
    async with racing(tokens) as target:
        for number in range(ROUNDS):
            user = target.user(str(number))
            _, answers = await target.races.at_token_endpoint(
                RACERS,
                lambda user=user: tokens_of(target, user),
                lambda old, gate: target.tokens.refresh(old, via=gate),
            )

            successors = {answer.member("refresh_token") for answer in answers if answer.has_tokens}
            assert len(successors) == 1, f"round {number}"
            assert {answer.status for answer in answers} <= {200, 503}, f"round {number}"
            asked = await target.upstream.requests(route="token", grant_type="refresh_token", user=user)
            assert len(asked) == 1, f"round {number}"


@pytest.mark.parametrize("tokens", ["supabase", "relay"])
async def test_with_the_leeway_at_zero_one_of_twenty_refreshes_succeeds(tokens):
    async with racing(tokens, leeway=0) as target:
        for number in range(ROUNDS):
            _, answers = await target.races.at_token_endpoint(
                RACERS, target.grants.fresh, lambda old, gate: target.tokens.refresh(old, via=gate)
            )

            assert sum(answer.has_tokens for answer in answers) == 1, f"round {number}"
