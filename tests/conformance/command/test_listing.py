"""`list` and `explain`: every id is understood, and the file that they name holds the check."""

import io
from pathlib import Path

import pytest
from rich.console import Console

import oauth_litmus
from oauth_litmus.checks import all_checks
from oauth_litmus.command.listing import show_explanation, show_list
from oauth_litmus.requirements import catalogue
from oauth_litmus.run.plan import UnknownSelectionError

PACKAGE = Path(oauth_litmus.__file__).parent


def explained(identifier: str) -> str:
    console = Console(file=io.StringIO(), width=400, record=True)
    show_explanation(identifier, console)
    return console.export_text()


def listed(*names: str) -> str:
    console = Console(file=io.StringIO(), width=200, record=True)
    show_list(names, console)
    return console.export_text()


@pytest.mark.parametrize("spelt", [str, str.lower, str.upper, str.swapcase])
def test_every_requirement_is_explained_in_any_letter_case(spelt):
    for identifier in catalogue():
        assert explained(spelt(identifier)).startswith(f"{identifier} · ")


@pytest.mark.parametrize(("typed", "meant"), [("TOKEN-4d", "TOKEN-04d"), ("token-04z", "TOKEN-04")])
def test_an_id_that_is_nearly_right_is_answered_with_similar_ones(typed, meant):
    with pytest.raises(UnknownSelectionError, match=rf"did you mean .*{meant}"):
        explained(typed)


def test_the_file_and_line_that_are_named_hold_the_check():
    for check in all_checks().values():
        (label,) = [line for line in explained(check.id).splitlines() if line.strip().startswith("source")]
        path, _, line = label.split()[1].partition(":")
        found = (PACKAGE / path).read_text("utf-8").splitlines()[int(line) - 1 :]
        assert f'"{check.id}"' in "".join(found[:2]), check.id
        assert any(f"def {check.name}(" in each for each in found[:12]), check.id


def test_one_check_is_counted_in_the_singular():
    assert listed("PKCE-03").endswith("1 check, 1 of them core\n")
    assert listed("PKCE-03", "PKCE-04").endswith("2 checks, 2 of them core\n")
