"""The command line of `oauth-litmus`: parse the arguments, and leave the work to other modules."""

import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from oauth_litmus import __version__
from oauth_litmus.command.commands import add_installed_commands
from oauth_litmus.command.reported_run import OutputOptions, complain, run_and_report
from oauth_litmus.limits.rates import Kind, Rate, limits
from oauth_litmus.login.installed import OWN, driver_for
from oauth_litmus.run.plan import Selection, UnknownSelectionError
from oauth_litmus.run.runner import Options
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.target.profile import Profile, ProfileError, load_profile
from oauth_litmus.target.replica_origins import need_two, replica_origin

WRONG_USAGE = 2
_DEFAULT_MAX_WAIT = Budget().max_wait


class SourceAddress(StrEnum):
    """How the run chooses the source address of its requests."""

    AUTO = "auto"
    SINGLE = "single"
    LOOPBACK = "loopback"


def run(
    url: Annotated[str, typer.Argument(help="An issuer, or a protected resource that names its authorization server.")],
    *,
    profile: Annotated[Path | None, typer.Option(help="A TOML file that describes your deployment.")] = None,
    login: Annotated[
        str | None,
        typer.Option(
            metavar="DRIVER", help=f"The login driver: {', '.join(OWN)}, or `package:object` (docs/login.md)."
        ),
    ] = None,
    max_logins: Annotated[
        int | None, typer.Option(min=0, help="How many logins --login manual may ask a person for; 3 by default.")
    ] = None,
    access_token_file: Annotated[
        Path | None, typer.Option(help="A file that holds an access token, for the checks of the resource.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run only these checks: an id, a category, or `core`.")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="Run all checks except these.")] = None,
    burst: Annotated[bool, typer.Option("--burst", help="Send more requests than the server's limits allow.")] = False,
    rate: Annotated[
        list[str] | None, typer.Option(metavar="KIND=N/SECONDS", help=f"Keep to a limit; kinds: {', '.join(Kind)}.")
    ] = None,
    replica: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="One instance behind the issuer; give at least two.")
    ] = None,
    max_wait: Annotated[
        float, typer.Option(min=0, help="Seconds that one check may wait for a lifetime to expire.")
    ] = _DEFAULT_MAX_WAIT,
    max_time: Annotated[
        float | None,
        typer.Option(
            min=1, help="Seconds after which the run always ends; by default 3 hours, and more if --max-wait is long."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail a check where it would only warn.")] = False,
    source_address: Annotated[
        SourceAddress, typer.Option(help="On loopback, each check can send from its own address.")
    ] = SourceAddress.AUTO,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the run would do, without any registration or login.")
    ] = False,
    show_exchanges: Annotated[
        bool, typer.Option("--show-exchanges", help="Show every request and answer of every check.")
    ] = False,
    waivers: Annotated[Path | None, typer.Option(help="A TOML file of known gaps: id, reason, until.")] = None,
    require: Annotated[list[str] | None, typer.Option(help="Checks for which SKIP and N/A fail the run.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the report as JUnit XML.")] = None,
) -> None:
    """Judge the server at URL.

    Exit status: 0 nothing is red; 1 a FAIL, BLOCKED or ERROR; 2 wrong usage, or no server was found; 3 nothing was
    judged; 130 interrupted.
    """
    try:
        declared = load_profile(profile) if profile else Profile()
        if access_token_file:
            declared = declared.with_access_token_in(access_token_file)
        if replica:
            declared = declared.model_copy(update={"replicas": _replicas(replica, declared.replicas)})
        options = Options(
            url,
            declared,
            driver=driver_for(declared, login, max_logins),
            selection=Selection(tuple(only or ()), tuple(skip or ())),
            budget=Budget(max_wait, burst=burst, max_logins=max_logins, max_time=max_time),
            rates=_rates(rate or []),
            source_addresses=source_address.value,
            strict=strict,
        )
    except ProfileError as error:
        complain(str(error))
        raise typer.Exit(WRONG_USAGE) from error
    output = OutputOptions(json, junit, show_exchanges, waivers, tuple(require or ()), dry_run)
    raise typer.Exit(run_and_report(options, output))


def list_checks(
    what: Annotated[list[str] | None, typer.Argument(help="Ids, categories, or `core`; all checks by default.")] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show how much of the catalogue is checked, and why the rest is not.")
    ] = False,
) -> None:
    """List the checks."""
    from oauth_litmus.command.coverage import show_coverage
    from oauth_litmus.command.listing import show_list

    if coverage:
        show_coverage()
        return

    _or_complain(lambda: show_list(tuple(what or ())))


def explain(
    requirement: Annotated[str, typer.Argument(metavar="ID", help="The id of a check, as `list` shows it.")],
) -> None:
    """Explain one check: clause, level, statement, needs, and procedure."""
    from oauth_litmus.command.listing import show_explanation

    _or_complain(lambda: show_explanation(requirement))


def version(
    asked: Annotated[bool, typer.Option("--version", is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    """Test over HTTP whether a server conforms to OAuth 2.1; each finding cites the clause, the expected and the actual answer."""
    if asked:
        typer.echo(f"oauth-litmus {__version__}")
        raise typer.Exit


def main() -> None:
    """The console entry point."""
    for stream in (sys.stdout, sys.stderr):
        # Replace characters that the terminal cannot show: an encoding error must not cost the user the report.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    application(sys.argv[1:])()


def application(arguments: Sequence[str]) -> typer.Typer:
    """Return the command with its sub-commands; installed ones only if these arguments may call them."""
    # With rich markup, help texts would lose their brackets: `oauth-litmus[reference]`.
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, no_args_is_help=True, add_completion=False)
    app.callback(invoke_without_command=True)(version)
    app.command()(run)
    app.command("list")(list_checks)
    app.command()(explain)
    add_installed_commands(app, arguments)
    return app


def _rates(written: list[str]) -> dict[Kind, Rate]:
    try:
        return limits(written)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--rate") from error


def _replicas(written: list[str], declared: tuple[str, ...]) -> tuple[str, ...]:
    try:
        origins = (*declared, *(replica_origin(url) for url in written))
        need_two(origins)
        return origins
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--replica") from error


def _or_complain(show: Callable[[], None]) -> None:
    try:
        show()
    except UnknownSelectionError as error:
        complain(str(error))
        raise typer.Exit(WRONG_USAGE) from error
