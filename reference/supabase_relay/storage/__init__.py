"""The relay's store and its atomic operations; only this package and the rate limiter use Redis."""
