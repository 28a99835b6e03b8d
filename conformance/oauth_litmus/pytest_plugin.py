"""The pytest plugin: each check is a test item, and one engine in the background judges all of them.

No other module uses pytest. Every pytest run in this environment loads the plugin, so it imports no other module of the
suite until `--litmus-target` is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from oauth_litmus.check import Check
    from oauth_litmus.command.background import JudgingInBackground
    from oauth_litmus.report.model import CheckRecord
    from oauth_litmus.run.runner import Options

_CHECKS = Path(__file__).with_name("checks")
_SESSION = "oauth-litmus-session"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `oauth-litmus run`, prefixed with `--litmus-`."""
    group = parser.getgroup("oauth-litmus", "conformance of an OAuth 2.1 server (with --pyargs oauth_litmus.checks)")
    group.addoption("--litmus-target", metavar="URL", help="the server to judge: an issuer or a protected resource")
    group.addoption("--litmus-profile", metavar="FILE", type=Path, help="a TOML file that describes the deployment")
    group.addoption("--litmus-login", metavar="DRIVER", help="the login driver (docs/login.md)")
    group.addoption("--litmus-max-logins", metavar="N", type=int, help="how many logins a person may be asked for")
    group.addoption("--litmus-max-wait", metavar="SECONDS", type=float, help="how long one check may wait")
    group.addoption("--litmus-rate", metavar="KIND=N/SECONDS", action="append", default=[], help="keep to a limit")
    group.addoption("--litmus-burst", action="store_true", help="send more requests than the server's limits allow")
    group.addoption("--litmus-no-confirm", action="store_true", help="do not judge red results once more, alone")
    group.addoption("--litmus-strict", action="store_true", help="fail a check where it would only warn")
    group.addoption("--litmus-source-address", choices=("auto", "single", "loopback"), default="auto")


def pytest_configure(config: pytest.Config) -> None:
    """Activate the plugin if a target is given; refuse to run under pytest-xdist."""
    if not config.getoption("litmus_target"):
        return
    if config.getoption("numprocesses", None) or config.getoption("tx", None):
        raise pytest.UsageError(
            "--litmus-target cannot be used with -n of xdist: each worker would run every check against the one "
            "server. Without -n the checks already run concurrently."
        )
    if hasattr(config, "workerinput"):
        return
    _add_markers(config)
    config.pluginmanager.register(_Session(config), _SESSION)


def _add_markers(config: pytest.Config) -> None:
    from oauth_litmus.requirements import categories
    from oauth_litmus.verdict import Level

    for level in Level:
        config.addinivalue_line("markers", f"{_marker(level)}: oauth-litmus checks of level {level}")
    config.addinivalue_line("markers", "core: oauth-litmus checks that apply to every server")
    for name, category in categories().items():
        config.addinivalue_line("markers", f"{name}: oauth-litmus: {category.title}")


def _marker(level: str) -> str:
    return level.lower().replace("-", "_")


class Red(Exception):
    """Fails a test item; its message is the text of the report."""

    def __init__(self, record: CheckRecord) -> None:
        super().__init__(f"{record.verdict}: {record.reason}")
        self.record = record


