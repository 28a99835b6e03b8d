"""The JSON report, and the writing of any report to a file."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from oauth_litmus.report.model import Report


class UnwritableReportError(Exception):
    """Raised when a report file cannot be written."""


def json_text(report: Report) -> str:
    """Return the report as JSON that conforms to `schema.json`."""
    return report.model_dump_json(indent=2) + "\n"


def write_report(path: Path, text: str) -> None:
    """Write a report in UTF-8.

    Raises:
        UnwritableReportError: the file cannot be written.
    """
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UnwritableReportError(f"cannot write the report {path}: {error.strerror or error}") from error


def ensure_writable(path: Path) -> None:
    """Check before a run that its report can be written; the file is left unchanged.

    Raises:
        UnwritableReportError: the file cannot be written.
    """
    is_new = not path.exists()
    try:
        path.open("ab").close()
    except OSError as error:
        raise UnwritableReportError(f"cannot write the report {path}: {error.strerror or error}") from error
    if is_new:
        with suppress(OSError):
            path.unlink()
