"""The grants and the revocation: each is a list of small named steps in the order of the specification."""
