"""The rate limits of the target: what they are, and how requests wait for room in them."""
