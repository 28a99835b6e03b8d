"""How a person gets through the login: a browser that is walked, or a person who is asked."""
