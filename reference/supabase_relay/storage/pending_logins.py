"""Authorization requests whose users are on the way to Supabase and back."""

import time

from supabase_relay.opaque_tokens import hash_of
from supabase_relay.storage import keys
from supabase_relay.storage.connection import Connection
from supabase_relay.storage.records import PendingLogin


class PendingLogins:
    """Keeps a pending login under the hash of its state; it belongs to one browser and is taken once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def save(self, state: str, login: PendingLogin) -> None:
        """Remember a new pending login."""
        await self._connection.write_hash(_key(state), login.to_hash(), login.expires_at - time.time())

    async def find(self, state: str) -> PendingLogin | None:
        """The pending login of that state, expired ones included: whoever asks judges."""
        return PendingLogin.from_hash(await self._connection.read_hash(_key(state)))

    async def bind_browser(self, state: str, browser_hash: str) -> str | None:
        """Bind the login to the first browser that comes; the hash of the browser that has it, None if it is gone."""
        answer = (await self._connection.run("bind_browser", [_key(state)], [browser_hash]))[0]
        return None if answer == "missing" else answer

    async def approve(self, state: str) -> bool:
        """Record the user's approval; False if the login is gone."""
        return await self._connection.run("approve_login", [_key(state)]) == ["approved"]

    async def take(self, state: str) -> PendingLogin | None:
        """Take the login out of the store: of several at once, one gets it."""
        flat = await self._connection.run("take_login", [_key(state)])
        return PendingLogin.from_hash(dict(zip(flat[::2], flat[1::2], strict=True)))


def _key(state: str) -> str:
    return keys.pending_login(hash_of("state", state))
