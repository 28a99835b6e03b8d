"""The login that is relayed to an upstream provider (RFC 9700 section 4.7; MCP security best practices)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from oauth_litmus import expect
from oauth_litmus.authorization import Attempt
from oauth_litmus.check import DYNAMIC_REGISTRATION, LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.login.consent import consent_page
from oauth_litmus.login.pages import Submission
from oauth_litmus.verdict import Blocked, NotApplicable

LOGINS_COMPARED = 5
STRANGER = "https://evil.example"
STEERING = ("redirect_to", "provider", "flow_type", "upstream_url", "next", "return_to")
REFUSALS = ("access_denied", "server_error", "temporarily_unavailable", "invalid_request")


@check("LOGIN-01", needs={LOGIN, RELAY})
async def callback_needs_the_state_cookie(target: Target) -> None:
    """Deliver a valid callback in a browser without cookies, then in the browser that began the login."""
    held = await target.hold_callback(target.request(await target.client()))

    elsewhere = await target.deliver_callback(held, browser=target.browser())

    _no_code(elsewhere, "the browser has no state cookie")
    at_home = await target.deliver_callback(held)
    expect.ideally(
        at_home.code is not None,
        expected="the login goes on in its own browser",
        got="it is used up",
        at=at_home.answers,
    )


@check("LOGIN-02", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2)
async def foreign_cookie_completes_no_login(target: Target) -> None:
    """Swap the callbacks of two browsers, then send a callback with a made-up cookie value."""
    victim = await target.hold_callback(target.request(await target.client("a")), user=target.user("victim"))
    attacker = await target.hold_callback(target.request(await target.client("b")), user=target.user("attacker"))

    _no_code(
        await target.deliver_callback(victim, url=attacker.callback_url),
        "the callback belongs to another browser's login",
    )
    _no_code(
        await target.deliver_callback(attacker, url=victim.callback_url),
        "the callback belongs to another browser's login",
    )

    third = await target.hold_callback(target.request(await target.client("a")))
    for cookie in third.browser.jar():
        third.browser.tamper(cookie.name, "A" * len(cookie.value))
    _no_code(await target.deliver_callback(third), "the value of the state cookie is made up")


@check("LOGIN-03", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=4)
async def upstream_state_is_compared(target: Target) -> None:
    """Call back without the value that binds the login, with one character altered, and with that of another login."""
    client = await target.client()
    browser = target.browser()
    other = await target.hold_callback(target.request(client), browser=browser)
    binding = _binding_parameters(other)
    if not binding:
        raise NotApplicable("nothing that binds the login travels through the upstream")

    changes: dict[str, Callable[[str, str], str | None]] = {
        "is missing": lambda name, value: None,
        "is altered in its middle": lambda name, value: _altered(value),
        "belongs to another login": lambda name, value: binding.get(name),
    }
    for what, change in changes.items():
        held = await target.hold_callback(target.request(client), browser=browser)
        url = held.callback_url or ""
        for name, value in _binding_parameters(held).items():
            url = _with_parameter(url, name, change(name, value))
        _no_code(await target.deliver_callback(held, url=url), f"the state {what}")


@check("LOGIN-05", needs={LOGIN, RELAY})
async def callback_is_good_once(target: Target) -> None:
    """Finish a login, then deliver its callback again with the old cookie, with a fresh upstream code where there is one."""
    held = await target.hold_callback(target.request(await target.client()))
    before = held.browser.copy()
    first = target.code_of(await target.deliver_callback(held))

    urls = [held.callback_url]
    if target.run.upstream is not None:
        urls.append(await target.call_back(held))
    for url in urls:
        again = await target.deliver_callback(held, url=url, browser=before.copy())
        if again.code == first.value:
            expect.ideally(False, expected="no code", got="the same code once more", at=again.answers)
            continue
        _no_code(again, "this login is finished")
    if held.start_url is not None:
        start = await target.get(held.start_url)
        goes_on = (
            start.location is not None and urlsplit(start.location).netloc == urlsplit(held.upstream_url or "").netloc
        )
        expect.ideally(not goes_on, expected="the start URL is dead", got="it still leads to the upstream", at=start)


@check("LOGIN-07", needs={LOGIN, RELAY}, logins=LOGINS_COMPARED)
async def upstream_pkce_is_fresh_and_s256(target: Target) -> None:
    """Read code_challenge and method from the upstream redirects of five logins."""
    client = await target.client()
    held = [await target.hold_upstream(target.request(client)) for _ in range(LOGINS_COMPARED)]
    pairs = [dict(parse_qsl(urlsplit(attempt.upstream_url or "").query)) for attempt in held]
    challenges = [pair.get("code_challenge", "") for pair in pairs]
    answers = [attempt.last for attempt in held]

    if not all(challenges):
        known = target.run.upstream is not None
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
        expected="a pair of the server's own",
        got="the client's challenge, passed on",
        at=answers,
    )


@check("LOGIN-08", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2)
async def upstream_code_of_another_login_is_refused(target: Target) -> None:
    """Put the unused upstream code of one browser's login into the callback of another's."""
    client = await target.client()
    first = await target.hold_callback(target.request(client), user=target.user("attacker"))
    second = await target.hold_callback(target.request(client), user=target.user("victim"))
    stolen = dict(parse_qsl(urlsplit(first.callback_url or "").query))["code"]

    injected = await target.deliver_callback(second, url=_with_parameter(second.callback_url or "", "code", stolen))

    _no_code(injected, "the upstream code belongs to another login")


@check("LOGIN-09", needs={LOGIN, RELAY}, logins=3)
async def client_input_does_not_steer_upstream(target: Target) -> None:
    """Add parameters and headers that name another host, and compare the upstream redirect with a clean one."""
    client = await target.client()
    clean = await target.hold_upstream(target.request(client))
    request = target.request(client).adding(*((name, f"{STRANGER}/{name}") for name in STEERING))

    steered = await target.attempt_upstream(request.but(state=f"x&redirect_to={STRANGER}/state"))
    _same_upstream(clean, steered)
    if target.server.profile.topology != "trusted":
        headers = {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example", "x-forwarded-proto": "http"}
        _same_upstream(clean, await target.attempt_upstream(target.request(client), headers=headers))


@check("LOGIN-10", needs={LOGIN, RELAY, UPSTREAM_CONTROL})
async def upstream_denial_reaches_the_client(target: Target) -> None:
    """Let the user refuse at the upstream."""
    request = target.request(await target.client())
    held = await target.hold_callback(request, outcome="denied")

    attempt = await target.deliver_callback(held)

    last = expect.conclusive(attempt.last)
    expect.safe(attempt.code is None, expected="an error", got="a code", at=attempt.answers)
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


@check("LOGIN-11", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=7)
async def upstream_faults_fail_closed(target: Target) -> None:
    """Let the upstream's token endpoint fail in six ways, one login each, and log in once more afterwards."""
    client = await target.client()
    faults: dict[str, dict[str, object]] = {
        "a 500": {"kind": "status", "status": 500},
        "a broken body": {"kind": "malformed_body"},
        "no access_token": {"kind": "missing_field", "field": "access_token"},
        "a cut connection": {"kind": "drop_connection"},
        "a token of another issuer": {"kind": "jwt", "jwt": {"claims": {"iss": f"{STRANGER}/auth"}}},
        "a token signed by a stranger": {"kind": "jwt", "jwt": {"key": "stranger"}},
    }

    for number, (what, fault) in enumerate(faults.items()):
        user = target.user(str(number))
        held = await target.hold_callback(target.request(client), user=user)
        await target.upstream.fault(route="token", grant_type="pkce", user=user, **fault)  # type: ignore[arg-type]
        attempt = await target.deliver_callback(held)
        expect.that(
            attempt.code is None,
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

    afterwards = await target.hold_callback(target.request(client), user=target.user("afterwards"))
    attempt = await target.deliver_callback(afterwards)
    expect.that(attempt.code is not None, expected="a fresh login works afterwards", got="no code", at=attempt.answers)


@check("LOGIN-12", needs={LOGIN, RELAY, DYNAMIC_REGISTRATION})
async def self_registered_client_needs_consent(target: Target) -> None:
    """Register a client, begin a login in an empty browser, and look for a page that names the client."""
    client = await target.new_client("https://deputy.example.com/cb")
    held = await target.hold_upstream(target.request(client))

    page = consent_page(held, client)
    if page is not None:
        expect.that(
            held.submitted,
            expected="a page that asks for an approval",
            got="a page that nobody must answer",
            at=held.answers,
        )
        both = page.names_client and page.names_redirect_host
        expect.ideally(both, expected="a page that names client and redirect host", got=page.shown, at=held.answers)
        return
    if target.run.upstream is None:
        expect.ideally(False, expected="a consent page", got="none before the upstream (suspected)", at=held.answers)
        return
    await target.call_back(held)
    attempt = await target.deliver_callback(held)
    late = consent_page(attempt, client) is not None
    expect.that(
        attempt.code is None or late,
        expected="a page of the server that names the client and asks",
        got="a code without one",
        at=attempt.answers,
    )
    expect.ideally(False, expected="consent before the upstream login", got="none before it", at=held.answers)


@check("LOGIN-19", needs={LOGIN, RELAY, UPSTREAM_CONTROL, DYNAMIC_REGISTRATION}, logins=4)
async def approval_is_bound_to_the_browser(target: Target) -> None:
    """Submit the approval of a consent page from an empty browser, from one with a login of its own, and without its hidden fields."""
    client = await target.client()
    control = await target.hold_form(target.request(client))
    approved = await target.submit(control, _answer(control), browser=control.browser)
    if approved.upstream_url is None:
        raise Blocked("set-up: an ordinary approval does not lead to the upstream", (approved.last.number,))

    for what in ("an empty browser", "a browser with a login of its own", "the same browser without the hidden fields"):
        shown = await target.hold_form(target.request(client))
        browser, submission = shown.browser, _answer(shown)
        if what == "an empty browser":
            browser = target.browser()
        elif what == "a browser with a login of its own":
            browser = (await target.hold_upstream(target.request(client))).browser
        else:
            submission = _without_hidden_fields(shown, submission)
        attempt = await target.submit(shown, submission, browser=browser)
        if attempt.upstream_url is not None:
            await target.call_back(attempt)
            attempt = await target.deliver_callback(attempt, browser=browser)
        expect.that(
            attempt.code is None, expected=f"no code for an approval from {what}", got="a code", at=attempt.answers
        )


@check("LOGIN-20", needs={LOGIN, RELAY, DYNAMIC_REGISTRATION}, logins=2)
async def remembered_consent_covers_one_client(target: Target) -> None:
    """Approve one client and finish the login, then begin a login for a new client in the same browser."""
    approved = await target.login(await target.client())
    stranger = await target.new_client("https://stranger.example.com/cb")

    held = await target.hold_upstream(target.request(stranger), browser=approved.attempt.browser)

    asked = consent_page(held, stranger) is not None and held.submitted
    if asked:
        expect.that(True, expected="the consent page for the other client", got="it")
        return
    if target.run.upstream is None:
        expect.ideally(False, expected="a consent page for the other client", got="none (suspected)", at=held.answers)
        return
    await target.call_back(held)
    attempt = await target.deliver_callback(held)
    expect.that(
        attempt.code is None,
        expected="a consent page for the other client",
        got="a code without one",
        at=attempt.answers,
    )


def _no_code(attempt: Attempt, because: str) -> None:
    expect.that(attempt.code is None, expected=f"no code, since {because}", got="a code", at=attempt.answers)
    expect.conclusive(attempt.last) if attempt.last.status in (429, 504) else None
    server_error = attempt.response is None and attempt.last.status == 500
    expect.ideally(not server_error, expected="a clean refusal", got=expect.describe(attempt.last), at=attempt.last)


def _answer(shown: Attempt) -> Submission:
    if shown.submission is None:
        raise Blocked("set-up: the page has no form to send", (shown.last.number,))
    return shown.submission


def _without_hidden_fields(shown: Attempt, submission: Submission) -> Submission:
    hidden = {field.name for form in shown.pages[-1].forms for field in form.fields if field.type == "hidden"}
    return Submission(submission.url, submission.method, [pair for pair in submission.body if pair[0] not in hidden])


def _altered(value: str) -> str:
    middle = len(value) // 2
    return value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]


def _binding_parameters(held: Attempt) -> dict[str, str]:
    """Parameters of the callback, beside the upstream's own, that differ from login to login: long values."""
    own = dict(parse_qsl(urlsplit(held.callback_url or "").query))
    return {
        name: value for name, value in own.items() if name not in ("code", "iss", "scope", "error") and len(value) >= 16
    }


def _with_parameter(url: str, name: str, value: str | None) -> str:
    parts = urlsplit(url)
    pairs = [(key, old if key != name else value) for key, old in parse_qsl(parts.query, keep_blank_values=True)]
    return urlunsplit(parts._replace(query=urlencode([(key, new) for key, new in pairs if new is not None])))


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
        expect.that(same, expected=f"the configured {name} upstream", got="another one", at=steered.answers)
    expect.that(
        parts[:3] == known[:3],
        expected="the configured upstream",
        got=f"{parts.scheme}://{parts.netloc}",
        at=steered.answers,
    )
    expect.ideally(
        "evil.example" not in url,
        expected="unknown parameters are not passed on",
        got="evil.example in the upstream URL",
        at=steered.answers,
    )
