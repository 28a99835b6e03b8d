"""Write the parts of a new check: its row, its function, and a broken server, each with `TODO` where a person continues.

`nox -s new-check -- CATEGORY ID name` runs this. It imports nothing of the project, so it works in a tree that does not import.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
WRONG_USAGE = 2
USAGE = "usage: nox -s new-check -- CATEGORY ID name    for example: nox -s new-check -- replay REPLAY-17 code_is_bound"

_ID = re.compile(r"[A-Z]+-\d{2}[a-z]?")
_NAME = re.compile(r"[a-z][a-z0-9_]*")

_ROW = """\
[[requirement]]
id = "{id}"
title = "TODO: the right behaviour, in a few words"
level = "MUST"
clauses = ["TODO: OAuth 2.1 §…"]
statement = "TODO: one sentence that a server keeps or breaks."
"""

_CHECK_IMPORTS = ("from oauth_litmus.check import check", "from oauth_litmus.client import Target")
_CHECK = '''\
@check("{id}")
async def {name}(target: Target) -> None:
    """TODO: say in one sentence what the check does."""
    # TODO: declare needs={{…}}, logins, waits and holds_grants above, if the check has any.
    raise NotImplementedError("TODO: write this check")
'''

_BROKEN_IMPORTS = (
    "from collections.abc import Callable",
    "from litmus_fixtures.broken_servers.registry import broken",
    "from supabase_relay.grants.authorization_code import find_code",
)
_BROKEN = '''\
@broken(find_code, fails={{"{id}"}})
def {broken}(good: Callable[..., object], *arguments: object) -> object:
    """TODO: say in one sentence what is wrong with this server."""
    # TODO: choose the seam to override, name the function after the defect, and break one thing.
    return good(*arguments)
'''


class WrongUsageError(Exception):
    """The new check cannot be written; the message is one sentence for the user."""


@dataclass(frozen=True)
class NewCheck:
    """A check that does not exist yet."""

    root: Path
    category: str
    id: str
    name: str

    @property
    def broken(self) -> str:
        """The name of the broken server, until a person names it after its defect."""
        return f"todo_{self.name}"

    @property
    def requirements(self) -> Path:
        """The TOML file of the category."""
        return self.root / "conformance" / "oauth_litmus" / "requirements" / f"{self.category}.toml"

    @property
    def checks(self) -> Path:
        """The folder with the checks of the category."""
        return self.root / "conformance" / "oauth_litmus" / "checks" / self.category

    @property
    def broken_servers(self) -> Path:
        """The folder, or the only module, with the broken servers of the category."""
        folder = self.root / "fixtures" / "litmus_fixtures" / "broken_servers" / self.category
        return folder if folder.is_dir() else folder.with_suffix(".py")


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Write the parts that the arguments ask for; return the exit status."""
    if len(arguments) != 3:
        print(USAGE, file=sys.stderr)
        return WRONG_USAGE
    new = NewCheck(root, *arguments)
    try:
        require_usable(new)
    except WrongUsageError as error:
        print(f"new-check: {error}", file=sys.stderr)
        return WRONG_USAGE
    for line in (*write(new), *left_to_do(new)):
        print(line)
    return 0


def require_usable(new: NewCheck) -> None:
    """Ensure that the category exists, and that the id and the names are well-formed and free.

    Raises:
        WrongUsageError: they are not.
    """
    known = sorted(path.stem for path in new.requirements.parent.glob("*.toml"))
    if new.category not in known:
        close = difflib.get_close_matches(new.category, known)
        raise WrongUsageError(
            f"there is no category {new.category!r}: {f'did you mean {close[0]}?' if close else ', '.join(known)}"
        )
    if not _ID.fullmatch(new.id):
        raise WrongUsageError(f"{new.id!r} is not an id: write PREFIX-NN, or PREFIX-NNa, as in REPLAY-17")
    for category in known:
        rows = tomllib.loads(new.requirements.with_name(f"{category}.toml").read_text("utf-8"))["requirement"]
        if any(row["id"] == new.id for row in rows):
            raise WrongUsageError(f"{new.id} is taken: requirements/{category}.toml has it already")
    prefixes = tomllib.loads(new.requirements.read_text("utf-8"))["prefixes"]
    if new.id.partition("-")[0] not in prefixes:
        raise WrongUsageError(f"{new.id} does not fit {new.category}, whose ids begin with {' or '.join(prefixes)}")
    if not _NAME.fullmatch(new.name) or keyword.iskeyword(new.name):
        raise WrongUsageError(f"{new.name!r} is not a name for a function: write it as in code_is_good_once")
    servers = new.root / "fixtures" / "litmus_fixtures" / "broken_servers"
    for folder, name in ((new.checks, new.name), (servers, new.broken)):
        for path in folder.rglob("*.py"):
            if re.search(rf"\bdef {name}\(", path.read_text("utf-8")):
                raise WrongUsageError(f"{name} is taken: {path.relative_to(new.root)} has a function of this name")


