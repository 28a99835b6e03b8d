"""Authorization requests and their answers (OAuth 2.1 sections 4.1.1 and 4.1.2; RFC 9207)."""
