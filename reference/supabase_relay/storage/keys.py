"""The names of the store's keys: every key of one login carries the hash tag of its family (one slot in a cluster).

What stands in a key is a hash or has been checked for its shape, so that no input can leave its namespace.
"""


def client(client_id: str) -> str:
    """A registered client."""
    return f"relay:client:{{{client_id}}}"


def pending_login(state_hash: str) -> str:
    """An authorization request on its way through Supabase."""
    return f"relay:pending:{{{state_hash}}}"


def family(family: str) -> str:
    """The login itself."""
    return f"relay:{{{family}}}:family"


def code(family: str) -> str:
    """The one authorization code of a login."""
    return f"relay:{{{family}}}:code"


def refresh_token(family: str, token_hash: str) -> str:
    """One generation of the refresh token."""
    return f"relay:{{{family}}}:refresh:{token_hash}"


def successor(family: str, token_hash: str) -> str:
    """The answer that rotated the refresh token of that hash, kept for the leeway."""
    return f"relay:{{{family}}}:successor:{token_hash}"


def access_grant(family: str, token_hash: str) -> str:
    """What an access token was issued for."""
    return f"relay:{{{family}}}:access:{token_hash}"


def denied(family: str, token_hash: str) -> str:
    """An entry of the deny-list."""
    return f"relay:{{{family}}}:denied:{token_hash}"