class LitmusItem(pytest.Item):
    """One check as a test item; running the item means waiting for the verdict."""

    def __init__(self, *, check: Check, verdicts: _Session, **rest: Any) -> None:  # noqa: ANN401 - pytest's own
        super().__init__(**rest)  # pyright: ignore[reportUnknownMemberType] - pytest leaves it open
        self.check = check
        self.verdicts = verdicts
        self.record: CheckRecord | None = None
        self.extra_keyword_matches.add(check.id)
        for marker in (_marker(check.requirement.level), check.category, *(["core"] if check.requirement.core else [])):
            self.add_marker(marker)

    def runtest(self) -> None:
        """Wait for the verdict, and pass, skip or fail accordingly."""
        from oauth_litmus.report.failure import plain_text
        from oauth_litmus.report.printable import printable
        from oauth_litmus.verdict import Verdict

        record = self.record = self.verdicts.of(self.check.id)
        if record.red:
            raise Red(record)
        if record.verdict in (Verdict.SKIP, Verdict.NOT_APPLICABLE):
            pytest.skip(printable(f"{record.verdict}: {record.reason}"))
        if record.verdict is Verdict.WARN:
            self.add_report_section("call", "WARN", plain_text(record))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401
        """Return the text of the report, without a traceback."""
        if isinstance(excinfo.value, Red):
            return _Told(excinfo.value.record)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the source location of the check."""
        return self.path, self.check.function.__code__.co_firstlineno - 1, self.name


@dataclass(frozen=True)
class _Crash:
    message: str


class _Told:
    """The text of a failure; pytest and its JUnit report take the one-line summary from `reprcrash`."""

    def __init__(self, record: CheckRecord) -> None:
        from oauth_litmus.report.printable import printable

        self.record = record
        self.reprcrash = _Crash(" ".join(printable(f"{record.verdict}: {record.reason}").split()))

    def __str__(self) -> str:
        from oauth_litmus.report.failure import plain_text

        return f"{self.record.verdict} {plain_text(self.record)}"

    def toterminal(self, tw: pytest.TerminalReporter) -> None:
        """Print the text."""
        tw.line(str(self))


class LitmusFile(pytest.File):
    """One module of checks as a test file."""

    verdicts: _Session

    def collect(self) -> Iterable[LitmusItem]:
        """Yield one item for each check of the module."""
        from oauth_litmus.checks import all_checks

        for check in all_checks().values():
            if Path(check.function.__code__.co_filename) == self.path:
                name = f"{check.name}[{check.id}]"
                yield LitmusItem.from_parent(self, name=name, check=check, verdicts=self.verdicts)  # pyright: ignore[reportUnknownMemberType]


class _Session:
    """Collects the checks, starts the engine, and prints a summary at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._judging: JudgingInBackground | None = None

    def of(self, identifier: str) -> CheckRecord:
        """Return the record of one check; wait until it is final."""
        assert self._judging is not None, "the engine starts when collection has ended"  # noqa: S101
        return self._judging.of(identifier)

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> LitmusFile | None:
        """Collect the modules of checks, which are not named test_*.py."""
        if _CHECKS not in file_path.parents or file_path.suffix != ".py" or file_path.stem.startswith("_"):
            return None
        file = LitmusFile.from_parent(parent, path=file_path)  # pyright: ignore[reportUnknownMemberType]
        file.verdicts = self
        return file

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Start to judge the selected checks; if no server is found, report wrong usage."""
        checks = [item.check for item in session.items if isinstance(item, LitmusItem)]
        if not checks or self._config.option.collectonly:
            return
        from oauth_litmus.command.background import JudgingInBackground
        from oauth_litmus.command.reported_run import WRONG_USAGE

        self._judging = JudgingInBackground(_options(self._config, checks), checks)
        try:
            self._judging.begin()
        except WRONG_USAGE as error:
            raise pytest.UsageError(f"--litmus-target: {error}") from error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Report the duration of the check instead of the time that the item waited."""
        report = yield
        if isinstance(item, LitmusItem) and item.record is not None and call.when == "call":
            report.duration = item.record.duration
        return report

    def pytest_sessionfinish(self) -> None:
        """End the checks that still run, as after -x or Ctrl-C, and remove the clients that the run registered."""
        if self._judging is not None:
            self._judging.end()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the WARNs, the diagnosis of the preflight, and the number of clients left behind."""
        engine = self._judging.engine if self._judging is not None else None
        if engine is None or self._judging is None:
            return
        from oauth_litmus.report.printable import printable
        from oauth_litmus.verdict import Verdict

        terminalreporter.section("oauth-litmus")
        for record in self._judging.known():
            if record.verdict is Verdict.WARN:
                terminalreporter.line(printable(f"WARN {record.id} {record.title}: {record.reason}"), yellow=True)
        if engine.readiness.diagnosis:
            terminalreporter.line(printable(f"preflight: {engine.readiness.diagnosis}"), red=True)
        if engine.run.clients.left_behind:
            count = len(engine.run.clients.left_behind)
            terminalreporter.line(
                f"left behind at the server: clients named `oauth-litmus {engine.run.run_id}`: {count}"
            )


def _options(config: pytest.Config, checks: Iterable[Check]) -> Options:
    from oauth_litmus.limits.rates import limits
    from oauth_litmus.login.installed import driver_for
    from oauth_litmus.run.plan import Selection
    from oauth_litmus.run.runner import Options
    from oauth_litmus.run_state.budget import Budget
    from oauth_litmus.target.profile import Profile, ProfileError, load_profile

    given = config.option
    try:
        profile = load_profile(given.litmus_profile) if given.litmus_profile else Profile()
        # -x and --maxfail stop at the first red result; confirmation would come only after all checks.
        confirms = not given.litmus_no_confirm and not given.maxfail
        longest = Budget().max_wait if given.litmus_max_wait is None else given.litmus_max_wait
        return Options(
            given.litmus_target,
            profile,
            driver=driver_for(profile, given.litmus_login, given.litmus_max_logins),
            selection=Selection(only=tuple(check.id for check in checks)),
            budget=Budget(
                longest,
                burst=given.litmus_burst,
                max_logins=given.litmus_max_logins,
                confirm=confirms,
            ),
            rates=limits(given.litmus_rate),
            source_addresses=given.litmus_source_address,
            strict=given.litmus_strict,
        )
    except (ProfileError, ValueError) as error:
        raise pytest.UsageError(str(error)) from error
