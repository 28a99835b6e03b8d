"""The example of docs/writing-a-check.md works: its requirement, check and broken server are loaded, judged, and as declared."""

import re
import shlex
from operator import attrgetter

import pytest
from copied_tree import ROOT, CopiedTree

from oauth_litmus import check, expect
from oauth_litmus.client import Target
from oauth_litmus.requirements import catalogue

DOCS = (ROOT / "docs" / "writing-a-check.md").read_text("utf-8")
COMMANDS = re.findall(r"^    python (-m .*)$", DOCS, re.MULTILINE)


def shown(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)


(REQUIREMENT,) = shown("toml")
CHECK, CHECK_THAT_SHARES, BROKEN_SERVER = shown("python")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The project with the example in the files that the page names."""
    copied = CopiedTree(tmp_path_factory.mktemp("writing"))
    with (copied.requirements / "replay.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{REQUIREMENT}")
    (copied.checks / "replay" / "after_refresh.py").write_text(CHECK, "utf-8")
    (copied.broken_servers / "replay" / "after_refresh.py").write_text(BROKEN_SERVER, "utf-8")
    return copied


def verdict_of(output: str) -> str:
    (line,) = [line for line in output.splitlines() if " REPLAY-99 " in line and "declared" not in line]
    return line.split()[0]


def test_the_id_of_the_example_is_free():
    assert "REPLAY-99" not in catalogue()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_is_shown_works(tree, command):
    done = tree.python(*shlex.split(command))

    assert done.returncode == 0, done.stdout + done.stderr
    assert verdict_of(done.stdout) == ("FAIL" if "--broken" in command else "PASS")


def test_the_check_that_shares_its_set_up_judges_the_same(tree):
    (module := tree.checks / "replay" / "after_refresh.py").write_text(CHECK_THAT_SHARES, "utf-8")
    try:
        for command in COMMANDS[:2]:
            done = tree.python(*shlex.split(command))
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        module.write_text(CHECK, "utf-8")


def test_the_requirement_that_is_shown_is_explained(tree):
    done = tree.python("-m", "oauth_litmus", "explain", "replay-99")

    assert "checks/replay/after_refresh.py:" in done.stdout, done.stderr


def test_every_verb_that_is_named_exists():
    for group, verb in set(re.findall(r"target\.(\w+)\.(\w+)", DOCS)):
        annotation = attrgetter(f"{group}.fget")(Target).__annotations__["return"]
        module = __import__("oauth_litmus.client.target", fromlist=[annotation])
        assert hasattr(getattr(module, annotation), verb), f"target.{group}.{verb}"


def test_every_expectation_and_argument_that_is_named_exists():
    assert all(hasattr(expect, name) for name in re.findall(r"\bexpect\.(\w+)", DOCS))
    arguments = set(re.findall(r"^\| `(\w+)=", DOCS, re.MULTILINE))
    assert arguments == {"needs", "logins", "waits", "holds_grants"}
    assert arguments <= set(check.check.__annotations__)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:conformance|fixtures|docs|requirements|checks)/[\w./]*)", DOCS)))
)
def test_every_place_that_is_named_exists(tree, path):
    assert (tree.folder / path).exists() or (tree.requirements.parent / path).exists()
