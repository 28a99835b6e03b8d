"""Limits per source address: every check here pushes, stays bounded, and runs only when asked to."""
