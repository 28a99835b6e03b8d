"""Single use of codes and refresh tokens, rotation, and families (OAuth 2.1 sections 4.1.3 and 4.3.1)."""
