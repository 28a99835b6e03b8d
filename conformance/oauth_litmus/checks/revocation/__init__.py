"""Token revocation (RFC 7009) and introspection (RFC 7662)."""
