"""The checks: a module per category, named like its TOML; a check is one function."""
