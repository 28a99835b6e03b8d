"""What is known of the server under test: the profile, discovery, and what the run has seen of it."""
