"""Servers on Node.js: their packages are installed once, in pytest's cache, and each server runs in its own process."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent / "node"
_NPM_INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")
_INSTALL_SECONDS = 300
_STOP_SECONDS = 10


def installed(name: str, cache: Path) -> Path:
    """Copy `node/<name>`, install its packages if `package.json` has changed, and return the folder.

    If Node.js is missing or the installation fails, skip the test; on CI, a failed installation is an error.
    """
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not found: install Node.js 20 or later with npm")
    folder, source = cache / name, SOURCES / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted, stamp = (source / "package.json").read_text(), folder / "installed.json"
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
        if not stamp.exists() or stamp.read_text() != wanted:
            _install(folder)
            stamp.write_text(wanted)
    return folder


def _install(folder: Path) -> None:
    try:
        subprocess.run(_NPM_INSTALL, cwd=folder, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = str(error.stderr or error)
        if "CI" in os.environ:
            raise RuntimeError(f"`{' '.join(_NPM_INSTALL)}` failed in {folder}: {said}") from error
        pytest.skip(f"the packages of {folder.name} cannot be installed from the npm registry: {said.splitlines()[0]}")


@contextmanager
def served(folder: Path, **environment: str) -> Generator[str]:
    """Run `server.mjs` of an installed folder with this environment, and yield the origin that it prints when it listens.

    Raises:
        RuntimeError: the server stops before it listens.
    """
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["node", "server.mjs"],
            cwd=folder,
            env={**os.environ, "NODE_ENV": "production", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert process.stdout is not None
            origin = process.stdout.readline().strip()
            if not origin.startswith("http://"):
                raise RuntimeError(f"server.mjs does not start: {(folder / 'log').read_text()}")
            yield origin
        finally:
            process.terminate()
            process.communicate(timeout=_STOP_SECONDS)
