"""Dynamic client registration (RFC 7591): answers, errors, privileges, redirect URIs, and management (RFC 7592)."""
