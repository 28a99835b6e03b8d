"""Instances behind one issuer share their state: each accepts and refuses the same clients, codes and tokens."""
