"""The cookie that binds a login to the browser (rfc6265bis; MCP security best practices)."""
