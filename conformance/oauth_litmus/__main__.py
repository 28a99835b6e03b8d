"""`python -m oauth_litmus` is the command `oauth-litmus`."""

from oauth_litmus.command.cli import main

main()
