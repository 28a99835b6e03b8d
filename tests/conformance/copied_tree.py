"""A copy of the packages in a folder of a test, to add files to and run commands in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("conformance", "reference", "fixtures")


class CopiedTree:
    """The packages of the project, copied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in PACKAGES:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.requirements = folder / "conformance" / "oauth_litmus" / "requirements"
        self.checks = folder / "conformance" / "oauth_litmus" / "checks"
        self.broken_servers = folder / "fixtures" / "litmus_fixtures" / "broken_servers"

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run this Python with the packages of the copy."""
        path = os.pathsep.join(str(self.folder / name) for name in PACKAGES)
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
