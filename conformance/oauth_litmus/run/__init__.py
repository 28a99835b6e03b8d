"""One run from connection to the last verdict: plan, preflight, engine, removal of what was registered."""
