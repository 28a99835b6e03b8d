"""The plan: which checks are selected, and which of them this run cannot judge, with the reason.

The plan needs no request.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.check import Check, Need
from oauth_litmus.checks import all_checks
from oauth_litmus.requirements import categories
from oauth_litmus.run.logins_by_hand import not_asked_for
from oauth_litmus.run.preflight import Readiness
from oauth_litmus.target.server import OFFLINE_ACCESS
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oauth_litmus.run_state.run import Run
    from oauth_litmus.target.server import Server


class UnknownSelectionError(Exception):
    """Raised for a name that is neither a check, nor a category, nor `core`."""


@dataclass(frozen=True)
class Selection:
    """The user's selection of checks: ids, categories, or `core`."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    def checks(self) -> list[Check]:
        """Return the selected checks in the order of the catalogue.

        Raises:
            UnknownSelectionError: a name is neither an id, nor a category, nor `core`.
        """
        checks = all_checks()
        wanted = named(checks, self.only) if self.only else set(checks)
        unwanted = named(checks, self.skip)
        return [check for identifier, check in checks.items() if identifier in wanted - unwanted]


def named(checks: dict[str, Check], names: Iterable[str]) -> set[str]:
    """Return the ids of the checks that these names select.

    Raises:
        UnknownSelectionError: a name is neither an id, nor a category, nor `core`.
    """
    by_id = {identifier.lower(): identifier for identifier in checks}
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for identifier, check in checks.items():
        groups[check.category].add(identifier)
        if check.requirement.core:
            groups["core"].add(identifier)
    found: set[str] = set()
    for name in names:
        if name in groups:
            found |= groups[name]
        elif name.lower() in by_id:
            found.add(by_id[name.lower()])
        else:
            raise UnknownSelectionError(
                f"{name!r} is not a check, a category or `core`; categories: {', '.join(categories())}; ids: see `oauth-litmus list`"
            )
    return found


def announcement_of_bursts(checks: Iterable[Check], run: Run) -> str | None:
    """Say which of these checks exceed the server's rate limits, and by how much at most; None if no such check runs."""
    bursts = [check.id for check in checks if Need.BURST in check.needs]
    if not bursts or _burst(run, Readiness()) is not None:
        return None
    return (
        f"--burst: {counted(len(bursts), 'check')} will exceed rate limits on purpose; each sends at most a few hundred "
        "requests to one limit: "
        f"{', '.join(bursts)}"
    )


def cannot_judge(check: Check, run: Run, readiness: Readiness) -> Skipped | NotApplicable | Blocked | None:
    """Return the reason why this run cannot judge a check; None if the check can run."""
    reasons = [reason for need in sorted(check.needs) if (reason := _UNMET[need](run, readiness)) is not None]
    if reasons:
        # N/A goes first: no option of the run helps when the server lacks the feature.
        return next((reason for reason in reasons if isinstance(reason, NotApplicable)), reasons[0])
    return _waits_too_long(check, run) or not_asked_for(check, run)


def _waits_too_long(check: Check, run: Run) -> Skipped | None:
    if check.waits is None:
        return None
    try:
        seconds = check.waits(run.server)
    except Skipped as reason:
        return reason
    if seconds > run.budget.max_wait:
        return Skipped(
            f"waits {seconds:.0f} s, more than --max-wait {run.budget.max_wait:g}: give --max-wait {seconds + 1:.0f}"
        )
    return None


Unmet = Skipped | NotApplicable | Blocked | None


def _registration(run: Run, readiness: Readiness) -> Unmet:
    if readiness.registration:
        if run.server.endpoint("registration") is None:
            return Skipped("the server has no registration_endpoint: configure a client in the profile, as [[clients]]")
        return Blocked(f"preflight: {readiness.registration}")
    return None


def _dynamic_registration(run: Run, readiness: Readiness) -> Unmet:
    if run.server.endpoint("registration") is None:
        return NotApplicable("the metadata names no registration_endpoint")
    return _registration(run, readiness)


def _walked(run: Run) -> Unmet:
    if run.driver.walks:
        return None
    return Skipped(
        f"needs a driver that performs logins itself, which {run.driver.name!r} does not: give --login redirects"
    )


def _browser_leg(run: Run, readiness: Readiness) -> Unmet:
    return _walked(run)


def _login(run: Run, readiness: Readiness) -> Unmet:
    if not run.by_hand:
        unmet = _walked(run)
        if unmet is not None:
            return unmet
    unmet = _registration(run, readiness)
    if unmet is not None:
        return unmet
    return Blocked(f"preflight: {readiness.login}") if readiness.login else None


def _access_token(run: Run, readiness: Readiness) -> Unmet:
    if run.handed_in is not None:
        return None
    unmet = _login(run, readiness)
    if isinstance(unmet, Skipped):
        return Skipped(f"{unmet}, or provide an access token: --access-token-file FILE")
    return unmet


