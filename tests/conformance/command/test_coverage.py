"""Every requirement is checked or says why it is not."""

import io

from rich.console import Console

from oauth_litmus.command.coverage import coverage, show_coverage
from oauth_litmus.requirements import catalogue
from oauth_litmus.verdict import Level


def test_every_requirement_is_checked_or_excluded_with_a_reason():
    assert [requirement.id for each in coverage() for requirement in each.missing] == []


def test_all_of_the_core_is_checked():
    left_out = [
        requirement.id for each in coverage() for requirement in each.core if requirement.id not in each.checked
    ]

    assert left_out == []


def test_the_figures_add_up():
    for each in coverage():
        checked = [requirement for requirement in each.requirements if requirement.id in each.checked]
        assert len(checked) + len(each.excluded) == len(each.requirements)


def test_what_is_excluded_is_shown_with_its_reason():
    console = Console(width=200, file=io.StringIO(), record=True)
    show_coverage(console)
    text = console.export_text()

    for each in coverage():
        for requirement in each.excluded:
            assert requirement.id in text


def test_every_level_is_used():
    assert {requirement.level for requirement in catalogue().values()} == set(Level)
