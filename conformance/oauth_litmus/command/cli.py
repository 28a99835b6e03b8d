"""The command line of `oauth-litmus`: parse the arguments, and leave the work to other modules."""

import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import Annotated

import typer

from oauth_litmus import __version__
from oauth_litmus.command.commands import add_installed_commands
from oauth_litmus.command.reported_run import OutputOptions, complain, run_and_report
from oauth_litmus.command.run_options import (
    DEFAULT_MAX_WAIT,
    AccessTokenFileOption,
    BurstOption,
    DryRunOption,
    JsonOption,
    JunitOption,
    LoginOption,
    MaxLoginsOption,
    MaxTimeOption,
    MaxWaitOption,
    NoConfirmOption,
    OnlyOption,
    ProfileOption,
    RateOption,
    ReplicaOption,
    RequireOption,
    ShowExchangesOption,
    SkipOption,
    SourceAddress,
    SourceAddressOption,
    StrictOption,
    UrlArgument,
    WaiversOption,
)
from oauth_litmus.limits.rates import Kind, Rate, limits
from oauth_litmus.login.installed import driver_for
from oauth_litmus.run.plan import Selection, UnknownSelectionError
from oauth_litmus.run.runner import Options
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.target.profile import Profile, ProfileError, load_profile
from oauth_litmus.target.replica_origins import need_two, replica_origin

WRONG_USAGE = 2


def run(
    url: UrlArgument,
    *,
    profile: ProfileOption = None,
    login: LoginOption = None,
    max_logins: MaxLoginsOption = None,
    access_token_file: AccessTokenFileOption = None,
    only: OnlyOption = None,
    skip: SkipOption = None,
    burst: BurstOption = False,
    rate: RateOption = None,
    replica: ReplicaOption = None,
    max_wait: MaxWaitOption = DEFAULT_MAX_WAIT,
    max_time: MaxTimeOption = None,
    no_confirm: NoConfirmOption = False,
    strict: StrictOption = False,
    source_address: SourceAddressOption = SourceAddress.AUTO,
    dry_run: DryRunOption = False,
    show_exchanges: ShowExchangesOption = False,
    waivers: WaiversOption = None,
    require: RequireOption = None,
    json: JsonOption = None,
    junit: JunitOption = None,
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
            budget=Budget(max_wait, burst=burst, max_logins=max_logins, max_time=max_time, confirm=not no_confirm),
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
