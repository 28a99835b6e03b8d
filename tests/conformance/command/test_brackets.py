"""Square brackets and emoji codes are text, not markup, in every output: `[limits]`, `oauth-litmus[reference]`, `[bold]`, `:key:`."""

import io
import re
from datetime import timedelta
from importlib.metadata import EntryPoint

import pytest
import typer
from reporting import TODAY, ended, failed, report_of
from rich.console import Console
from small_server import SmallServer, served
from typer.testing import CliRunner

from oauth_litmus.check import Check
from oauth_litmus.checks import all_checks
from oauth_litmus.command import cli, commands, coverage, listing
from oauth_litmus.command.reported_run import OutputOptions, run_and_report
from oauth_litmus.report.terminal import show
from oauth_litmus.report.waivers import Waiver
from oauth_litmus.requirements import Category, Requirement, catalogue
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options
from oauth_litmus.verdict import Finding, Level, Severity, Verdict

BRACKETED = re.compile(r"\S*\[[^\[\]]*\]\S*")
HOSTILE = "[bold]loud[/bold] [/nothing] [link=https://evil.example]here[/link] :key: [limits]"
TOLD = [verdict for verdict in Verdict if verdict is not Verdict.PASS]


def console() -> Console:
    """A console as the command makes it, but wide, and written to memory."""
    return Console(file=io.StringIO(), width=1000, record=True)


def bracketed(text: str) -> set[str]:
    return set(BRACKETED.findall(text))


def shown(report) -> str:
    output = console()
    show(report, output)
    return output.export_text()


def explained(identifier: str) -> str:
    output = console()
    listing.show_explanation(identifier, output)
    return output.export_text()


def test_what_is_bracketed_in_a_requirement_is_bracketed_in_its_explanation():
    for requirement in catalogue().values():
        text = " ".join((requirement.title, requirement.statement, requirement.note, requirement.excluded))
        assert bracketed(text) <= bracketed(explained(requirement.id))


def test_the_title_of_every_check_is_shown_as_it_is():
    report = shown(report_of([ended(identifier, Verdict.PASS) for identifier in all_checks()]))
    output = console()
    listing.show_list((), output)
    listed = output.export_text()

    for check in all_checks().values():
        assert check.requirement.title in report
        assert check.requirement.title in listed


@pytest.mark.parametrize("verdict", TOLD)
def test_what_a_server_said_is_shown_as_it_is(verdict):
    finding = Finding(Severity.UNSAFE, f"expected {HOSTILE}", f"got {HOSTILE}")

    text = shown(report_of([ended("PKCE-03", verdict, f"reason {HOSTILE}", finding)]))

    assert HOSTILE in text


def test_everything_else_that_a_report_tells_is_shown_as_it_is():
    waiver = Waiver(id="PKCE-03", reason=f"waived {HOSTILE}", until=TODAY + timedelta(1))
    report = report_of([failed("PKCE-03"), ended("PKCE-04", Verdict.PASS)], waivers=[waiver])
    preflight = report.preflight.model_copy(update={"diagnosis": f"diagnosis {HOSTILE}"})
    more = {
        "preflight": preflight,
        "stopped": f"stopped {HOSTILE}",
        "left_behind": (f"client {HOSTILE}",),
        "learnt_limits": {"token": f"learnt {HOSTILE}"},
    }

    text = shown(report.model_copy(update=more))

    for what in ("waived", "diagnosis", "stopped", "client", "learnt"):
        assert f"{what} {HOSTILE}" in text
    assert "in the profile, as [limits], to " in text


@pytest.fixture
def requirement_of_brackets(monkeypatch):
    """A catalogue of one checked and one excluded requirement, with brackets in every text."""
    fields = {"title": f"title {HOSTILE}", "statement": f"statement {HOSTILE}", "note": f"note {HOSTILE}"}
    checked, excluded = (
        Requirement(id=name, level=Level.MUST, clauses=(f"clause {HOSTILE}",), excluded=reason, **fields)
        for name, reason in (("PKCE-01", ""), ("PKCE-02", f"reason {HOSTILE}"))
    )
    category = Category(prefixes=("PKCE",), title=f"category {HOSTILE}", requirement=(checked, excluded))

    async def right(target):
        """Does [this] and [/that]."""

    check = Check(checked, right, frozenset(), 0, None)
    for module in (listing, coverage):
        monkeypatch.setattr(module, "categories", lambda: {"pkce": category})
        monkeypatch.setattr(module, "all_checks", lambda: {"PKCE-01": check})
    monkeypatch.setattr(listing, "catalogue", lambda: {each.id: each for each in (checked, excluded)})


