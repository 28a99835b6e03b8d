"""Which checks this run cannot judge, with the reason, and which were asked for."""

from dataclasses import dataclass, replace

import pytest
from core_worlds import ISSUER, check_of, run_with
from preflight_server import ALL_WELL, ENDPOINTS, REGISTRATION, UPSTREAM, Server, flown, with_clients

from oauth_litmus.check import Need
from oauth_litmus.checks import all_checks
from oauth_litmus.http.listener import Listener
from oauth_litmus.login.drivers import NoLogin
from oauth_litmus.run.plan import Selection, UnknownSelectionError, cannot_judge
from oauth_litmus.run.preflight import Readiness
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.run_state.run import Run
from oauth_litmus.target.profile import Limits, Profile
from oauth_litmus.target.upstream_control import UpstreamControl
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped


def run_for(*, metadata=None, driver=None, profile=None, budget=None, **seen):
    run = run_with(metadata=metadata, driver=driver, profile=profile, budget=budget)
    for name, value in seen.items():
        setattr(run.server.seen, name, value)
    return run


def reason_for(need, run, readiness=ALL_WELL):
    return cannot_judge(check_of(None, "TEST-01", needs=frozenset({need})), run, readiness)


TWO_SCOPES = Profile(scopes=("a", "b"))
WITH_RESOURCE = Profile(resource=f"{ISSUER}/mcp")
OWN = Profile(own_server=True)
FAR = "https://as.example.com"


def everything():
    """A run in which nothing is missing."""
    introspection = {"introspection_endpoint": f"{ISSUER}/introspection"}
    methods = {"token_endpoint_auth_methods_supported": ["none", "client_secret_post"]}
    metadata = {**ENDPOINTS, **REGISTRATION, **introspection, **methods}
    profile = Profile(
        scopes=("a", "b"),
        resource=f"{ISSUER}/mcp",
        operations={"a": "GET /mcp"},
        replicas=("http://127.0.0.2:8000", "http://127.0.0.3:8000"),
    )
    run = run_for(
        metadata=metadata,
        profile=profile,
        budget=Budget(burst=True),
        upstream_url=f"{UPSTREAM}/login",
        refresh_token=True,
        access_token_is_jwt=True,
    )
    run.upstream, run.server.separate_sources, run.listener = (
        UpstreamControl(UPSTREAM, None),
        True,
        Listener("http://x", True),
    )
    return run


@pytest.mark.parametrize("need", Need)
def test_where_nothing_is_missing_everything_is_judged(need):
    assert reason_for(need, everything()) is None


@dataclass
class Missing:
    """A run that lacks a need, the ending of a check that has this need, and the words of the reason."""

    need: Need
    run: Run
    ends_as: type[Exception]
    says: str
    readiness: Readiness = ALL_WELL


MISSING = [
    Missing(
        Need.REGISTRATION,
        run_for(),
        readiness=Readiness("no client: x"),
        ends_as=Skipped,
        says="configure a client in the profile, as [[clients]]",
    ),
    Missing(
        Need.REGISTRATION,
        run_for(metadata=REGISTRATION),
        readiness=Readiness("no client: x"),
        ends_as=Blocked,
        says="preflight: no client: x",
    ),
    Missing(Need.DYNAMIC_REGISTRATION, run_for(), ends_as=NotApplicable, says="names no registration_endpoint"),
    Missing(
        Need.DYNAMIC_REGISTRATION,
        run_for(metadata=REGISTRATION),
        readiness=Readiness("x"),
        ends_as=Blocked,
        says="preflight: x",
    ),
    Missing(Need.LOGIN, run_for(driver=NoLogin()), ends_as=Skipped, says="give --login redirects"),
    Missing(Need.LOGIN, run_for(), readiness=Readiness(login="no way"), ends_as=Blocked, says="preflight: no way"),
    Missing(
        Need.LOGIN,
        run_for(metadata=REGISTRATION),
        readiness=Readiness("no client"),
        ends_as=Blocked,
        says="preflight: no client",
    ),
    Missing(Need.REFRESH, run_for(refresh_token=False), ends_as=NotApplicable, says="issues no refresh token"),
    Missing(
        Need.REFRESH,
        run_for(refresh_token=True),
        readiness=Readiness(refresh="no"),
        ends_as=Blocked,
        says="preflight: no",
    ),
    Missing(Need.REFRESH, run_for(driver=NoLogin()), ends_as=Skipped, says="--login redirects"),
    Missing(Need.SCOPES, run_for(profile=Profile(scopes=("a",))), ends_as=Skipped, says='as `scopes = ["a", "b"]`'),
    Missing(Need.RESOURCE, run_for(), ends_as=Skipped, says='as `resource = "URL"`'),
    Missing(
        Need.RESOURCE,
        run_for(profile=WITH_RESOURCE),
        readiness=Readiness(resource="shut"),
        ends_as=Blocked,
        says="preflight: shut",
    ),
    Missing(Need.JWT_ACCESS_TOKENS, run_for(access_token_is_jwt=False), ends_as=NotApplicable, says="opaque"),
    Missing(Need.REVOCATION, run_for(), ends_as=NotApplicable, says="names no revocation_endpoint"),
    Missing(
        Need.CONFIDENTIAL_CLIENT,
        run_for(metadata={"token_endpoint_auth_methods_supported": ["none", "private_key_jwt"]}),
        ends_as=NotApplicable,
        says="lists no client secret",
    ),
    Missing(Need.RELAY, run_for(), ends_as=NotApplicable, says="there is no upstream provider"),
    Missing(Need.RELAY, run_for(driver=NoLogin()), ends_as=Skipped, says="--login redirects"),
    Missing(Need.UPSTREAM_CONTROL, run_for(), ends_as=Skipped, says="as `upstream_control = URL`"),
    Missing(Need.BURST, run_for(), ends_as=Skipped, says="give --burst"),
    Missing(Need.SECOND_SOURCE, run_for(), ends_as=Skipped, says="a second source address"),
]


