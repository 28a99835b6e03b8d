"""The options of one run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from oauth_litmus.limits.rates import Kind
from oauth_litmus.run.plan import Selection
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.target.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.limits.rates import Rate
    from oauth_litmus.login.drivers import LoginDriver

SourceMode = Literal["auto", "single", "loopback"]


@dataclass(frozen=True)
class Options:
    """The options of the command line, including the loaded profile."""

    url: str
    profile: Profile = field(default_factory=Profile)
    driver: LoginDriver | None = None
    selection: Selection = field(default_factory=Selection)
    budget: Budget = field(default_factory=Budget)
    rates: Mapping[Kind, Rate] = field(default_factory=dict["Kind", "Rate"])
    source_addresses: SourceMode = "auto"
    strict: bool = False
