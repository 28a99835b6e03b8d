"""The expectations of the checks: the only place where a violation is found.

Each is judged in two steps: first the security outcome (tokens, a code, a redirect obtained), then the precision of the
protocol (code, status, headers), which alone is never more than a WARN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.verdict import Blocked, Finding, Judgement, Severity, Violation

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.authorization import Attempt

judgement: ContextVar[Judgement] = ContextVar("judgement")
"""What the running check has found so far; the engine sets it."""


def that(held: bool, *, expected: str, got: str, at: Answer | Iterable[Answer] | None = None) -> None:
    """The requirement itself: ends the check if it does not hold."""
    _judge(held, Severity.VIOLATION, expected, got, at)


def safe(held: bool, *, expected: str, got: str, at: Answer | Iterable[Answer] | None = None) -> None:
    """A FAIL branch at every level: unsafe or malformed output, or a breach of a value that the target declared."""
    _judge(held, Severity.UNSAFE, expected, got, at)


def ideally(
    held: bool, *, expected: str, got: str, at: Answer | Iterable[Answer] | None = None, told_by: str = ""
) -> None:
    """Precision or recommended practice: noted as a WARN, and the check goes on.

    `told_by` names the check that says so for all, where one trait of a server meets many checks.
    """
    _judge(held, Severity.IMPRECISION, expected, got, at, told_by)


def measured(answer: Answer, sentence: str) -> None:
    """Have the verdict state what was measured of this exchange: with a PASS, and with every finding about it."""
    judgement.get().measured[answer.number] = sentence


def conclusive(answer: Answer) -> Answer:
    """Stops the check as BLOCKED if the answer says nothing about the probe: 429, 502, 503, 504 (rule 3 of judging)."""
    if answer.is_inconclusive:
        raise Blocked(
            f"{answer.method} {urlsplit(answer.url).path} was answered {answer.status}: nothing can be judged by that",
            (answer.number,),
        )
    return answer


def is_token_response(answer: Answer) -> bool:
    """Whether tokens were handed out."""
    return answer.has_tokens


def tokens(answer: Answer, *, expected: str = "200 with tokens") -> None:
    """The request is legal, so it gets tokens (OAuth 2.1 section 3.2.3)."""
    conclusive(answer)
    if answer.truncated:
        raise Blocked(f"a token request was answered {answer.in_words}, which nobody reads", (answer.number,))
    that(answer.has_tokens, expected=expected, got=describe(answer), at=answer)


def refused_grant(
    answer: Answer, *codes: str, because: str, steering: bool = False, statuses: tuple[int, ...] = (400, 401)
) -> None:
    """No tokens for this request; then the right error code, as a FAIL only where it steers clients.

    Args:
        answer: of the token endpoint.
        codes: the OAuth error codes that are right here; `invalid_grant` if none is given.
        because: what is wrong with the request, for the reader of a failure.
        steering: clients act on the code (an expired, used or foreign grant), so another one fails.
        statuses: the statuses that are right here.
    """
    conclusive(answer)
    right = codes or ("invalid_grant",)
    wanted = f"{'/'.join(str(status) for status in statuses)} with error={' or '.join(right)}, since {because}"
    that(not answer.has_tokens, expected=wanted, got=f"tokens ({answer.status})", at=answer)
    if answer.status >= 500:
        raise Blocked(f"the refusal is a {answer.status}, which says nothing about the probe", (answer.number,))
    precise = answer.error in right and answer.status in statuses
    _judge(
        precise,
        Severity.UNSAFE if steering and answer.error not in right else Severity.IMPRECISION,
        wanted,
        describe(answer),
        answer,
    )


def let_in(answer: Answer, opened: Answer) -> bool:
    """Whether the protected resource took the token: it answers as it did to a valid one (`opened`), or with a success.

    A resource that has nothing to say to a plain call may answer a valid token with 400, 405 or 406.
    """
    if answer.status == 400:
        return opened.status == 400 and answer.body == opened.body
    return answer.status < 300 or (answer.status == opened.status and answer.status not in (401, 403))


def refused_token(answer: Answer, opened: Answer, *, because: str) -> None:
    """The protected resource does not take this token; with which refusal is a question of its own (BEARER-02, -03)."""
    conclusive(answer)
    that(
        not let_in(answer, opened), expected=f"401, since {because}", got=f"{answer.status}: it is accepted", at=answer
    )
    if answer.status >= 500:
        raise Blocked(f"the refusal is a {answer.status}, which says nothing about the probe", (answer.number,))


def no_server_error(answer: Answer) -> Answer:
    """A refusal is an answer of the server's own, not its failure. Give it what lasts (see `Session.lasting`)."""
    conclusive(answer)
    that(answer.status < 500, expected="a refusal, not a server error", got=describe(answer), at=answer)
    return answer


