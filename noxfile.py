"""Every way to check the project. Bare `nox` is what CI runs; `nox -l` lists the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
NEWEST = PYTHONS[-1]
PACKAGES = {"conformance": "oauth_litmus", "reference": "supabase_relay", "fixtures": "litmus_fixtures"}
TESTS = ["tests/conformance", "tests/reference", "tests/fixtures"]
SLOW = [
    "tests/torture",
    "tests/conformance/whole_runs/test_allowed_answers.py",
    "tests/conformance/whole_runs/test_allowed_designs.py",
    "tests/conformance/whole_runs/test_allowed_responses.py",
    "tests/conformance/command/test_cli.py",
    "tests/conformance/command/test_cli_bad_input.py",
    "tests/conformance/documentation/test_new_check.py",
    "tests/conformance/documentation/test_writing_docs.py",
    "tests/conformance/login/test_manual_login.py",
    "tests/conformance/whole_runs/test_other_allowed_choices.py",
    "tests/conformance/test_pytest_plugin.py",
    "tests/conformance/whole_runs/test_replicas.py",
    "tests/conformance/whole_runs/test_ordinary_limits.py",
    "tests/conformance/whole_runs/test_straw_server_is_clean.py",
    "tests/reference/test_relay_openapi.py",
    "tests/reference/test_relay_races.py",
]
"""Slow tests, which run on one Python only: delayed requests, separate processes, whole runs."""
PARALLEL = ["-n", "2", "--dist", "worksteal"]
WAITING = ["-n", "3", "--dist", "worksteal"]
"""Workers that mostly wait: two cores have room for three."""
BY_FILE = ["--dist", "loadfile", "--durations=5"]
MATRIX = ["--durations=5", "tests/kill_matrix"]
IN_PROCESS = [*PARALLEL, "-m", "not sockets", *MATRIX]
OVER_SOCKETS = [*WAITING, "-m", "sockets", *MATRIX]
"""Separate, because a race between two processes needs both to run at the same moment."""
DEMO = ["-n", "2", *BY_FILE, "tests/demo"]
"""Separate, because grants with lifetimes of seconds expire while other tests use the cores."""
OTHERS = ["-n", "3", *BY_FILE, "tests/races", "tests/interop"]
MUST_BE_IN_THE_WHEEL = [
    "oauth_litmus/py.typed",
    "oauth_litmus/report/schema.json",
    "oauth_litmus/requirements/pkce.toml",
    "supabase_relay/py.typed",
    "supabase_relay/storage/lua/spend_code.lua",
    "supabase_relay/templates/consent.html",
    "litmus_fixtures/py.typed",
    "litmus_fixtures/supabase_sim/templates/google.html",
]

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"  # uv fills an environment in seconds; it comes with nox[uv]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests", "once", "build"]


# The tests start hundreds of short processes. Compiling every module again would take most of their time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _let_pyenv_show_its_versions() -> None:
    """Activate all versions of pyenv: its shims fail for versions that are not active."""
    if shutil.which("pyenv") is None or "PYENV_VERSION" in os.environ:
        return
    installed = subprocess.run(
        ["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False
    ).stdout.split()
    wanted = [version for python in PYTHONS for version in installed if version.startswith(f"{python}.")]
    if wanted:
        os.environ["PYENV_VERSION"] = ":".join(reversed(wanted))


_let_pyenv_show_its_versions()


def _newest_there_is() -> str:
    return next((python for python in reversed(PYTHONS) if _runs(f"python{python}")), "python3")


def _runs(name: str) -> bool:
    return (
        shutil.which(name) is not None
        and subprocess.run([name, "-c", ""], capture_output=True, check=False).returncode == 0
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff (rules and format) and the import contract."""
    session.install("ruff", "import-linter")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache", env={"PYTHONPATH": os.pathsep.join(PACKAGES)})


