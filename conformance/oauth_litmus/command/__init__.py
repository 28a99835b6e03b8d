"""The command line: sub-commands, and what they print."""