def at_most_one(answers: Sequence[Answer], succeeded: Callable[[Answer], bool], *, of: str = "tokens") -> None:
    """Of several simultaneous requests, at most one succeeds; differing bodies tell a second success from a repetition."""
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
    )
    ideally(bool(winners), expected="exactly one success", got="no success at all", at=answers[:1])
    ideally(
        len(winners) <= 1,
        expected="exactly one success",
        got=f"{len(winners)} successes with one and the same body",
        at=winners,
    )


def no_code(attempt: Attempt, *, because: str, codes: tuple[str, ...] = ("invalid_request",)) -> None:
    """The authorization request leads to no code; an error redirect, an error page, or a late refusal are all refusals.

    Where the server went on and no login is available, a WARN says that the defect is suspected.
    """
    wanted = f"no authorization code, since {because}"
    that(
        attempt.code is None,
        expected=wanted,
        got="an authorization code" + (" after the login" if attempt.went_on else ""),
        at=attempt.answers,
    )
    if attempt.inconclusive is not None:
        conclusive(attempt.inconclusive)
    if attempt.unfinished:
        ideally(
            False,
            expected=wanted,
            got="the login goes on (suspected: no login is available to see its end)",
            at=attempt.answers,
        )
        return
    if attempt.response is None:
        ideally(
            attempt.last.status < 500,
            expected="an error that is not the server's own",
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
    """The browser is not sent to an address that is not the client's, by whatever means, and no code is issued."""
    where = f"an error page and nothing sent to {stranger}, since {because}"
    that(
        not attempt.reached(stranger),
        expected=where,
        got=f"the browser is sent to {place(attempt.left_for or stranger)}",
        at=attempt.answers,
    )
    that(attempt.code is None, expected=where, got="an authorization code", at=attempt.answers)
    if attempt.inconclusive is not None:
        conclusive(attempt.inconclusive)


def not_sent_to(attempt: Attempt, stranger: str, *, because: str) -> None:
    """Nothing is sent to an address that is not the client's, and no login begins for it.

    Verdict of REDIR-01: a login that is carried on and ends in an error page with nothing sent there is a WARN (checked late).
    """
    nothing_sent_to(attempt, stranger, because=because)
    where = f"an error page and nothing sent to {stranger}, since {because}"
    that(not attempt.unfinished, expected=where, got="the login goes on", at=attempt.answers)
    ideally(
        not attempt.went_on,
        expected=where,
        got="an error page only after the login (checked late)",
        at=attempt.answers,
        told_by="REDIR-01",
    )
    ideally(
        attempt.response is None,
        expected=where,
        got="an error redirect to a registered URI instead of a page",
        at=attempt.answers,
    )
    ideally(
        attempt.left_for is None,
        expected=where,
        got=f"a redirect to {place(attempt.left_for)}, which may be an error page or a login",
        at=attempt.answers,
    )
    if attempt.response is None and attempt.last.location is None:
        page = attempt.last
        got = describe(page)
        ideally(page.status >= 400, expected="a 4xx error page", got=got, at=page, told_by="REDIR-01")


def place(url: str | None) -> str:
    """A URL without its query and fragment, which may carry a code."""
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
    """What a refusal of the protected resource says in its header, which is where clients look."""
    raw = answer.headers.get("www-authenticate")
    return f"WWW-Authenticate: {raw}" if raw else "no WWW-Authenticate"


def _judge(
    held: bool,
    severity: Severity,
    expected: str,
    got: str,
    at: Answer | Iterable[Answer] | None,
    told_by: str = "",
) -> None:
    current = judgement.get()
    current.judged += 1
    if held:
        return
    numbers = _numbers(at)
    measured = [current.measured[number] for number in numbers if number in current.measured]
    finding = Finding(severity, expected, "; ".join([got, *measured]), numbers, told_by)
    current.findings.append(finding)
    if severity is not Severity.IMPRECISION:
        raise Violation(finding)


def _numbers(at: Answer | Iterable[Answer] | None) -> tuple[int, ...]:
    if at is None:
        return ()
    if isinstance(at, Iterable):
        return tuple(dict.fromkeys(answer.number for answer in at))
    return (at.number,)
