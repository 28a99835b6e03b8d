"""The options of `oauth-litmus run`, with their help."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.installed import OWN
from oauth_litmus.run_state.budget import Budget

DEFAULT_MAX_WAIT = Budget().max_wait


class SourceAddress(StrEnum):
    """How the run chooses the source address of its requests."""

    AUTO = "auto"
    SINGLE = "single"
    LOOPBACK = "loopback"


UrlArgument = Annotated[
    str, typer.Argument(help="An issuer, or a protected resource that names its authorization server.")
]
ProfileOption = Annotated[Path | None, typer.Option(help="A TOML file that describes your deployment.")]
LoginOption = Annotated[
    str | None,
    typer.Option(metavar="DRIVER", help=f"The login driver: {', '.join(OWN)}, or `package:object` (docs/login.md)."),
]
MaxLoginsOption = Annotated[
    int | None, typer.Option(min=0, help="How many logins --login manual may ask a person for; 3 by default.")
]
AccessTokenFileOption = Annotated[
    Path | None, typer.Option(help="A file that holds an access token, for the checks of the resource.")
]
OnlyOption = Annotated[list[str] | None, typer.Option(help="Run only these checks: an id, a category, or `core`.")]
SkipOption = Annotated[list[str] | None, typer.Option(help="Run all checks except these.")]
BurstOption = Annotated[bool, typer.Option("--burst", help="Send more requests than the server's limits allow.")]
RateOption = Annotated[
    list[str] | None, typer.Option(metavar="KIND=N/SECONDS", help=f"Keep to a limit; kinds: {', '.join(Kind)}.")
]
ReplicaOption = Annotated[
    list[str] | None, typer.Option(metavar="URL", help="One instance behind the issuer; give at least two.")
]
MaxWaitOption = Annotated[float, typer.Option(min=0, help="Seconds that one check may wait for a lifetime to expire.")]
MaxTimeOption = Annotated[
    float | None,
    typer.Option(
        min=1, help="Seconds after which the run always ends; by default 3 hours, and more if --max-wait is long."
    ),
]
NoConfirmOption = Annotated[
    bool, typer.Option("--no-confirm", help="Do not judge red results once more, each check alone.")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Fail a check where it would only warn.")]
SourceAddressOption = Annotated[
    SourceAddress, typer.Option(help="On loopback, each check can send from its own address.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what the run would do, without any registration or login.")
]
ShowExchangesOption = Annotated[
    bool, typer.Option("--show-exchanges", help="Show every request and answer of every check.")
]
WaiversOption = Annotated[Path | None, typer.Option(help="A TOML file of known gaps: id, reason, until.")]
RequireOption = Annotated[list[str] | None, typer.Option(help="Checks for which SKIP and N/A fail the run.")]
JsonOption = Annotated[Path | None, typer.Option(help="Write the report as JSON.")]
JunitOption = Annotated[Path | None, typer.Option(help="Write the report as JUnit XML.")]
