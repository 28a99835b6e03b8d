"""The token endpoint: answers and errors, and the binding of grants to clients (OAuth 2.1 sections 3.2 and 4.1.3)."""
