"""docs/coverage.md names every requirement, none that does not exist, and contradicts itself nowhere."""

import re
from pathlib import Path

import pytest

from oauth_litmus.requirements import catalogue

PAGE = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text("utf-8")
NAMED = re.compile(r"\b([A-Z]+)-(\d{2}[a-z]?\b|\*)")
RANGE = re.compile(r"\b([A-Z]+)-(\d{2}) to \1-(\d{2})\b")
NOTHING = ["-", "-", "-"]


def expanded(text: str) -> set[str]:
    """The requirements that a text names: by id, by a range, by a family's star, or by a number that only parts have."""
    found = {
        each
        for prefix, first, last in RANGE.findall(text)
        for each in catalogue()
        if each.startswith(f"{prefix}-") and first <= each.removeprefix(f"{prefix}-")[:2] <= last
    }
    for prefix, rest in NAMED.findall(text):
        name = f"{prefix}-{rest}"
        parts = {each for each in catalogue() if each[:-1] == name or (rest == "*" and each.startswith(name[:-1]))}
        named = {name} if name in catalogue() else parts
        assert named, f"docs/coverage.md names {name}, which is not in the catalogue"
        found |= named
    return found


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}")[2].partition("\n## ")[0]


def rows() -> list[tuple[set[str], list[str]]]:
    """Each row that sets requirements beside the other suites: its requirements, and what these have."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:2] == "| "]
    return [(expanded(row[0]), row[2:]) for row in cells if len(row) == len(NOTHING) + 2 and row[0] != "here"]


def test_every_requirement_stands_in_one_table():
    named = [each for requirements, _ in rows() for each in requirements]

    assert set(catalogue()) - set(named) == set()


def test_what_the_page_names_exists():
    assert expanded(PAGE)


@pytest.mark.parametrize("text", ["REPLAY-99", "REPLAY-01z", "NOWHERE-*"])
def test_a_name_of_nothing_is_found(text):
    with pytest.raises(AssertionError, match=r"coverage\.md names"):
        expanded(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("REG-02", {"REG-02a", "REG-02b", "REG-02c", "REG-02d"}),
        ("REG-02b", {"REG-02b"}),
        ("EXPIRY-12", {"EXPIRY-12"}),
        ("REVOKE-03 to REVOKE-05", {"REVOKE-03a", "REVOKE-03b", "REVOKE-04", "REVOKE-05"}),
        ("`RES-*`", {"RES-01", "RES-02", "RES-03", "RES-04", "RES-05"}),
        ("RFC-8707, SEP-2350", set()),
    ],
)
def test_a_name_stands_for_itself_its_parts_or_its_family(text, named):
    assert expanded(text) == named


def test_a_requirement_is_covered_elsewhere_or_it_is_not():
    elsewhere = {each for requirements, others in rows() if others != NOTHING for each in requirements}
    nowhere = {each for requirements, others in rows() if others == NOTHING for each in requirements}

    assert elsewhere & nowhere == set()


def test_the_last_section_is_what_is_checked_here_and_found_nowhere_else():
    nowhere = {each for requirements, others in rows() if others == NOTHING for each in requirements}
    checked = {each for each in nowhere if not catalogue()[each].excluded}

    assert expanded(section("Covered nowhere else")) == checked


def test_every_row_has_a_cell_for_each_suite():
    assert all(all(others) for _, others in rows())
