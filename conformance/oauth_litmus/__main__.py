"""Run the command `oauth-litmus` as `python -m oauth_litmus`."""

from oauth_litmus.command.cli import main

main()
