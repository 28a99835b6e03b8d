"""Scope: how it is granted, disclosed, narrowed and enforced (OAuth 2.1 sections 1.4.1, 4.3 and 5.3.2)."""
