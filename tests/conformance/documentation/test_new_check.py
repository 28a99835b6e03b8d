"""`nox -s new-check` writes a row, a check and a broken server that the registries accept; bad input is one sentence."""

import pytest
from copied_tree import ROOT, CopiedTree

from oauth_litmus.requirements import catalogue, categories


def free_id(prefix):
    """An id of a prefix that no requirement has."""
    return next(each for number in range(98, 0, -1) if (each := f"{prefix}-{number:02}") not in catalogue())


NEW = {name: free_id(category.prefixes[0]) for name, category in categories().items()}
IMPORTED = """
import inspect
from litmus_fixtures.broken_servers.registry import all_broken_servers
from oauth_litmus.checks import all_checks
for category, identifier in {new!r}.items():
    check = all_checks()[identifier]
    assert (check.category, check.name) == (category, f"right_in_{{category}}"), check
    assert "TODO" in (check.function.__doc__ or "")
    assert "TODO" in check.requirement.title
    server = all_broken_servers()[f"todo_right_in_{{category}}"]
    assert (server.fails, server.category) == ({{identifier}}, category), server
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return CopiedTree(tmp_path_factory.mktemp("new-check"))


def new_check(tree, *arguments):
    (tool := tree.folder / "tools" / "new_check.py").parent.mkdir(exist_ok=True)
    tool.write_text((ROOT / "tools" / "new_check.py").read_text("utf-8"), "utf-8")
    return tree.python("-I", str(tool), *arguments)


@pytest.fixture(scope="module")
def written(tree):
    """The output of the command that writes a check, for each category."""
    done = {name: new_check(tree, name, identifier, f"right_in_{name}") for name, identifier in NEW.items()}
    assert {each.returncode for each in done.values()} == {0}, [each.stderr for each in done.values()]
    return {name: each.stdout for name, each in done.items()}


def test_what_is_written_is_accepted_by_the_registries(tree, written):
    done = tree.python("-c", IMPORTED.format(new=NEW))

    assert done.returncode == 0, done.stderr


def test_the_lines_that_are_told_hold_what_was_written(tree, written):
    for name, said in written.items():
        told = [line.removeprefix("wrote ").split(":") for line in said.splitlines() if line.startswith("wrote ")]
        row, check, broken = ((tree.folder / path).read_text("utf-8").split("\n")[int(line) - 1] for path, line in told)
        assert NEW[name] in row
        assert f"def right_in_{name}(" in check
        assert f"def todo_right_in_{name}(" in broken


def test_what_is_left_to_do_is_told(written):
    for name, said in written.items():
        assert "Left to do (docs/writing-a-check.md" in said
        assert f"python -m litmus_fixtures.worlds --only {NEW[name]}" in said


def test_a_new_check_ends_in_an_error_until_it_is_written(tree, written):
    done = tree.python("-m", "litmus_fixtures.worlds", "--only", NEW["pkce"])

    assert done.returncode == 1
    assert f"ERROR    {NEW['pkce']}     NotImplementedError: TODO: write this check" in done.stdout


def test_a_row_stands_behind_the_one_before_it(tree, written):
    assert new_check(tree, "pkce", "PKCE-08z", "right").returncode == 0

    rows = (tree.requirements / "pkce.toml").read_text("utf-8")
    assert rows.index('"PKCE-08"') < rows.index('"PKCE-08z"') < rows.index('"PKCE-09"')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replays", "REPLAY-99", "right"], "there is no category 'replays': did you mean replay?"),
        (["nothing", "REPLAY-99", "right"], "there is no category 'nothing': authorization_request, "),
        (["replay", "REPLAY-01", "right"], "REPLAY-01 is taken: requirements/replay.toml has it already"),
        (["pkce", "REPLAY-01", "right"], "REPLAY-01 is taken: requirements/replay.toml has it already"),
        (["replay", "PKCE-99", "right"], "PKCE-99 does not fit replay, whose ids begin with REPLAY"),
        (["replay", "replay-99", "right"], "'replay-99' is not an id: write PREFIX-NN"),
        (["replay", "REPLAY-99", "not-a-name"], "'not-a-name' is not a name for a function"),
        (["replay", "REPLAY-99", "class"], "'class' is not a name for a function"),
        (["replay", "REPLAY-99", "../code"], "'../code' is not a name for a function"),
        (["../replay", "REPLAY-99", "right"], "there is no category '../replay'"),
        (["replay", "REPLAY-99", "code_works_once"], "code_works_once is taken: conformance/oauth_litmus/checks/"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(tree, arguments, said):
    before = {path: path.stat().st_mtime_ns for path in tree.folder.rglob("*.py")}

    done = new_check(tree, *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith(f"new-check: {said}")
    assert done.stderr.count("\n") == 1
    after = {path: path.stat().st_mtime_ns for path in tree.folder.rglob("*.py")}
    assert {path for path in before if before[path] != after[path]} <= {tree.folder / "tools" / "new_check.py"}


def test_too_few_arguments_show_the_usage(tree):
    done = new_check(tree, "replay")

    assert done.returncode == 2
    assert done.stderr.startswith("usage: nox -s new-check -- CATEGORY ID name")


def test_no_id_of_the_test_is_in_the_catalogue():
    assert not set(NEW.values()) & set(catalogue())
