"""Operations of the store, on fakeredis and on a real Valkey server: retries are safe, and no input forges a key."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supabase_relay.errors import OAuthError
from supabase_relay.opaque_tokens import family_of_session, hash_of, is_family, new_token, parse_token
from supabase_relay.parameters import parse
from supabase_relay.storage import keys
from supabase_relay.storage.connection import Connection
from supabase_relay.storage.grants import Grants, Issue
from supabase_relay.storage.pending_logins import PendingLogins
from supabase_relay.storage.records import AccessGrant, Code, Family, PendingLogin

FAMILY = family_of_session("session")


@pytest.fixture
def grants(redis_client):
    return Grants(Connection(redis_client))


@pytest.fixture
async def code(grants):
    code = new_token(FAMILY)
    assert await grants.issue_code(code, code_record(code), family_record(), 60)
    return code


@pytest.fixture
async def logins(redis_client):
    """The pending logins of a store that has one, with the state `state`."""
    logins = PendingLogins(Connection(redis_client))
    await logins.save("state", pending_login())
    return logins


def code_record(code):
    return Code(
        secret_hash=hash_of("code", code),
        client_id="client",
        redirect_uri="https://client.example.com/",
        code_challenge="c",
        expires_at=time.time() + 60,
    )


def pending_login():
    return PendingLogin(
        client_id="client",
        redirect_uri="https://client.example.com/",
        scope="a b",
        resource="r",
        code_challenge="c",
        upstream_verifier="v",
        upstream_challenge="u",
        expires_at=time.time() + 60,
    )


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


async def test_spending_a_code_can_be_retried_after_a_lost_answer(grants, code):
    redemption = issue()

    assert await grants.spend_code(code, redemption) == ("spent", "a b")
    assert await grants.spend_code(code, redemption) == ("spent", "a b")
    assert (await grants.spend_code(code, issue()))[0] == "replayed"


async def test_a_rotation_can_be_retried_after_a_lost_answer(grants, code):
    first, second = issue(), issue("second")
    await grants.spend_code(code, first)
    token = first.refresh_token
    assert await grants.claim_refresh(token, "lease", time.time(), 15) == "claimed"
    assert await grants.claim_refresh(token, "lease", time.time(), 15) == "claimed"

    for _ in range(2):
        committed = await grants.commit_rotation(token, "lease", second, sealed_answer="x", leeway=10)
        assert committed == ("rotated", "a b")


async def test_a_caller_whose_lease_expired_cannot_commit(grants, code):
    first = issue()
    await grants.spend_code(code, first)
    token, now = first.refresh_token, time.time()
    await grants.claim_refresh(token, "slow", now, 15)
    assert await grants.claim_refresh(token, "next", now + 1, 15) == "busy"
    assert await grants.claim_refresh(token, "next", now + 16, 15) == "claimed"

    assert (await grants.commit_rotation(token, "slow", issue("x"), sealed_answer="x", leeway=10))[0] == "lost"


async def test_only_the_holder_can_release_a_claim(grants, code):
    first = issue()
    await grants.spend_code(code, first)
    token, now = first.refresh_token, time.time()
    await grants.claim_refresh(token, "holder", now, 15)
    await grants.release_refresh(token, "another")

    assert await grants.claim_refresh(token, "next", now, 15) == "busy"


async def test_a_second_grant_for_the_same_access_token_does_not_widen_its_scope(grants, code):
    first = issue(scope="a")
    await grants.spend_code(code, first)
    await grants.claim_refresh(first.refresh_token, "lease", time.time(), 15)

    committed = await grants.commit_rotation(
        first.refresh_token, "lease", issue(scope="a b"), sealed_answer="x", leeway=10
    )

    assert committed == ("rotated", "a")


async def test_one_session_creates_one_family(grants, code):
    again = new_token(FAMILY)

    assert not await grants.issue_code(again, code_record(again), family_record(), 60)


async def test_no_token_is_issued_for_a_revoked_family(grants, code):
    first = issue()
    await grants.spend_code(code, first)
    await grants.revoke_family(FAMILY)

    assert await grants.claim_refresh(first.refresh_token, "lease", time.time(), 15) == "revoked"
    assert (await grants.read_access(FAMILY, "first")).family.revoked


async def test_the_lifetime_of_a_deny_list_entry_is_never_shortened(redis_client, grants):
    await grants.deny_access(FAMILY, "hash", 100)
    await grants.deny_access(FAMILY, "hash", 10)

    assert (await grants.read_access(FAMILY, "hash")).denied
    assert await redis_client.pttl(keys.denied(FAMILY, "hash")) > 50_000


async def test_a_pending_login_is_bound_to_its_first_browser(logins):
    assert await logins.bind_browser("state", "first") == "first"
    assert await logins.bind_browser("state", "second") == "first"
    assert (await logins.find("state")).browser == "first"


async def test_a_pending_login_is_taken_once(logins):
    assert (await logins.take("state")).client_id == "client"
    assert await logins.take("state") is None


async def test_a_login_that_was_taken_is_not_recreated(logins):
    await logins.take("state")

    assert not await logins.approve("state")
    assert await logins.bind_browser("state", "browser") is None
    assert await logins.find("state") is None


@given(st.text())
def test_every_session_id_becomes_a_valid_family(session_id):
    assert is_family(family_of_session(session_id.encode("utf-8", "replace").decode()))


@given(st.text())
def test_text_is_a_token_only_in_its_exact_spelling(text):
    token = parse_token(text)

    assert token is None or str(token) == text


@given(st.binary())
def test_every_query_is_parsed_or_refused(encoded):
    with contextlib.suppress(OAuthError):
        assert all(parse(encoded).values.values())
