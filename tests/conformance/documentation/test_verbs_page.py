"""docs/verbs.md lists every verb, as the docstrings say it."""

import ast
from pathlib import Path

import oauth_litmus.client
from oauth_litmus.client.listing import groups_of_verbs, verbs_page

PAGE = Path(__file__).parents[3] / "docs" / "verbs.md"
GROUPS = [
    "clients",
    "authorization",
    "callbacks",
    "tokens",
    "grants",
    "logins",
    "resource",
    "races",
    "probing",
    "routes",
]


def test_the_page_is_up_to_date():
    assert PAGE.read_text("utf-8") == verbs_page(), "run: python -m oauth_litmus.client.listing > docs/verbs.md"


def test_every_group_is_on_the_page():
    assert list(groups_of_verbs()) == GROUPS


def test_every_public_method_of_a_group_is_on_the_page():
    classes = {group.__name__: f"target.{name}" for name, group in groups_of_verbs().items()}
    classes |= {"Session": "target", "Target": "target"}
    found = set()
    for path in Path(oauth_litmus.client.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name in classes:
                found |= {
                    f"{classes[node.name]}.{each.name}"
                    for each in node.body
                    if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and not each.name.startswith("_")
                }

    page = PAGE.read_text("utf-8")
    shown = {verb for verb in found if f"{verb}(" in page or f"`{verb}`" in page}
    assert found == shown
    assert len(found) > 100


def test_no_verb_is_without_a_sentence():
    assert not [line for line in verbs_page().splitlines() if line.endswith("|  |")]
