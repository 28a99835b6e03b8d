"""The endpoints: HTTP in, HTTP out."""
