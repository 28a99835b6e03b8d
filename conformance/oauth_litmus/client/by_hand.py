"""Has a person finish a login that the suite cannot walk through, and makes the answer part of an attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from oauth_litmus.http.answer import Answer, AuthorizationResponse
from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.manual import ManualDriver
from oauth_litmus.login.walk import Stop
from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from oauth_litmus.oauth.attempt import Attempt
    from oauth_litmus.run_state.run import Run


async def go_on_by_hand(run: Run, check: str, attempt: Attempt, stop: Stop) -> None:
    """Ask a person to finish a login that the suite cannot perform itself, if this check was chosen for one.

    Raises:
        Skipped: no login is left, the client is not redirected to this machine, or the check must stop the login half-way.
        Blocked: the person did not come back in time.
    """
    last = attempt.last
    goes_on = attempt.response is None and (attempt.unfinished or (last.status < 400 and last.is_html))
    if not goes_on or stop is Stop.UPSTREAM:
        return
    if stop is not Stop.END:
        raise Skipped("needs a login that the suite itself performs: give --login redirects")
    if isinstance(run.driver, ManualDriver) and check in run.by_hand:
        await _finish(run, run.driver, check, attempt)


async def _finish(run: Run, driver: ManualDriver, check: str, attempt: Attempt) -> None:
    redirect_uri = attempt.request.get("redirect_uri") or attempt.request.client.redirect_uri
    url = attempt.answers[0].url
    await run.pacer.charge(Kind.LOGIN, None)
    number, sent_at = run.transcript.next_number(), run.clock.now()
    location = await run.clock.for_result_of(driver.finish(url, redirect_uri))
    response = httpx.Response(302, headers={"location": location})
    run.transcript.record(number, check, httpx.Request("GET", url), b"", response, b"")
    answer = Answer(number, "GET", url, response.status_code, response.headers, b"", sent_at, run.clock.now())
    attempt.answers.append(answer)
    attempt.response = AuthorizationResponse.at(location, answer)
    attempt.unfinished, attempt.submitted = False, True
