"""Registered clients."""

import time

from supabase_relay.storage import keys
from supabase_relay.storage.connection import Connection
from supabase_relay.storage.records import Client


class Clients:
    """Store registered clients (RFC 7591) until their registrations expire."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def save(self, client: Client) -> None:
        """Store a new client."""
        lifetime = client.expires_at - time.time()
        await self._connection.write(keys.client(client.client_id), client.model_dump_json(), lifetime)

    async def find(self, client_id: str) -> Client | None:
        """Return the client with that id, even if it has expired: the caller checks that."""
        stored = await self._connection.read(keys.client(client_id))
        return Client.model_validate_json(stored) if stored else None
