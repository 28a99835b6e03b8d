"""An answer about a token counts only while the token lives."""

from types import SimpleNamespace

import pytest
from core_worlds import answer

from oauth_litmus.checks.revocation import introspection
from oauth_litmus.verdict import Blocked


def living(monkeypatch, *, next_token):
    """A token that has ended already, and the one that a new login would bring; only `alive` is active."""

    async def introspect(target, token, client, headers=None, *, beside=None):
        return answer(200, {"active": token == "alive"})

    async def tokens(client):
        return SimpleNamespace(access_token=next_token, client=client)

    monkeypatch.setattr(introspection, "_introspect", introspect)
    return introspection._ValidToken(
        SimpleNamespace(grants=SimpleNamespace(fresh=tokens)), SimpleNamespace(access_token="ended", client=None)
    )


async def test_a_denial_of_a_token_that_has_ended_is_asked_for_again(monkeypatch):
    asked = []

    async def stranger(token):
        asked.append(token)
        return answer(403)

    said = await living(monkeypatch, next_token="alive").answer_about(stranger)

    assert (said.status, asked) == (403, ["ended", "alive"])


async def test_where_tokens_always_end_before_nothing_is_judged(monkeypatch):
    async def stranger(token):
        return answer(403)

    with pytest.raises(Blocked, match="access tokens expire before"):
        await living(monkeypatch, next_token="ended").answer_about(stranger)
