"""The server under test: its profile, discovery, and the facts that the run has seen."""
