"""The clients that a run registered, and what it takes to remove them (RFC 7592)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer


@dataclass(frozen=True)
class RegisteredClient:
    """A client that the run registered. With a management URI it can be removed again (RFC 7592)."""

    client_id: str
    management_uri: str
    management_token: str


@dataclass
class RegisteredClients:
    """All clients that the run registered and that were not removed by a check."""

    entries: list[RegisteredClient] = field(default_factory=list[RegisteredClient])
    left_behind: list[str] = field(default_factory=list[str])
    """The `client_id` of each client that could not be removed at the end of the run."""

    def add(self, answer: Answer) -> None:
        """Remember the client of a registration response."""
        self.entries.append(
            RegisteredClient(
                answer.member("client_id"),
                answer.member("registration_client_uri"),
                answer.member("registration_access_token"),
            )
        )

    def renew_token(self, client_id: str, management_token: str) -> None:
        """Replace the registration access token of a client (RFC 7592 section 3)."""
        self.entries = [
            replace(client, management_token=management_token) if client.client_id == client_id else client
            for client in self.entries
        ]

    def forget(self, client_id: str) -> None:
        """Drop a client that a check has removed itself."""
        self.entries = [client for client in self.entries if client.client_id != client_id]
