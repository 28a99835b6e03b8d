"""Logins while the upstream provider fails."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target

STRANGER = "https://evil.example"
FAULTS: dict[str, dict[str, object]] = {
    "a 500": {"kind": "status", "status": 500},
    "a token signed by a stranger": {"kind": "jwt", "jwt": {"key": "stranger"}},
    "a token of another issuer": {"kind": "jwt", "jwt": {"claims": {"iss": f"{STRANGER}/auth"}}},
    "a broken body": {"kind": "malformed_body"},
    "no access_token": {"kind": "missing_field", "field": "access_token"},
    "a cut connection": {"kind": "drop_connection"},
}
"""Faults of the upstream's token endpoint, the most telling ones first."""


@check("LOGIN-11", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=7)
async def upstream_faults_fail_closed(target: Target) -> None:
    """Make the upstream's token endpoint fail in six ways, one login each. Log in once more afterwards."""
    client = await target.clients.shared()

    for number, (what, fault) in enumerate(target.limit_probes(FAULTS.items(), most=2)):
        user = target.user(str(number))
        held = await target.callbacks.hold(target.authorization.request(client), user=user)
        await target.upstream.fault(route="token", grant_type="pkce", user=user, **fault)  # type: ignore[arg-type]
        attempt = await target.callbacks.deliver(held)
        expect.that(
            attempt.code is None,
            obtained=True,
            expected=f"no code, since the upstream answered with {what}",
            got="a code",
            at=attempt.answers,
        )
        expect.that(
            "Traceback" not in attempt.last.text,
            expected="no internals on the page",
            got="a stack trace",
            at=attempt.last,
        )

    afterwards = await target.callbacks.hold(target.authorization.request(client), user=target.user("afterwards"))
    attempt = await target.callbacks.deliver(afterwards)
    expect.that(
        attempt.code is not None, expected="a code for a new login afterwards", got="no code", at=attempt.answers
    )
    await target.grants.add_login_to_pool(attempt)
