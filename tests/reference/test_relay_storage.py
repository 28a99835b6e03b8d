"""The verbs of the store: what is repeated after a lost answer is done once, and no input leaves its place."""

import contextlib
import time

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given
from hypothesis import strategies as st

from supabase_relay.errors import OAuthError
from supabase_relay.opaque_tokens import family_of_session, hash_of, is_family, new_token, parse_token
from supabase_relay.parameters import parse
from supabase_relay.storage.connection import Connection
from supabase_relay.storage.grants import Grants, Issue
from supabase_relay.storage.records import AccessGrant, Code, Family

FAMILY = family_of_session("session")


@pytest.fixture(params=[True, False], ids=["text", "bytes"])
def grants(request):
    return Grants(Connection(FakeAsyncRedis(server=FakeServer(), decode_responses=request.param)))


@pytest.fixture
async def code(grants):
    code = new_token(FAMILY)
    record = Code(
        secret_hash=hash_of("code", code),
        client_id="client",
        redirect_uri="https://client.example.com/",
        code_challenge="c",
        expires_at=time.time() + 60,
    )
    assert await grants.issue_code(code, record, family_record(), 60)
    return code


def family_record():
    return Family(client_id="client", subject="s", scope="a b", resource="r", session_id="session", upstream="sealed")


def issue(access_hash="first", scope="a b"):
    now = time.time()
    return Issue(
        access_token_hash=access_hash,
        grant=AccessGrant(client_id="client", subject="s", scope=scope, resource="r", expires_at=now + 60),
        refresh_token=new_token(FAMILY),
        refresh_expires_at=now + 600,
        upstream="sealed",
        now=now,
        family_lifetime=600,
    )


async def test_a_spending_whose_answer_was_lost_may_be_repeated(grants, code):
    redemption = issue()

    assert await grants.spend_code(code, redemption) == ("spent", "a b")
    assert await grants.spend_code(code, redemption) == ("spent", "a b")
    assert (await grants.spend_code(code, issue()))[0] == "replayed"


async def test_a_commit_whose_answer_was_lost_may_be_repeated(grants, code):
    first, second = issue(), issue("second")
    await grants.spend_code(code, first)
    token = first.refresh_token
    assert await grants.claim_refresh(token, "lease", time.time(), 15) == "claimed"
    assert await grants.claim_refresh(token, "lease", time.time(), 15) == "claimed"

    for _ in range(2):
        committed = await grants.commit_rotation(token, "lease", second, sealed_answer="x", leeway=10)
        assert committed == ("rotated", "a b")


async def test_whoever_lost_the_lease_commits_nothing(grants, code):
    first = issue()
    await grants.spend_code(code, first)
    token, now = first.refresh_token, time.time()
    await grants.claim_refresh(token, "slow", now, 15)
    assert await grants.claim_refresh(token, "next", now + 1, 15) == "busy"
    assert await grants.claim_refresh(token, "next", now + 16, 15) == "claimed"

    assert (await grants.commit_rotation(token, "slow", issue("x"), sealed_answer="x", leeway=10))[0] == "lost"


async def test_only_the_holder_gives_a_claim_back(grants, code):
    first = issue()
    await grants.spend_code(code, first)
    token, now = first.refresh_token, time.time()
    await grants.claim_refresh(token, "holder", now, 15)
    await grants.release_refresh(token, "another")

    assert await grants.claim_refresh(token, "next", now, 15) == "busy"


async def test_a_second_grant_for_one_token_never_widens(grants, code):
    first = issue(scope="a")
    await grants.spend_code(code, first)
    await grants.claim_refresh(first.refresh_token, "lease", time.time(), 15)

    committed = await grants.commit_rotation(
        first.refresh_token, "lease", issue(scope="a b"), sealed_answer="x", leeway=10
    )

    assert committed == ("rotated", "a")


async def test_one_session_begins_one_family(grants, code):
    again = new_token(FAMILY)
    record = Code(
        secret_hash=hash_of("code", again),
        client_id="c",
        redirect_uri="r",
        code_challenge="c",
        expires_at=time.time() + 60,
    )

    assert not await grants.issue_code(again, record, family_record(), 60)


async def test_a_deny_list_entry_is_never_shortened(clock, grants):
    await grants.deny_access(FAMILY, "hash", 100)
    await grants.deny_access(FAMILY, "hash", 10)
    clock.tick(50)

    assert (await grants.read_access(FAMILY, "hash")).denied


@given(st.text())
def test_no_session_leaves_the_namespace_of_families(session_id):
    assert is_family(family_of_session(session_id.encode("utf-8", "replace").decode()))


@given(st.text())
def test_only_issued_shapes_are_tokens(text):
    token = parse_token(text)

    assert token is None or str(token) == text


@given(st.binary())
def test_every_query_is_read_or_refused(encoded):
    with contextlib.suppress(OAuthError):
        assert all(parse(encoded).values.values())
