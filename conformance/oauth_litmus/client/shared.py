"""The decorator of functions whose result all checks of a run share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from oauth_litmus.client.target import Target

P = ParamSpec("P")
T = TypeVar("T")


def shared(
    function: Callable[Concatenate[Target, P], Awaitable[T]],
) -> Callable[Concatenate[Target, P], Awaitable[T]]:
    """Run a function once per run and arguments. Every check that calls it gets that one result, or its failure.

    The arguments after `target` must be hashable. Checks only look at the result.
    """

    @wraps(function)
    async def once(target: Target, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (function.__module__, function.__qualname__, args, tuple(sorted(kwargs.items())))
        return await target.once(key, lambda: function(target, *args, **kwargs))

    return once
