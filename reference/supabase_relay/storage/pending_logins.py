"""Pending logins: accepted authorization requests whose users have not finished the login at Supabase."""

import time

from supabase_relay.opaque_tokens import hash_of
from supabase_relay.storage import keys
from supabase_relay.storage.connection import Connection
from supabase_relay.storage.records import PendingLogin


class PendingLogins:
    """Store pending logins under the hash of their state; each belongs to one browser and can be taken once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def save(self, state: str, login: PendingLogin) -> None:
        """Store a new pending login."""
        await self._connection.write_hash(_key(state), login.to_hash(), login.expires_at - time.time())

    async def find(self, state: str) -> PendingLogin | None:
        """Return the pending login with that state, even if it has expired: the caller checks that."""
        return PendingLogin.from_hash(await self._connection.read_hash(_key(state)))

    async def bind_browser(self, state: str, browser_hash: str) -> str | None:
        """Bind the login to its first browser and return the hash of the browser that it is bound to.

        Return None if the login does not exist any more.
        """
        answer = (await self._connection.run("bind_browser", [_key(state)], [browser_hash]))[0]
        return None if answer == "missing" else answer

    async def approve(self, state: str) -> bool:
        """Record the user's approval; False if the login does not exist any more."""
        return await self._connection.run("approve_login", [_key(state)]) == ["approved"]

    async def take(self, state: str) -> PendingLogin | None:
        """Remove the login from the store and return it: of concurrent callers, one gets it."""
        flat = await self._connection.run("take_login", [_key(state)])
        return PendingLogin.from_hash(dict(zip(flat[::2], flat[1::2], strict=True)))


def _key(state: str) -> str:
    return keys.pending_login(hash_of("state", state))
