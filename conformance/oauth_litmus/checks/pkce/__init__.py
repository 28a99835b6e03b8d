"""Proof Key for Code Exchange (RFC 7636; OAuth 2.1 sections 4.1.1 and 4.1.3)."""
