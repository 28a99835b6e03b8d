"""The reports of a run: for a terminal, as JSON, and as JUnit XML."""
