"""The relay as a client of its upstream provider: its redirects there, and the callbacks (RFC 9700 section 2.1.1)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.client.logins import HELD_LOGINS
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.probes.callback_url import parameter, with_parameter
from oauth_litmus.probes.login_refusals import no_code
from oauth_litmus.verdict import Blocked

STRANGER = "https://evil.example"
STEERING = ("redirect_to", "provider", "flow_type", "upstream_url", "next", "return_to")
REFUSALS = ("access_denied", "server_error", "temporarily_unavailable", "invalid_request")


@check("LOGIN-07", needs={LOGIN, RELAY}, logins=HELD_LOGINS)
async def upstream_pkce_is_fresh_and_s256(target: Target) -> None:
    """Read code_challenge and method from the upstream redirects of several logins."""
    held = await target.logins.several_held()
    pairs = [dict(parse_qsl(urlsplit(attempt.upstream_url or "").query)) for attempt in held]
    challenges = [pair.get("code_challenge", "") for pair in pairs]
    answers = [attempt.sent_upstream for attempt in held]

    if not all(challenges):
        known = target.controls_upstream
        (expect.that if known else expect.ideally)(False, expected="a code_challenge upstream", got="none", at=answers)
        return
    methods = {pair.get("code_challenge_method", "") for pair in pairs}
    expect.that(
        "plain" not in {method.lower() for method in methods}, expected="S256 upstream", got="plain", at=answers
    )
    expect.ideally("" not in methods, expected="code_challenge_method", got="none", at=answers)
    expect.that(
        len(set(challenges)) == len(held),
        expected="a fresh challenge per login",
        got="one challenge for several logins",
        at=answers,
    )
    own = {attempt.request.get("code_challenge") for attempt in held}
    expect.ideally(
        not own & set(challenges),
        expected="a PKCE pair of the server's own",
        got="the client's challenge, passed on",
        at=answers,
    )


@check("LOGIN-08", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2, holds_grants=True)
async def upstream_code_of_another_login_is_refused(target: Target) -> None:
    """Put the unused upstream code of one browser's login into the callback of another browser's login."""
    client = await target.clients.shared()
    first = await target.callbacks.hold(target.authorization.request(client), user=target.user("attacker"))
    second = await target.callbacks.hold(target.authorization.request(client), user=target.user("victim"))
    stolen = dict(parse_qsl(urlsplit(first.callback_url or "").query))["code"]

    injected = await target.callbacks.deliver(second, url=with_parameter(second.callback_url or "", "code", stolen))

    no_code(injected, "the upstream code belongs to another login")


@check("LOGIN-06", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2)
async def used_upstream_code_is_refused(target: Target) -> None:
    """Finish a login, start another one, and put the used upstream code into its callback."""
    client, user = await target.clients.shared(), target.user("replayed")
    first = await target.callbacks.hold(target.authorization.request(client), user=user)
    used = parameter(first.callback_url, "code") or ""
    target.authorization.code_of(await target.callbacks.deliver(first))
    second = await target.callbacks.hold(target.authorization.request(client), user=target.user("other"))

    replayed = await target.callbacks.deliver(second, url=with_parameter(second.callback_url or "", "code", used))

    if replayed.code is not None and await _exchanges(target, user) > 1:
        raise Blocked("the upstream itself accepts a used code", (replayed.last.number,))
    no_code(replayed, "the upstream code was used before")


@check("LOGIN-09", needs={LOGIN, RELAY}, logins=3)
async def client_input_does_not_steer_upstream(target: Target) -> None:
    """Add parameters and headers that name another host, and compare the upstream redirect with a clean one."""
    client = await target.clients.shared()
    clean = await target.logins.held()
    request = target.authorization.request(client).adding(*((name, f"{STRANGER}/{name}") for name in STEERING))

    steered = await target.authorization.attempt_upstream(request.but(state=f"x&redirect_to={STRANGER}/state"))
    _same_upstream(clean, steered)
    if target.server.profile.topology != "trusted":
        headers = {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example", "x-forwarded-proto": "http"}
        _same_upstream(
            clean, await target.authorization.attempt_upstream(target.authorization.request(client), headers=headers)
        )


@check("LOGIN-10", needs={LOGIN, RELAY, UPSTREAM_CONTROL})
async def upstream_denial_reaches_the_client(target: Target) -> None:
    """Let the user refuse the login at the upstream, and deliver the callback."""
    request = target.authorization.request(await target.clients.shared())
    held = await target.callbacks.hold(request, outcome="denied")

    attempt = await target.callbacks.deliver(held)

    last = expect.conclusive(attempt.last)
    expect.safe(attempt.code is None, obtained=True, expected="an error", got="a code", at=attempt.answers)
    expect.safe(last.status < 500, expected="an error redirect or an error page", got=expect.describe(last), at=last)
    if attempt.response is None:
        expect.that(
            False, expected="a redirect to the client with error=access_denied", got=expect.describe(last), at=last
        )
        return
    right_state = attempt.response.get("state") == request.get("state")
    expect.safe(
        right_state, expected="the exact state of the request", got="a missing or altered state", at=attempt.answers
    )
    error = attempt.response.error
    expect.ideally(
        error in REFUSALS, expected=f"error={' or '.join(REFUSALS)}", got=f"error={error}", at=attempt.answers
    )


async def _exchanges(target: Target, user: str) -> int:
    """Count the codes of this user that the upstream has exchanged."""
    calls = await target.upstream.requests(route="token", grant_type="pkce", user=user)
    return sum(1 for call in calls if call.get("status") == 200)


def _same_upstream(clean: Attempt, steered: Attempt) -> None:
    if steered.upstream_url is None:
        expect.that(
            steered.left_for is None, expected="no redirect elsewhere", got="a redirect elsewhere", at=steered.answers
        )
        return
    url = steered.upstream_url
    known, parts = urlsplit(clean.upstream_url or ""), urlsplit(url)
    query, usual = dict(parse_qsl(parts.query)), dict(parse_qsl(known.query))
    for name in ("redirect_to", "redirect_uri", "provider"):
        same = query.get(name, "").partition("?")[0] == usual.get(name, "").partition("?")[0]
        expect.that(same, expected=f"the configured {name} in the upstream URL", got="another one", at=steered.answers)
    expect.that(
        parts[:3] == known[:3],
        expected="the configured upstream",
        got=f"{parts.scheme}://{parts.netloc}",
        at=steered.answers,
    )
    expect.ideally(
        "evil.example" not in url,
        expected="no unknown parameters in the upstream URL",
        got="evil.example in the upstream URL",
        at=steered.answers,
    )
