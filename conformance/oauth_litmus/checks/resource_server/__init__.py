"""The protected resource: which tokens it accepts (OAuth 2.1 section 5, RFC 8725), and for which resource they were issued."""
