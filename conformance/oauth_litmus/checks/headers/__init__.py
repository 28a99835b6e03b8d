"""Headers and pages for browsers: CORS, framing, caching, and escaped values of the request."""
