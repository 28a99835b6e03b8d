"""Run the Django project in its own process, because Django's settings and warning filters are global."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent


@contextmanager
def running(*, strict: bool = False) -> Generator[str]:
    """Yield the origin of a new server with its own database; `strict` enables all settings for RFC 9700.

    Raises:
        RuntimeError: the server does not start.
    """
    environment = {**os.environ, "NOTES_STRICT": "1" if strict else ""}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "django_oauth_toolkit_site.serve", str(Path(folder, "notes.sqlite"))]
        with subprocess.Popen(
            command,
            cwd=HERE,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                origin = process.stdout.readline().strip()
                if not origin:
                    raise RuntimeError(f"the Django server did not start; to see why, run {' '.join(command)}")
                yield origin
            finally:
                process.terminate()
