"""The names of the store's keys. All keys of one login have its family as hash tag, so a cluster keeps them in one slot.

Every variable part of a key is a hash, or its characters were checked, so that no input can leave its namespace.
"""


def client(client_id: str) -> str:
    """Return the key of a registered client."""
    return f"relay:client:{{{client_id}}}"


def pending_login(state_hash: str) -> str:
    """Return the key of a pending login."""
    return f"relay:pending:{{{state_hash}}}"


def family(family: str) -> str:
    """Return the key of a family, which is one login."""
    return f"relay:{{{family}}}:family"


def code(family: str) -> str:
    """Return the key of a login's only authorization code."""
    return f"relay:{{{family}}}:code"


def refresh_token(family: str, token_hash: str) -> str:
    """Return the key of one generation of the refresh token."""
    return f"relay:{{{family}}}:refresh:{token_hash}"


def successor(family: str, token_hash: str) -> str:
    """Return the key of the answer to a rotation, which is kept for the leeway; the hash is of the rotated token."""
    return f"relay:{{{family}}}:successor:{token_hash}"


def access_grant(family: str, token_hash: str) -> str:
    """Return the key of the grant behind an access token."""
    return f"relay:{{{family}}}:access:{token_hash}"


def denied(family: str, token_hash: str) -> str:
    """Return the key of a deny-list entry."""
    return f"relay:{{{family}}}:denied:{token_hash}"
