"""The protected resource: which tokens open it (OAuth 2.1 section 5, RFC 8725), and for whom they were issued."""
