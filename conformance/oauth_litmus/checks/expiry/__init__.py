"""Lifetimes of codes, logins, tokens and secrets, before and after expiry (OAuth 2.1 sections 4.1.2, 4.3.3 and 5.3.2)."""
