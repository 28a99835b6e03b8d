"""The grants of the token endpoint, each a list of small named steps in the order of the specification."""
