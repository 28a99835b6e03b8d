"""The `check` decorator, the needs that a check can declare, and the registry of checks."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from oauth_litmus.requirements import Requirement, catalogue, category_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Target
    from oauth_litmus.target.server import Server

    CheckFunction = Callable[[Target], Awaitable[None]]
    Waits = Callable[[Server], float]


class Need(StrEnum):
    """A prerequisite of a check. The plan turns an unmet need into a SKIP or an N/A, with the reason."""

    REGISTRATION = "registration"
    """A client of the right kind: registered dynamically, or configured."""
    DYNAMIC_REGISTRATION = "dynamic registration"
    LOGIN = "login"
    ACCESS_TOKEN = "access token"
    """An access token that the resource accepts: from a login, or supplied by the operator."""
    REFRESH = "refresh"
    """The server issues refresh tokens."""
    SCOPES = "scopes"
    """Two scopes that the server can grant separately."""
    RESOURCE = "resource"
    JWT_ACCESS_TOKENS = "jwt access tokens"
    REVOCATION = "revocation"
    INTROSPECTION = "introspection"
    CONFIDENTIAL_CLIENT = "confidential client"
    RELAY = "relay"
    """The server redirects the user to an upstream login."""
    BROWSER_LEG = "browser leg"
    """The suite performs logins itself, without a person."""
    UPSTREAM_CONTROL = "upstream control"
    BURST = "burst"
    SECOND_SOURCE = "second source"
    LISTENER = "listener"
    """A listener of the suite that the server can reach."""
    REPLICAS = "replicas"
    """The suite can reach two instances behind the issuer individually."""
    OPERATIONS = "operations"
    """The profile declares operations of the resource, each with the scope that it needs."""


REGISTRATION = Need.REGISTRATION
DYNAMIC_REGISTRATION = Need.DYNAMIC_REGISTRATION
LOGIN = Need.LOGIN
ACCESS_TOKEN = Need.ACCESS_TOKEN
REFRESH = Need.REFRESH
SCOPES = Need.SCOPES
RESOURCE = Need.RESOURCE
JWT_ACCESS_TOKENS = Need.JWT_ACCESS_TOKENS
REVOCATION = Need.REVOCATION
INTROSPECTION = Need.INTROSPECTION
CONFIDENTIAL_CLIENT = Need.CONFIDENTIAL_CLIENT
RELAY = Need.RELAY
BROWSER_LEG = Need.BROWSER_LEG
UPSTREAM_CONTROL = Need.UPSTREAM_CONTROL
BURST = Need.BURST
SECOND_SOURCE = Need.SECOND_SOURCE
LISTENER = Need.LISTENER
OPERATIONS = Need.OPERATIONS
REPLICAS = Need.REPLICAS


@dataclass(frozen=True)
class Check:
    """One requirement and the function that judges it.

    `logins` is the number of logins that the check uses if nothing goes wrong. `waits` computes from the known facts about the
    server how many seconds the check waits, and raises `Skipped` if these facts are unknown.
    """

    requirement: Requirement
    function: CheckFunction
    needs: frozenset[Need]
    logins: int
    waits: Waits | None
    holds_grants: bool = False
    """Whether the check holds a code or a pending login while it makes another one.

    Its requests then go before those of other checks, so that the first one does not expire in a queue.
    """

    @property
    def id(self) -> str:
        """The id of the requirement."""
        return self.requirement.id

    @property
    def category(self) -> str:
        """The category of the requirement, which is also the name of the check's module or package."""
        return category_of(self.id)

    @property
    def name(self) -> str:
        """The function's name, which states the right behaviour."""
        return self.function.__name__


class BadDeclarationError(Exception):
    """The declaration of a check is wrong; raised when its module is imported."""


_registry: dict[str, Check] = {}


def check(
    requirement_id: str,
    *,
    needs: set[Need] | None = None,
    logins: int | None = None,
    waits: Waits | None = None,
    holds_grants: bool = False,
) -> Callable[[CheckFunction], CheckFunction]:
    """Declare a function as the check of one requirement.

    Raises:
        BadDeclarationError: at import, if the id is unknown, already used, excluded or of another category than the module, or
            if the function is not `async`, does not take exactly `target`, or has no docstring.
    """

    def register(function: CheckFunction) -> CheckFunction:
        where = f"{function.__module__}.{function.__name__}"
        requirement = catalogue().get(requirement_id)
        if requirement is None:
            raise BadDeclarationError(f"{where}: no requirement {requirement_id} in the catalogue")
        if requirement.excluded:
            raise BadDeclarationError(f"{where}: {requirement_id} is excluded: {requirement.excluded}")
        if requirement_id in _registry:
            raise BadDeclarationError(
                f"{where}: {requirement_id} already has a check, {_registry[requirement_id].name}"
            )
        if category_of(requirement_id) not in function.__module__.split("."):
            raise BadDeclarationError(f"{where}: {requirement_id} belongs in checks/{category_of(requirement_id)}/")
        if not inspect.iscoroutinefunction(function) or list(inspect.signature(function).parameters) != ["target"]:
            raise BadDeclarationError(f"{where}: a check must be `async def name(target)`")
        if not function.__doc__:
            raise BadDeclarationError(f"{where}: the docstring is missing: say in one sentence what the check does")
        wanted = frozenset(needs or set())
        spends = logins if logins is not None else int(bool({LOGIN, ACCESS_TOKEN, REFRESH} & wanted))
        _registry[requirement_id] = Check(requirement, function, wanted, spends, waits, holds_grants)
        return function

    return register


def declared_checks() -> dict[str, Check]:
    """Every check whose module was imported, by id, in the order of the catalogue."""
    return {identifier: _registry[identifier] for identifier in catalogue() if identifier in _registry}
