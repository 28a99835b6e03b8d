"""The state that all checks of one run share."""