@nox.session(python=_newest_there_is())
def types(session: nox.Session) -> None:
    """Pyright, strict, on all three packages."""
    session.install("-e", ".[reference,test,browser]", "pyright")
    session.run("pyright")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Tests of the suite, the reference and the fixtures, without the slow ones."""
    session.install("-e", ".[reference,test]")
    if session.posargs:
        session.run("pytest", "-q", *session.posargs)
        return
    session.run("pytest", "-q", *PARALLEL, *(f"--ignore={path}" for path in SLOW), *TESTS)


@nox.session(python=_newest_there_is())
def once(session: nox.Session) -> None:
    """The slow tests and the sessions `conformance` and `kill_matrix`, on one Python."""
    session.install("-e", ".[reference,test]")
    with tempfile.TemporaryDirectory() as good_runs:
        env = {"LITMUS_GOOD_RUNS": good_runs}
        with _behind(session, *IN_PROCESS, **env):
            session.run("pytest", "-q", *WAITING, *SLOW)
            session.run("pytest", "-q", *DEMO)
            session.run("pytest", "-q", *OTHERS)
            session.run("pytest", "-q", *OVER_SOCKETS, env=env)


@contextmanager
def _behind(session: nox.Session, *arguments: str, **env: str) -> Iterator[None]:
    """Run pytest at low priority beside the body, and print its output after the body."""
    polite = ["nice", "-n", "19"] if shutil.which("nice") else []
    command = [*polite, f"{session.bin}/python", "-m", "pytest", "-q", *arguments]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, env={**os.environ, **env})
        try:
            yield
        finally:
            failed = process.wait()
            printed.seek(0)
            session.log("%s\n%s", " ".join(command), printed.read())
    if failed:
        session.error(f"pytest {' '.join(arguments)}: exit code {failed}")


@nox.session(python=_newest_there_is())
def kill_matrix(session: nox.Session) -> None:
    """The kill matrix: each broken server fails exactly the checks that it names."""
    session.install("-e", ".[reference,test]")
    if session.posargs:
        session.run("pytest", "-q", *PARALLEL, "tests/kill_matrix", *session.posargs)
        return
    with tempfile.TemporaryDirectory() as good_runs:
        session.run("pytest", "-q", *IN_PROCESS, env={"LITMUS_GOOD_RUNS": good_runs})
        session.run("pytest", "-q", *OVER_SOCKETS, env={"LITMUS_GOOD_RUNS": good_runs})


@nox.session(python=_newest_there_is())
def conformance(session: nox.Session) -> None:
    """The suite over sockets: against the demo, the reference on a real Valkey server, and five servers by other authors."""
    session.install("-e", ".[reference,test]")
    if session.posargs:
        session.run("pytest", "-q", *session.posargs)
        return
    session.run("pytest", "-q", *DEMO)
    session.run("pytest", "-q", *OTHERS)


@nox.session(python=_newest_there_is())
def browser(session: nox.Session) -> None:
    """The login driver with a real browser, against the demo (needs a Chromium in PATH)."""
    session.install("-e", ".[reference,test,browser]")
    session.run("pytest", "-q", "tests/browser", *session.posargs)


@nox.session(python=_newest_there_is())
def races(session: nox.Session) -> None:
    """The races of four relay processes, 200 rounds each (some minutes)."""
    session.install("-e", ".[reference,test]")
    session.run("pytest", "-q", "tests/races", *session.posargs, env={"LITMUS_RACE_ROUNDS": "200"})


@nox.session(python=_newest_there_is())
def endurance(session: nox.Session) -> None:
    """Whole runs in real time against ordinary limits, side by side, and over a slow link (three quarters of an hour)."""
    session.install("-e", ".[reference,test]")
    # A test with a time limit of seconds runs alone.
    session.run("pytest", "-q", "-rP", "tests/endurance", "-k", "without_limits", *session.posargs)
    session.run("pytest", "-q", "-n", "4", "-rP", "tests/endurance", "-k", "not without_limits", *session.posargs)


@nox.session(python=_newest_there_is())
def kill_matrix_full(session: nox.Session) -> None:
    """Every broken server against every check (some minutes)."""
    session.install("-e", ".[reference,test]")
    session.run("pytest", "-q", *PARALLEL, "tests/kill_matrix", *session.posargs, env={"LITMUS_FULL_MATRIX": "1"})


@nox.session(name="new-check", python=_newest_there_is())
def new_check(session: nox.Session) -> None:
    """Write the parts of a new check: `nox -s new-check -- CATEGORY ID name`."""
    session.install("ruff")
    session.run("python", "tools/new_check.py", *session.posargs)
    session.run("ruff", "check", "--fix", "--quiet", "conformance", "fixtures", success_codes=[0, 1])
    session.run("ruff", "format", "--quiet", "conformance", "fixtures")


@nox.session
def build(session: nox.Session) -> None:
    """Build the wheel, open it, and use the suite from it alone, without any extra."""
    session.install("build")
    out = Path(session.create_tmp())
    session.run("python", "-m", "build", "--wheel", "--outdir", str(out), silent=True)
    wheel = max(out.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    names = set(zipfile.ZipFile(wheel).namelist())
    missing = [name for name in MUST_BE_IN_THE_WHEEL if name not in names]
    strangers = {name.partition("/")[0] for name in names if ".dist-info/" not in name} - set(PACKAGES.values())
    if missing or strangers:
        session.error(f"{wheel.name}: missing {missing}, publishes strangers {sorted(strangers)}")
    session.install("--force-reinstall", "--no-deps", str(wheel))
    session.install(str(wheel))
    session.run("oauth-litmus", "list", silent=True)
    session.run(
        "python", "-c", "import importlib.util as u; assert not u.find_spec('starlette') and not u.find_spec('redis')"
    )
    output = session.run("oauth-litmus", "demo", success_codes=[2], silent=True) or ""
    if "oauth-litmus[reference]" not in output:
        session.error(f"`oauth-litmus demo` without the extra must name it; it said: {output}")
