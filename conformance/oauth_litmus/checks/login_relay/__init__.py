"""The login that is relayed to an upstream provider (RFC 9700 section 4.7; MCP security best practices)."""
