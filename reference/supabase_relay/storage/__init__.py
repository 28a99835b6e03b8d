"""What the relay remembers, behind atomic verbs; the only package that knows Redis."""
