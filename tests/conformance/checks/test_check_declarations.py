"""A check that is declared wrongly is refused when its module is imported, with a sentence."""

import pytest

from oauth_litmus import check as registry
from oauth_litmus.check import BadDeclarationError, Need, check
from oauth_litmus.checks import all_checks
from oauth_litmus.requirements import Requirement, catalogue, categories, category_of
from oauth_litmus.run.plan import Selection
from oauth_litmus.verdict import Level

EXCLUDED = Requirement(
    id="REPLAY-01", title="t", level=Level.MUST, clauses=("RFC 6749 §1",), statement="s", excluded="cannot be seen"
)


@pytest.fixture
def nothing_declared(monkeypatch):
    monkeypatch.setattr(registry, "_registry", {})


def a_check(docstring="Does it once.", module="oauth_litmus.checks.replay"):
    async def right_behaviour(target):
        return target

    return placed(right_behaviour, docstring, module)


def placed(function, docstring="Does it once.", module="oauth_litmus.checks.replay"):
    function.__doc__, function.__module__ = docstring, module
    return function


def synchronous(target):
    return target


async def greedy(target, clock):
    return target, clock


def test_a_declared_check_knows_its_requirement_and_where_it_belongs(nothing_declared):
    check("REPLAY-01", needs={Need.LOGIN})(a_check())

    declared = registry._registry["REPLAY-01"]
    assert (declared.id, declared.category, declared.name) == ("REPLAY-01", "replay", "right_behaviour")


@pytest.mark.parametrize(
    ("needs", "said", "spent"), [({Need.LOGIN}, None, 1), (None, None, 0), ({Need.LOGIN}, 4, 4), (None, 2, 2)]
)
def test_a_check_that_needs_a_login_spends_one_unless_it_says_otherwise(nothing_declared, needs, said, spent):
    check("REPLAY-01", needs=needs, logins=said)(a_check())

    assert registry._registry["REPLAY-01"].logins == spent


@pytest.mark.parametrize(
    ("identifier", "function", "sentence"),
    [
        ("REPLAY-99", a_check(), "no requirement REPLAY-99 in the catalogue"),
        ("REPLAY-01", a_check(module="oauth_litmus.checks.pkce"), r"belongs in checks/replay/"),
        ("REPLAY-01", placed(synchronous), r"a check must be `async def name\(target\)`"),
        ("REPLAY-01", placed(greedy), r"a check must be `async def name\(target\)`"),
        ("REPLAY-01", a_check(docstring=None), "the docstring is missing"),
    ],
)
def test_a_wrong_declaration_is_refused(nothing_declared, identifier, function, sentence):
    with pytest.raises(BadDeclarationError, match=sentence):
        check(identifier)(function)

    assert not registry._registry


def test_a_requirement_has_one_check(nothing_declared):
    check("REPLAY-01")(a_check())

    with pytest.raises(BadDeclarationError, match="REPLAY-01 already has a check, right_behaviour"):
        check("REPLAY-01")(a_check())


def test_what_is_excluded_has_no_check(nothing_declared, monkeypatch):
    monkeypatch.setattr(registry, "catalogue", lambda: {"REPLAY-01": EXCLUDED})

    with pytest.raises(BadDeclarationError, match="REPLAY-01 is excluded: cannot be seen"):
        check("REPLAY-01")(a_check())


def test_checks_come_in_the_order_of_the_catalogue():
    assert list(all_checks()) == [identifier for identifier in catalogue() if identifier in all_checks()]


def test_a_requirement_stands_in_the_category_of_its_file():
    assert {category_of(identifier) for identifier in catalogue()} <= set(categories())


def test_an_unknown_requirement_is_of_no_category():
    with pytest.raises(KeyError):
        category_of("REPLAY-99")


def test_a_selection_of_everything_is_every_check():
    assert Selection().checks() == list(all_checks().values())
