"""A good server that makes one choice more, and what of the checks is not passed there."""

from contextlib import ExitStack

from litmus_fixtures.broken_servers.registry import replaced
from litmus_fixtures.straw_world import straw_world
from litmus_fixtures.worlds import world
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import judge
from oauth_litmus.verdict import Verdict


async def not_passed(names, overrides, variant="managed", profile=None):
    """The checks that do not pass, with the reason, at a straw server (or the `reference`) with other functions."""
    with ExitStack() as stack:
        for seam, override in overrides.items():
            stack.enter_context(replaced(seam, override))
        good = world() if variant == "reference" else straw_world(variant, profile=profile)
        async with good as run:
            results = (await judge(run, Selection(only=names))).results
    return {name: results[name].decision for name in names if results[name].verdict is not Verdict.PASS}
