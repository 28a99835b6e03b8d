"""Helpers that only checks use."""
