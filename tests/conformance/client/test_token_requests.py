"""Probes with living codes: one code serves them all, and a refusal counts only if the code lived."""

import pytest
from core_worlds import refusal, tokens

from litmus_fixtures.worlds import world
from oauth_litmus.checks.token_endpoint.exactness import changed_by, spellings
from oauth_litmus.client import Target
from oauth_litmus.probes.token_requests import each_alive
from oauth_litmus.run.engine import Engine
from oauth_litmus.verdict import Blocked


class Codes:
    """Codes of a server that gives tokens for a right request, and may burn a code at the first refusal."""

    def __init__(self, *, burns: bool) -> None:
        self.burns, self.issued, self.dead = burns, 0, set()

    async def issue(self):
        self.issued += 1
        return self.issued

    def present(self, *, right):
        async def send(code):
            good = right and code not in self.dead
            if good or self.burns:
                self.dead.add(code)
            return tokens() if good else refusal()

        return send


@pytest.mark.parametrize(
    ("burns", "probes", "codes"),
    [(False, (False, False, False), 1), (True, (False, False), 3), (False, (True, False), 2)],
)
async def test_as_few_codes_as_show_that_each_lived(burns, probes, codes):
    server = Codes(burns=burns)

    answers = await each_alive(
        server.issue, [server.present(right=right) for right in probes], server.present(right=True)
    )

    assert [answer.has_tokens for answer in answers] == list(probes)
    assert server.issued == codes


async def test_a_defect_behind_a_burnt_code_is_seen_all_the_same():
    server = Codes(burns=True)

    answers = await each_alive(
        server.issue, [server.present(right=False), server.present(right=True)], server.present(right=True)
    )

    assert [answer.has_tokens for answer in answers] == [False, True]


@pytest.mark.parametrize("token", ["abcdefgh_ijklmnop-qrs", "0123456789", "0f3a-66bb-12cd"])
def test_every_spelling_is_another_string(token):
    changed = {name: change(token) for name, change in spellings(token).items()}

    assert token not in changed.values()


def test_the_ends_of_a_token_stay_as_they_are_where_a_letter_is_changed():
    changed = spellings("prefix_AAAAmAAAA_suffix")["one letter in the other case"]("prefix_AAAAmAAAA_suffix")

    assert changed == "prefix_AAAAmAAaA_suffix" or (changed.startswith("prefix_") and changed.endswith("_suffix"))


@pytest.mark.parametrize("token", ["0123456789", "AAAA", "abcdefgh"])
def test_a_token_without_what_a_probe_changes_is_changed_all_the_same(token):
    """Or a living one would be presented as it is, and its tokens taken for a finding."""
    of_another = spellings("abcdefgh_ijklmnop-qrs")

    assert token not in {changed_by(change, token) for change in of_another.values()}


@pytest.mark.parametrize(("lifetime", "ended"), [(60, True), (600, False)])
async def test_a_code_that_ended_in_a_queue_says_nothing(lifetime, ended):
    async with world(settings={"CODE_TTL": str(lifetime), "LIMIT_TOKEN_FAILURES": "3/300"}) as run:
        await Engine(run).preflight()
        target = Target(run, "TEST-01")
        async with run.clock.running():
            code = await target.authorization.login()
            for _ in range(3):
                await target.tokens.redeem(code, code_verifier="wrong" * 10)

            if ended:
                with pytest.raises(
                    Blocked, match=r"the code was 30\d s old when its request was sent, and expires after 60 s"
                ):
                    await target.tokens.redeem(code)
            else:
                assert (await target.tokens.redeem(code)).has_tokens


@pytest.mark.parametrize("waits", [True, False])
async def test_a_callback_that_waited_in_a_queue_for_long_says_nothing(waits):
    async with world(settings={"LIMIT_CALLBACK": "2/310", "PENDING_LOGIN_TTL": "900"}) as run:
        await Engine(run).preflight()
        target = Target(run, "TEST-01")
        async with run.clock.running():
            held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()))
            await target.until(target.now() + (0 if waits else 320))
            if waits:
                for _ in range(2):
                    await target.authorization.login()
                with pytest.raises(Blocked, match=r"the callback waited 31\d s for room in a rate limit"):
                    await target.callbacks.deliver(held, browser=target.new_browser())
            else:
                stale = await target.callbacks.deliver(held, browser=target.new_browser())
                assert stale.code is None
