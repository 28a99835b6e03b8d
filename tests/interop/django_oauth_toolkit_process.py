"""The Django project in a process of its own: its settings are those of a whole interpreter, and so are its warnings."""

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
    """Yield the origin of a new server with a database of its own; `strict` turns on every switch for RFC 9700.

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
                    raise RuntimeError("the Django server did not start: run the command to see why")
                yield origin
            finally:
                process.terminate()