@pytest.mark.parametrize("missing", MISSING, ids=lambda missing: missing.says)
def test_the_reason_says_how_to_give_what_is_missing(missing):
    reason = reason_for(missing.need, missing.run, missing.readiness)

    assert type(reason) is missing.ends_as
    assert missing.says in str(reason)


@pytest.mark.parametrize(
    ("issuer", "profile", "allowed"),
    [
        ("http://127.0.0.1:8000", Profile(), True),
        ("http://localhost:8000", Profile(), True),
        ("http://[::1]:8000", Profile(), True),
        (FAR, OWN, True),
        (FAR, Profile(), False),
        ("http://127.evil.example", Profile(), False),
        ("http://127.0.0.1.nip.io", Profile(), False),
        ("http://localhost.evil.example", Profile(), False),
    ],
)
def test_bursts_beyond_this_machine_need_the_operators_word(issuer, profile, allowed):
    run = run_with(issuer=issuer, profile=profile, budget=Budget(burst=True))

    assert (reason_for(Need.BURST, run) is None) is allowed


def test_every_need_of_every_check_can_be_planned():
    run = everything()

    assert all(
        isinstance(cannot_judge(check, run, ALL_WELL), Skipped | NotApplicable | None)
        for check in all_checks().values()
    )


@pytest.mark.parametrize(("seconds", "allowed"), [(60.0, True), (60.5, False), (0.0, True)])
def test_a_check_that_waits_longer_than_allowed_says_what_to_give(seconds, allowed):
    check = replace(check_of(None, "TEST-01"), waits=lambda server: seconds)
    reason = cannot_judge(check, run_for(budget=Budget(max_wait=60)), ALL_WELL)

    assert (reason is None) is allowed
    assert allowed or "give --max-wait" in str(reason)


@pytest.mark.parametrize("separate", [True, False])
@pytest.mark.parametrize("name", ["RATE-02", "RATE-07", "RATE-09"])
def test_a_window_need_not_end_where_each_check_has_an_address_of_its_own(name, separate):
    limits = Limits(authorize="100/900", token="50/900")
    run = run_for(profile=Profile(limits=limits), metadata={**ENDPOINTS, **REGISTRATION}, budget=Budget(burst=True))
    run.server.separate_sources = separate
    reason = cannot_judge(all_checks()[name], run, ALL_WELL)

    assert reason is None if separate else "waits 900 s" in str(reason)


def test_a_lifetime_that_is_not_declared_says_how_to_declare_it():
    check = replace(check_of(None, "TEST-01"), waits=lambda server: server.code_ttl + 1)
    reason = cannot_judge(check, run_for(), ALL_WELL)

    assert isinstance(reason, Skipped)
    assert "as `[lifetimes] code = SECONDS`" in str(reason)


def ids(**wanted):
    return [check.id for check in Selection(**wanted).checks()]


def test_a_selection_by_id_asks_for_no_capitals():
    assert ids(only=("replay-01",)) == ["REPLAY-01"]


def test_a_selection_keeps_the_order_of_the_catalogue():
    assert ids(only=("REPLAY-04", "REPLAY-01")) == ["REPLAY-01", "REPLAY-04"]


def test_a_category_can_be_selected_but_for_some():
    selected = ids(only=("replay",), skip=("REPLAY-01",))

    assert "REPLAY-01" not in selected
    assert "REPLAY-04" in selected
    assert all(all_checks()[each].category == "replay" for each in selected)


def test_the_core_can_be_selected():
    assert ids(only=("core",)) == [check.id for check in all_checks().values() if check.requirement.core]


@pytest.mark.parametrize("wanted", [{"only": ("REPLAY-99",)}, {"skip": ("nonsense",)}, {"only": ("",)}])
def test_a_name_that_means_nothing_is_said(wanted):
    with pytest.raises(UnknownSelectionError, match="is not a check, a category or `core`"):
        ids(**wanted)


async def test_what_the_server_does_not_offer_comes_before_what_the_run_lacks():
    readiness, run = await flown(Server(registration=False))
    check = check_of(None, "REG-03", needs=frozenset({Need.CONFIDENTIAL_CLIENT, Need.DYNAMIC_REGISTRATION}))

    assert isinstance(cannot_judge(check, run, readiness), NotApplicable)


async def test_a_missing_secret_for_an_advertised_method_is_a_skip_that_says_how_to_give_one():
    _, run = await flown(Server(registration=False), profile=with_clients("none"))
    reason = cannot_judge(check_of(None, "X-01", needs=frozenset({Need.CONFIDENTIAL_CLIENT})), run, ALL_WELL)

    assert isinstance(reason, Skipped)
    assert "[[clients]]" in str(reason)
