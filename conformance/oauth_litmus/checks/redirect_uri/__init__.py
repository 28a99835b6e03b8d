"""Redirect URIs at the authorization and token endpoints (OAuth 2.1 sections 2.3 and 4.1.1; RFC 9700 section 4.1)."""