def test_a_listing_shows_brackets(requirement_of_brackets):
    output, figures = console(), console()
    listing.show_list((), output)
    coverage.show_coverage(figures)

    listed, covered = output.export_text(), figures.export_text()
    assert f"category {HOSTILE}" in listed
    assert f"title {HOSTILE}" in listed
    assert f"title {HOSTILE}: reason {HOSTILE}" in covered


def test_an_explanation_shows_brackets(requirement_of_brackets):
    for part in ("clause", "title", "statement", "note"):
        assert f"{part} {HOSTILE}" in explained("PKCE-01")
    assert "Does [this] and [/that]." in explained("PKCE-01")
    assert f"reason {HOSTILE}" in explained("PKCE-02")


@pytest.mark.sockets
def test_an_error_description_in_brackets_is_shown_as_it_is(capsys):
    with served(SmallServer(error_description="[bold]loud[/nothing] :key:")) as server:
        run_and_report(
            Options(server.issuer, selection=Selection(only=("PKCE-03",))), OutputOptions(show_exchanges=True)
        )

    assert "[bold]loud[/nothing] :key:" in capsys.readouterr().out


def texts_of(command: typer.core.TyperCommand) -> str:
    """All help texts of a command, as its author wrote them."""
    return " ".join([command.help or "", *(str(getattr(each, "help", None) or "") for each in command.params)])


def helps(application: typer.Typer) -> dict[str, tuple[str, str]]:
    """By command: the help that its author wrote, and the help that a user sees at 80 columns."""
    group = typer.main.get_command(application)
    runner = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    found = {
        "": (
            " ".join(each.help or "" for each in group.commands.values()),
            runner.invoke(application, ["--help"]).output,
        )
    }
    for name, command in group.commands.items():
        if command.context_settings.get("help_option_names") != []:
            found[name] = (texts_of(command), runner.invoke(application, [name, "--help"]).output)
    return found


def test_the_help_of_every_command_shows_its_brackets():
    found = helps(cli.application(["--help"]))

    assert {"", "run", "list", "explain", "demo", "serve"} <= set(found)
    for written, seen in found.values():
        assert bracketed(written) <= bracketed(" ".join(seen.split()))


def test_the_help_of_a_command_with_brackets_shows_them():
    application = cli.application(["run"])

    @application.command()
    def bracketed_command(option: str = typer.Option("", help="As `[limits] token = 5`, with [/nothing].")) -> None:
        """Does it with [reference] and [/nothing]."""

    written, seen = helps(application)["bracketed-command"]

    assert {"`[limits]", "[/nothing].", "[reference]"} == bracketed(written)
    assert bracketed(written) <= bracketed(" ".join(seen.split()))


def test_a_command_whose_extra_is_missing_names_the_extra_in_the_help(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    more = EntryPoint("more", "needs_more:command", commands.GROUP)
    monkeypatch.setattr(commands, "entry_points", lambda group: (more,))

    written, seen = helps(cli.application(["--help"]))[""]

    assert "oauth-litmus[reference]" in written
    assert "pip install 'oauth-litmus[reference]'" in " ".join(seen.split())


def test_a_dry_run_shows_brackets(monkeypatch, capsys):
    monkeypatch.setattr("oauth_litmus.command.reported_run.plan_lines", lambda plan, run: [f"plan {HOSTILE}"])
    with served(SmallServer()) as server:
        run_and_report(Options(server.issuer, selection=Selection(only=("META-01",))), OutputOptions(dry_run=True))

    assert f"plan {HOSTILE}" in capsys.readouterr().out


def test_progress_shows_brackets(monkeypatch):
    from oauth_litmus.report import progress

    monkeypatch.setattr(progress._Tally, "text", property(lambda tally: HOSTILE))
    text = io.StringIO()
    watching = progress.watcher(Console(file=text, width=200, force_terminal=True, color_system=None), live=True)
    with watching.begins(1):
        watching(ended("PKCE-01", Verdict.PASS))

    assert HOSTILE in text.getvalue()
