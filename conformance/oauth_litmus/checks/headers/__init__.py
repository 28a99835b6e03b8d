"""What browsers are told: CORS, framing, caching, and what pages repeat."""
