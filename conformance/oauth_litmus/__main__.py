"""`python -m oauth_litmus` is the command `oauth-litmus`."""

from oauth_litmus.cli import main

main()
