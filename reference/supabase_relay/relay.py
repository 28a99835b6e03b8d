"""The components of a relay, for the routes and the grants."""

from dataclasses import dataclass

from supabase_relay.access_tokens import AccessTokens
from supabase_relay.ratelimit import RateLimiter
from supabase_relay.sealing import Sealer
from supabase_relay.settings import Settings
from supabase_relay.storage.clients import Clients
from supabase_relay.storage.connection import Connection
from supabase_relay.storage.grants import Grants
from supabase_relay.storage.pending_logins import PendingLogins
from supabase_relay.upstream import Supabase
from supabase_relay.verifier import Verifier


@dataclass(frozen=True)
class Relay:
    """All components of one relay; `create_app` builds it once."""

    settings: Settings
    store: Connection
    clients: Clients
    pending_logins: PendingLogins
    grants: Grants
    sealer: Sealer
    supabase: Supabase
    access_tokens: AccessTokens
    verifier: Verifier
    limiter: RateLimiter