def _refresh(run: Run, readiness: Readiness) -> Unmet:
    unmet = _login(run, readiness)
    if unmet is not None:
        return unmet
    if run.server.seen.refresh_token is False:
        if OFFLINE_ACCESS in (run.server.listed("scopes_supported") or ()) and OFFLINE_ACCESS not in run.server.scopes:
            return Skipped(
                f'the server lists {OFFLINE_ACCESS}: declare `scopes = ["{OFFLINE_ACCESS}", …]` in the profile'
            )
        return NotApplicable("the server issues no refresh token")
    return Blocked(f"preflight: {readiness.refresh}") if readiness.refresh else None


def _scopes(run: Run, readiness: Readiness) -> Unmet:
    if len(run.server.scopes) < 2:
        return Skipped(
            'fewer than two scopes are known: declare two that a user may grant, as `scopes = ["a", "b"]` in the profile'
        )
    return None


def _resource(run: Run, readiness: Readiness) -> Unmet:
    if run.server.resource is None:
        return Skipped('no protected resource is known: declare it in the profile, as `resource = "URL"`')
    return Blocked(f"preflight: {readiness.resource}") if readiness.resource else None


def _jwt_access_tokens(run: Run, readiness: Readiness) -> Unmet:
    return NotApplicable("access tokens are opaque") if run.server.seen.access_token_is_jwt is False else None


def _endpoint(name: str) -> Callable[[Run, Readiness], Unmet]:
    def unmet(run: Run, readiness: Readiness) -> Unmet:
        return NotApplicable(f"the metadata names no {name}_endpoint") if run.server.endpoint(name) is None else None

    return unmet


def _confidential(run: Run, readiness: Readiness) -> Unmet:
    if not run.server.confidential_methods:
        if {"client_secret_post", "client_secret_basic"} & set(run.server.token_auth_methods):
            return Skipped("needs a client with a secret: configure one in the profile, as [[clients]]")
        return NotApplicable("token_endpoint_auth_methods_supported lists no client secret")
    return None


def _relay(run: Run, readiness: Readiness) -> Unmet:
    unmet = _walked(run) or _login(run, readiness)
    if unmet is not None:
        return unmet
    if run.server.seen.upstream_url is None:
        return NotApplicable("the server logs users in by itself: there is no upstream provider")
    return None


def _upstream_control(run: Run, readiness: Readiness) -> Unmet:
    if run.upstream is None:
        return Skipped(
            "needs an upstream that the suite can control: name it in the profile, as `upstream_control = URL` (docs/upstream-control.md)"
        )
    return None


def _burst(run: Run, readiness: Readiness) -> Unmet:
    server: Server = run.server
    if not run.budget.burst:
        return Skipped("sends more than the server's limits allow: give --burst")
    if not server.is_loopback and not server.profile.own_server:
        return Skipped("bursts against a remote server need your consent: declare `own_server = true` in the profile")
    return None


def _second_source(run: Run, readiness: Readiness) -> Unmet:
    separate = run.server.separate_sources
    return None if separate else Skipped("needs a second source address: only loopback targets allow it")


def _replicas(run: Run, readiness: Readiness) -> Unmet:
    if len(set(run.server.profile.replicas)) < 2:
        return Skipped(
            "needs two replicas that can be reached individually: give --replica URL for each, "
            'or `replicas = ["http://10.0.0.7:8080", …]` in the profile'
        )
    others = run.server.endpoints_elsewhere
    if others:
        return Skipped(f"replicas answer for the issuer's origin, but the {others[0]}_endpoint is at another origin")
    return None


def _operations(run: Run, readiness: Readiness) -> Unmet:
    if run.server.profile.operations:
        return None
    return Skipped(
        "no operation is known that needs one particular scope: declare a harmless one in the profile, under `[operations]`, "
        'as `"SCOPE" = "METHOD /path"`'
    )


def _listener(run: Run, readiness: Readiness) -> Unmet:
    if run.listener is not None:
        return None
    return Skipped(
        "needs a listener that the server can reach: declare it in the profile, "
        'as `[listener] url = "https://PUBLIC", bind = "0.0.0.0:8443"`'
    )


_UNMET: dict[Need, Callable[[Run, Readiness], Unmet]] = {
    Need.REGISTRATION: _registration,
    Need.DYNAMIC_REGISTRATION: _dynamic_registration,
    Need.LOGIN: _login,
    Need.ACCESS_TOKEN: _access_token,
    Need.REFRESH: _refresh,
    Need.SCOPES: _scopes,
    Need.RESOURCE: _resource,
    Need.JWT_ACCESS_TOKENS: _jwt_access_tokens,
    Need.REVOCATION: _endpoint("revocation"),
    Need.INTROSPECTION: _endpoint("introspection"),
    Need.CONFIDENTIAL_CLIENT: _confidential,
    Need.RELAY: _relay,
    Need.BROWSER_LEG: _browser_leg,
    Need.UPSTREAM_CONTROL: _upstream_control,
    Need.BURST: _burst,
    Need.SECOND_SOURCE: _second_source,
    Need.LISTENER: _listener,
    Need.OPERATIONS: _operations,
    Need.REPLICAS: _replicas,
}
