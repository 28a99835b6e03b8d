"""The published schema of the JSON report; `python -m oauth_litmus.report.schema` regenerates it from the model."""

from __future__ import annotations

import json
from pathlib import Path

from oauth_litmus.report.model import SCHEMA_VERSION, Report

PATH = Path(__file__).with_name("schema.json")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text() -> str:
    """Return the JSON schema of the current model."""
    schema = Report.model_json_schema(mode="serialization")
    head = {"$schema": DIALECT, "$id": f"urn:oauth-litmus:report:{SCHEMA_VERSION}"}
    return json.dumps({**head, **schema}, indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(schema_text(), "utf-8")
