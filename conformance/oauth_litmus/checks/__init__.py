"""The checks: a module per category, named like its TOML; a check is one function."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from oauth_litmus.check import Check, declared_checks


def all_checks() -> dict[str, Check]:
    """Every check by id, in the order of the catalogue. Imports the modules of this package the first time."""
    _import_modules()
    return declared_checks()


@cache
def _import_modules() -> None:
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
