"""The server under test, as a check uses it: a correct OAuth client, with one group of verbs for each subject."""

from __future__ import annotations

from typing import Self

from oauth_litmus.client.authorization import Authorization
from oauth_litmus.client.callbacks import Callbacks
from oauth_litmus.client.clients import Clients
from oauth_litmus.client.grants import Grants
from oauth_litmus.client.logins import SharedLogins
from oauth_litmus.client.probing import Probing
from oauth_litmus.client.races import Races
from oauth_litmus.client.replicas import Replicas
from oauth_litmus.client.resource import ProtectedResource
from oauth_litmus.client.session import Session
from oauth_litmus.client.tokens import TokenEndpoint


class Target(Session):
    """The server under test. Each verb does one thing right; a check makes it deviate.

    The groups hold no state, so each access makes them anew, for this session.
    """

    @property
    def session(self) -> Self:
        """The session through which verbs send."""
        return self

    @property
    def clients(self) -> Clients:
        """Registers clients and hands out shared ones."""
        return Clients(self)

    @property
    def authorization(self) -> Authorization:
        """Sends authorization requests and walks through logins."""
        return Authorization(self, self.clients)

    @property
    def callbacks(self) -> Callbacks:
        """Holds callbacks of the upstream and delivers them."""
        return Callbacks(self, self.clients, self.authorization)

    @property
    def tokens(self) -> TokenEndpoint:
        """Redeems codes, refreshes and revokes tokens."""
        return TokenEndpoint(self)

    @property
    def grants(self) -> Grants:
        """Gets tokens by whole logins, and saves logins where checks can share."""
        return Grants(self, self.clients, self.authorization, self.tokens)

    @property
    def logins(self) -> SharedLogins:
        """Logins that several checks share and only look at."""
        return SharedLogins(self, self.clients, self.authorization, self.grants)

    @property
    def resource(self) -> ProtectedResource:
        """Calls the protected resource."""
        return ProtectedResource(self, self.clients, self.authorization, self.callbacks, self.tokens, self.grants)

    @property
    def races(self) -> Races:
        """Lets requests of one check arrive together."""
        return Races(self, self.callbacks)

    @property
    def probing(self) -> Probing:
        """Tries what a server ought to refuse, with grants that several probes share."""
        return Probing(self, self.clients, self.authorization, self.callbacks, self.tokens, self.grants)

    @property
    def routes(self) -> Replicas:
        """Finds the routes to the replicas that the operator named."""
        return Replicas(self)

    async def replicas(self) -> list[Self]:
        """This target at every replica that the operator named.

        Raises:
            Blocked: a replica does not answer for the issuer.
        """
        return [self.at(route) for route in await self.routes.all()]
