"""docs/coverage.md holds the generated tables, names no requirement that does not exist, and none twice."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from oauth_litmus.command import coverage_page
from oauth_litmus.command.coverage_page import abbreviated, found_nowhere_else, observations, renewed, table_of
from oauth_litmus.requirements import catalogue, categories, category_of

PAGE = (Path(__file__).parents[3] / "docs" / "coverage.md").read_text("utf-8")
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


def rows() -> list[tuple[set[str], list[str]]]:
    """Each row that sets requirements beside the other suites: its requirements, and what these have."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:2] == "| "]
    return [(expanded(row[0]), row[2:]) for row in cells if len(row) == len(NOTHING) + 2 and row[0] != "here"]


def test_every_requirement_is_in_a_table_or_checked_by_no_other_suite():
    named = {each for requirements, _ in rows() for each in requirements}
    alone = {each for category in categories() for each in found_nowhere_else(category)}

    assert named & alone == set()
    assert {each for each, row in catalogue().items() if not row.excluded} <= named | alone


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


def test_every_row_names_another_suite():
    assert [sorted(requirements) for requirements, others in rows() if others == NOTHING] == []


def test_the_tables_are_up_to_date():
    assert renewed(PAGE) == PAGE, "run: python -m oauth_litmus.command.coverage_page docs/coverage.md"


def test_a_table_that_was_changed_by_hand_is_noticed():
    assert renewed(PAGE.replace("| AUTHZ-02 |", "| AUTHZ-03 |")) == PAGE


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        (PAGE.replace("generated: pkce", "generated: pkces"), "pkce, pkces"),
        (PAGE.replace("<!-- generated: scope -->", ""), "scope"),
        (PAGE + "<!-- generated: scope -->\n<!-- end -->\n", "scope"),
    ],
)
def test_a_part_that_is_missing_unknown_or_there_twice_is_said(page, wrong):
    with pytest.raises(ValueError, match=f"missing, unknown, or there twice: {wrong}$"):
        renewed(page)


def test_without_a_file_the_parts_are_printed(capsys):
    coverage_page.main([])

    assert "<!-- generated: pkce -->\n| here |" in capsys.readouterr().out


def test_a_title_stands_beside_its_requirement():
    for observation in observations():
        for identifier in observation.here:
            assert catalogue()[identifier].title.replace("|", "\\|") in table_of(category_of(identifier))


@given(some.sets(some.sampled_from(list(catalogue()))))
@settings(deadline=None)
def test_what_is_abbreviated_can_be_read_again(identifiers):
    assert expanded(abbreviated(identifiers)) == identifiers


@pytest.mark.parametrize(
    ("identifiers", "short"),
    [
        (["PKCE-02", "PKCE-01"], "PKCE-01, PKCE-02"),
        (["PKCE-03", "PKCE-01", "PKCE-02"], "PKCE-01 to PKCE-03"),
        (["REG-02a", "REG-02b", "REG-02c", "REG-02d"], "REG-02"),
        (["REG-02a", "REG-02b"], "REG-02a, REG-02b"),
        ([each for each in catalogue() if each.startswith("RES-")], "`RES-*`"),
        ([], ""),
    ],
)
def test_ids_are_abbreviated(identifiers, short):
    assert abbreviated(identifiers) == short


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[observation]]\nhere = ["PKCE-01", "SCOPE-01"]', "not of one category"),
        ('[[observation]]\nhere = ["PKCE-01"]\n[[observation]]\nhere = ["PKCE-01"]', "PKCE-01 has two observations"),
        ('[[observation]]\nhere = ["PKCE-99"]', "PKCE-99"),
    ],
)
def test_a_wrong_observation_is_refused(monkeypatch, tmp_path, text, said):
    (path := tmp_path / "other_suites.toml").write_text(text, "utf-8")
    monkeypatch.setattr(coverage_page, "PATH", path)

    with pytest.raises((ValueError, KeyError), match=said):
        observations.__wrapped__()


def test_every_row_has_a_cell_for_each_suite():
    assert all(all(others) for _, others in rows())
