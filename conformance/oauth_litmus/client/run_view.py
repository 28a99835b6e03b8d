"""The facts of a run that a check may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.drivers import RedirectsDriver
from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from oauth_litmus.limits.rates import Rate
    from oauth_litmus.run_state.run import Run
    from oauth_litmus.target.server import Server


class RunView:
    """The facts of a run that checks read."""

    run: Run

    @property
    def server(self) -> Server:
        """The server under test, as far as the run knows it."""
        return self.run.server

    @property
    def redirect_uri(self) -> str:
        """The redirect URI of the suite's clients."""
        return self.run.redirect_uri

    @property
    def quick(self) -> bool:
        """Whether only `core` was asked for."""
        return self.run.quick

    @property
    def max_wait(self) -> float:
        """Seconds that one check may wait."""
        return self.run.budget.max_wait

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self.run.run_id

    @property
    def walks_logins(self) -> bool:
        """Whether the suite itself walks through logins, and not a person."""
        return self.run.driver.walks

    @property
    def uses_a_login_driver(self) -> bool:
        """Whether another driver than redirects and forms gets through logins, for example a real browser."""
        return self.run.driver.name != "redirects"

    @property
    def learnt_limits(self) -> dict[Kind, Rate]:
        """Undeclared rate limits that the run has met so far."""
        return self.run.pacer.learnt()

    def last_sent(self, *kinds: Kind) -> float:
        """When the last request of these kinds (of any kind, if none is given) ended, in Unix seconds.

        The suite does not see requests of a browser or a person. Where they log in, it is the present instant.
        """
        if not isinstance(self.run.driver, RedirectsDriver):
            return self.now()
        return max(self.run.last_sent.get(kind, 0.0) for kind in kinds or Kind)

    @property
    def controls_upstream(self) -> bool:
        """Whether the operator gives the suite control of the upstream."""
        return self.run.upstream is not None

    def now(self) -> float:
        """The present instant, in Unix seconds."""
        return self.run.clock.now()

    def may_wait(self, seconds: float) -> None:
        """Ensure that the operator allows a wait that the plan could not foresee.

        Raises:
            Skipped: the wait is longer than the operator allows.
        """
        if seconds > self.max_wait:
            raise Skipped(
                f"waits {seconds:.0f} s, more than --max-wait {self.max_wait:g}: give --max-wait {seconds + 1:.0f}"
            )
