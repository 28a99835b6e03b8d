"""docs/public-api.md lists paths that other projects may import, and each of them can be imported."""

import importlib
import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from oauth_litmus.command.commands import GROUP as COMMANDS
from oauth_litmus.login.installed import GROUP as LOGIN_DRIVERS

PAGE = (Path(__file__).parents[3] / "docs" / "public-api.md").read_text("utf-8")
CELLS = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
PATHS = [cell for cell in CELLS if cell.startswith(("oauth_litmus.", "supabase_relay."))]
GROUPS = re.findall(r"^\| `([^`]+)` \|", PAGE.partition("## Entry points")[2], re.MULTILINE)
IMPORTABLE = [path for path in PATHS if path not in GROUPS]


@pytest.mark.parametrize("path", IMPORTABLE)
def test_a_listed_path_can_be_imported(path):
    module, _, name = path.partition(":")

    imported = importlib.import_module(module)

    assert not name or hasattr(imported, name)


def test_the_page_lists_the_groups_of_the_suite():
    assert {COMMANDS, LOGIN_DRIVERS} < set(GROUPS)


@pytest.mark.parametrize("group", ["oauth_litmus.commands", "supabase_relay.upstreams", "pytest11"])
def test_a_listed_group_is_used_by_the_distribution(group):
    assert any(
        point.value.startswith(("litmus", "oauth_litmus", "supabase_relay")) for point in entry_points(group=group)
    )


def test_the_example_driver_of_the_documentation_imports_listed_paths_only():
    documented = (Path(__file__).parents[3] / "docs" / "login.md").read_text("utf-8")
    imports = re.findall(r"^from (oauth_litmus\S*) import (\w+)$", documented, re.MULTILINE)

    assert imports
    assert {f"{module}:{name}" for module, name in imports} <= set(IMPORTABLE)
