"""What all checks of one run share."""
