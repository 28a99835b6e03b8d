"""The expectations of the checks. Only this module records findings.

Each expectation has two steps. It first judges the security outcome: did the request obtain tokens, a code or a redirect?
It then judges protocol details (error code, status, headers). A wrong detail alone is a WARN; the one exception is an
error code that steers clients (see `refused_grant`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.verdict import Blocked, Finding, Judgement, Severity, Violation

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.attempt import Attempt

judgement: ContextVar[Judgement] = ContextVar("judgement")
"""The findings of the running check; the engine sets this variable."""


def that(
    held: bool, *, expected: str, got: str, at: Answer | Iterable[Answer] | None = None, obtained: bool = False
) -> None:
    """Judge the requirement itself; end the check if it does not hold.

    `obtained` says that the check got something that the server must not give: tokens, a code, access, or foreign data.
    Such a finding counts even if it does not come again when the check runs alone.
    """
    _judge(held, Severity.VIOLATION, expected, got, at, obtained=obtained)


def safe(
    held: bool, *, expected: str, got: str, at: Answer | Iterable[Answer] | None = None, obtained: bool = False
) -> None:
    """Fail at every level: the output is unsafe or malformed, or the target breaks a value that it declared."""
    _judge(held, Severity.UNSAFE, expected, got, at, obtained=obtained)


def ideally(
    held: bool, *, expected: str, got: str, at: Answer | Iterable[Answer] | None = None, told_by: str = ""
) -> None:
    """Judge a protocol detail or a recommended practice: record a WARN, and let the check go on.

    `told_by` names the check that reports a trait of the server for all checks that meet it.
    """
    _judge(held, Severity.IMPRECISION, expected, got, at, told_by)


def measured(answer: Answer, sentence: str) -> None:
    """Add a measurement of this exchange to the reason of a PASS, and to every finding about the exchange."""
    judgement.get().measured[answer.number] = sentence


def conclusive(answer: Answer) -> Answer:
    """Return the answer, or stop the check as BLOCKED if the answer is a 429, 502, 503 or 504 (rule 3 of judging)."""
    if answer.is_inconclusive:
        raise Blocked(
            f"{answer.method} {urlsplit(answer.url).path} was answered {answer.status}: this says nothing about the requirement",
            (answer.number,),
        )
    return answer


def is_token_response(answer: Answer) -> bool:
    """Whether the answer contains tokens."""
    return answer.has_tokens


def tokens(answer: Answer, *, expected: str = "200 with tokens") -> None:
    """Require tokens, because the request is valid (OAuth 2.1 section 3.2.3)."""
    conclusive(answer)
    if answer.truncated:
        raise Blocked(
            f"a token request was answered {answer.in_words}: the suite does not read a body of that size",
            (answer.number,),
        )
    that(answer.has_tokens, expected=expected, got=describe(answer), at=answer)


def refused_grant(
    answer: Answer, *codes: str, because: str, steering: bool = False, statuses: tuple[int, ...] = (400, 401)
) -> None:
    """Require a refusal without tokens, and then the right error code.

    Args:
        answer: the answer of the token endpoint.
        codes: the allowed OAuth error codes; `invalid_grant` if none is given.
        because: the defect of the request, for the reader of a failure.
        steering: whether clients act on the code (an expired, used or foreign grant). A wrong code is then a FAIL, not a WARN.
        statuses: the allowed statuses.
    """
    conclusive(answer)
    right = codes or ("invalid_grant",)
    wanted = f"{'/'.join(str(status) for status in statuses)} with error={' or '.join(right)}, since {because}"
    that(not answer.has_tokens, expected=wanted, got=f"tokens ({answer.status})", at=answer, obtained=True)
    if answer.status >= 500:
        raise Blocked(
            f"the request was answered {answer.status}, a server error instead of a refusal", (answer.number,)
        )
    precise = answer.error in right and answer.status in statuses
    _judge(
        precise,
        Severity.UNSAFE if steering and answer.error not in right else Severity.IMPRECISION,
        wanted,
        describe(answer),
        answer,
    )


def let_in(answer: Answer, opened: Answer) -> bool:
    """Whether the protected resource accepted the token: it answers with a success, or as it answered a valid token (`opened`).

    A resource may answer even a valid token with 400, 405 or 406, because the suite's plain call means nothing to it.
    """
    if answer.status == 400:
        return opened.status == 400 and answer.body == opened.body
    return answer.status < 300 or (answer.status == opened.status and answer.status not in (401, 403))


def refused_token(answer: Answer, opened: Answer, *, because: str) -> None:
    """Require the protected resource to refuse this token; BEARER-02 and BEARER-03 judge the kind of refusal."""
    conclusive(answer)
    that(
        not let_in(answer, opened),
        expected=f"401, since {because}",
        got=f"{answer.status}: the token is accepted",
        at=answer,
        obtained=True,
    )
    if answer.status >= 500:
        raise Blocked(
            f"the request was answered {answer.status}, a server error instead of a refusal", (answer.number,)
        )


def no_server_error(answer: Answer) -> Answer:
    """Require that the server refuses, not crashes. Pass an answer from `Session.settled`, which retries a 5xx."""
    conclusive(answer)
    that(answer.status < 500, expected="a refusal, not a server error", got=describe(answer), at=answer)
    return answer


def at_most_one(answers: Sequence[Answer], succeeded: Callable[[Answer], bool], *, of: str = "tokens") -> None:
    """Require that at most one of several simultaneous requests succeeds. Several successes with equal bodies are a WARN."""
    if all(answer.is_inconclusive for answer in answers):
        raise Blocked(
            f"all of {len(answers)} simultaneous requests were answered {answers[0].status}", (answers[0].number,)
        )
    winners = [answer for answer in answers if succeeded(answer)]
    bodies = {answer.member("access_token") or answer.text for answer in winners}
    that(
        len(bodies) <= 1,
        expected=f"at most one of {len(answers)} simultaneous requests gets {of}",
        got=f"{len(winners)} successes with {len(bodies)} different bodies",
        at=winners,
        obtained=True,
    )
    ideally(bool(winners), expected="exactly one success", got="no success at all", at=answers[:1])
    ideally(
        len(winners) <= 1,
        expected="exactly one success",
        got=f"{len(winners)} successes with the same body",
        at=winners,
    )


def no_code(attempt: Attempt, *, because: str, codes: tuple[str, ...] = ("invalid_request",)) -> None:
    """Require that the authorization request leads to no code. An error redirect, an error page and a late refusal all count.

    If the server starts a login and this run cannot finish it, a WARN says that the defect is suspected.
    """
    wanted = f"no authorization code, since {because}"
    that(
        attempt.code is None,
        expected=wanted,
        got="an authorization code" + (" after the login" if attempt.went_on else ""),
        at=attempt.answers,
        obtained=True,
    )
    if attempt.inconclusive is not None:
        conclusive(attempt.inconclusive)
    if attempt.unfinished:
        ideally(
            False,
            expected=wanted,
            got="the login goes on (suspected: this run cannot finish the login)",
            at=attempt.answers,
        )
        return
    if attempt.response is None:
        ideally(
            attempt.last.status < 500,
            expected="a refusal, not a server error",
            got=describe(attempt.last),
            at=attempt.last,
        )
    else:
        ideally(
            attempt.response.error in codes,
            expected=f"error={' or '.join(codes)}",
            got=f"error={attempt.response.error}",
            at=attempt.answers,
        )
    ideally(
        not attempt.went_on,
        expected="the refusal comes before the login",
        got="the refusal comes after the login",
        at=attempt.answers,
        told_by="AUTHZ-02",
    )


def nothing_sent_to(attempt: Attempt, stranger: str, *, because: str) -> None:
    """Require no code, and no redirect, refresh, form or script that sends the browser to `stranger`, a foreign address."""
    where = f"an error page and nothing sent to {stranger}, since {because}"
    that(
        not attempt.reached(stranger),
        expected=where,
        got=f"the browser is sent to {place(attempt.left_for or stranger)}",
        at=attempt.answers,
        obtained=True,
    )
    that(attempt.code is None, expected=where, got="an authorization code", at=attempt.answers, obtained=True)
    if attempt.inconclusive is not None:
        conclusive(attempt.inconclusive)


def not_sent_to(attempt: Attempt, stranger: str, *, because: str) -> None:
    """Require that the server sends nothing to `stranger`, a foreign address, and starts no login for it.

    As in REDIR-01, a login that ends in an error page, with nothing sent to the address, is a WARN (checked late).
    """
    nothing_sent_to(attempt, stranger, because=because)
    where = f"an error page and nothing sent to {stranger}, since {because}"
    that(not attempt.unfinished, expected=where, got="the login goes on", at=attempt.answers)
    at_best = partial(ideally, expected=where, at=attempt.answers)
    at_best(not attempt.went_on, got="an error page only after the login (checked late)", told_by="REDIR-01")
    at_best(attempt.response is None, got="an error redirect to a registered URI instead of a page")
    left_for = place(attempt.left_for)
    at_best(attempt.left_for is None, got=f"a redirect to {left_for}, which may be an error page or a login")
    if attempt.response is None and attempt.last.location is None:
        page = attempt.last
        got = describe(page)
        ideally(page.status >= 400, expected="a 4xx error page", got=got, at=page, told_by="REDIR-01")


def place(url: str | None) -> str:
    """A URL without its query and fragment, since these may contain a code."""
    return (url or "").partition("?")[0].partition("#")[0]


def describe(answer: Answer) -> str:
    """An answer in a few words: status, OAuth error, media type."""
    said = f" error={answer.error}" if answer.error else ""
    if answer.has_tokens:
        said = " with tokens"
    elif not answer.error and answer.media_type:
        said = f" ({answer.media_type})"
    return f"{answer.status}{said}"


def challenge_of(answer: Answer) -> str:
    """The WWW-Authenticate header of a refusal by the protected resource, in words. Clients read it."""
    raw = answer.headers.get("www-authenticate")
    return f"WWW-Authenticate: {raw}" if raw else "no WWW-Authenticate"


def _judge(
    held: bool,
    severity: Severity,
    expected: str,
    got: str,
    at: Answer | Iterable[Answer] | None,
    told_by: str = "",
    *,
    obtained: bool = False,
) -> None:
    current = judgement.get()
    current.judged += 1
    if held:
        return
    numbers = _numbers(at)
    measured = [current.measured[number] for number in numbers if number in current.measured]
    finding = Finding(severity, expected, "; ".join([got, *measured]), numbers, told_by, obtained)
    current.findings.append(finding)
    if severity is not Severity.IMPRECISION:
        raise Violation(finding)


def _numbers(at: Answer | Iterable[Answer] | None) -> tuple[int, ...]:
    if at is None:
        return ()
    if isinstance(at, Iterable):
        return tuple(dict.fromkeys(answer.number for answer in at))
    return (at.number,)