def write(new: NewCheck) -> Iterator[str]:
    """Write the three parts; yield a line for each."""
    neighbours = list(_neighbours(new))
    values = {"id": new.id, "name": new.name, "broken": new.broken}
    new.requirements.write_text(_with_row(new.requirements.read_text("utf-8"), new.id), "utf-8")
    yield _wrote(new, new.requirements, new.id)
    module = _module_with(neighbours, [new.checks]) or _new_module(new.checks / f"{new.name}.py", new, "Checks")
    _append(module, _CHECK_IMPORTS, _CHECK.format(**values))
    yield _wrote(new, module, f"def {new.name}(")
    module = _module_with(neighbours, [new.broken_servers]) or _new_module(new.broken_servers, new, "Broken servers")
    _append(module, _BROKEN_IMPORTS, _BROKEN.format(**values))
    yield _wrote(new, module, f"def {new.broken}(")


def left_to_do(new: NewCheck) -> list[str]:
    """Say what a person has to do now."""
    return [
        "",
        "Left to do (docs/writing-a-check.md explains each step):",
        "  1. Fill in the row: title, level, clauses, statement; note and depends_on if needed.",
        f"  2. Write the check {new.name}. Move it to the module that has its subject.",
        f"  3. Rename {new.broken} after its defect, and break one thing. Move it likewise, and remove unused imports.",
        f"  4. python -m litmus_fixtures.worlds --only {new.id}",
        f"  5. python -m litmus_fixtures.worlds --broken NAME --only {new.category}",
        f"  6. python -m litmus_fixtures.worlds --straw VARIANT --only {new.id}    (configured, managed, openid, plain)",
        "  7. nox -s lint types tests-3.12 kill_matrix",
    ]


def _neighbours(new: NewCheck) -> Iterator[str]:
    """Ids of the category, the nearest first: those before the new one in descending order, then the others."""
    rows = tomllib.loads(new.requirements.read_text("utf-8"))["requirement"]
    prefix = new.id.partition("-")[0]
    same = [row["id"] for row in rows if row["id"].partition("-")[0] == prefix]
    yield from sorted((each for each in same if each < new.id), reverse=True)
    yield from sorted(each for each in same if each > new.id)
    yield from (row["id"] for row in rows if row["id"] not in same)


def _with_row(text: str, identifier: str) -> str:
    """Insert the row after the last one of its prefix with a smaller id, or at the end."""
    head, *rows = re.split(r"(?m)^(?=\[\[requirement\]\])", text)
    prefix = identifier.partition("-")[0]
    ids = [str(tomllib.loads(row)["requirement"][0]["id"]) for row in rows]
    before = [number for number, each in enumerate(ids) if each.partition("-")[0] == prefix and each < identifier]
    place = before[-1] + 1 if before else len(rows)
    rows.insert(place, _ROW.format(id=identifier))
    return head + "\n\n".join(row.strip("\n") for row in rows) + "\n"


def _module_with(identifiers: Sequence[str], places: Sequence[Path]) -> Path | None:
    """The module that names the first of these ids that any module names in a decorator."""
    modules = [path for place in places for path in (sorted(place.rglob("*.py")) if place.is_dir() else [place])]
    texts = {path: path.read_text("utf-8") for path in modules if path.exists()}
    for identifier in identifiers:
        for path, text in texts.items():
            if re.search(rf'@(check|broken)\([^)]*"{identifier}"', text):
                return path
    return None


def _new_module(path: Path, new: NewCheck, what: str) -> Path:
    path = path if path.suffix else path / f"{new.name}.py"
    path.parent.mkdir(exist_ok=True)
    initial = path.parent / "__init__.py"
    if not initial.exists():
        initial.write_text(f'"""{what} of the category {new.category}."""\n', "utf-8")
    if not path.exists():
        path.write_text(f'"""TODO: {what} about …"""\n\nfrom __future__ import annotations\n', "utf-8")
    return path


def _append(path: Path, imports: Sequence[str], code: str) -> None:
    """Add code to the end of a module, and the imports that it lacks after its last import."""
    text = path.read_text("utf-8")
    module = ast.parse(text)
    bound = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    lacking = [line for line in imports if line.rpartition(" ")[2] not in bound]
    last = max(
        (node.end_lineno or 0 for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)), default=1
    )
    lines = text.rstrip("\n").split("\n")
    lines[last:last] = lacking
    path.write_text("\n".join(lines) + f"\n\n\n{code}", "utf-8")


def _wrote(new: NewCheck, path: Path, what: str) -> str:
    lines = path.read_text("utf-8").split("\n")
    line = next(number for number, each in enumerate(lines, 1) if what in each)
    return f"wrote {path.relative_to(new.root)}:{line}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
