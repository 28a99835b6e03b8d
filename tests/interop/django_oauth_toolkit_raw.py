"""Credentials and requests that the raw tests of django-oauth-toolkit share."""

import base64

METADATA = "/.well-known/oauth-authorization-server/o"


def basic(client_id, secret, scheme="Basic"):
    """HTTP Basic credentials as a header."""
    return {"authorization": f"{scheme} {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def bearer(token):
    """A bearer token as a header."""
    return {"authorization": f"Bearer {token}"}


def redeemed_by_basic(person, confidential_client, headers, **changes):
    """Redeem a new code with these headers and without a client id in the form."""
    client_id = confidential_client["client_id"]
    return person.redeem(client_id, person.code(client_id), headers, **{"client_id": None, **changes})
