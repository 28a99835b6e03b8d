"""Registered clients."""

import time

from supabase_relay.storage import keys
from supabase_relay.storage.connection import Connection
from supabase_relay.storage.records import Client


class Clients:
    """Keeps what was registered (RFC 7591) until the registration ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def save(self, client: Client) -> None:
        """Remember a new client."""
        lifetime = client.expires_at - time.time()
        await self._connection.write(keys.client(client.client_id), client.model_dump_json(), lifetime)

    async def find(self, client_id: str) -> Client | None:
        """The client of that id, expired ones included: whoever asks judges."""
        stored = await self._connection.read(keys.client(client_id))
        return Client.model_validate_json(stored) if stored else None
