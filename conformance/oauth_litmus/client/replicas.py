"""Verbs for replicas: the same server, seen at one of the instances behind its issuer."""

from __future__ import annotations

import copy
from typing import Self

from oauth_litmus.client.resource import ResourceVerbs
from oauth_litmus.http.route import Route
from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked


class ReplicaVerbs(ResourceVerbs):
    """What a client would do through a balancer, with the choice of the instance in the suite's hand."""

    def at(self, route: Route) -> Self:
        """The same check from the same address, whose requests for the issuer go to this replica."""
        twin = copy.copy(self)
        twin.route = route
        return twin

    async def replicas(self) -> list[Self]:
        """Every replica that the operator named, each seen to answer for the issuer.

        Raises:
            Blocked: one of them does not, so that what it says of codes and tokens would say nothing.
        """
        return [self.at(route) for route in await self.routes()]

    async def routes(self) -> list[Route]:
        """The ways to the replicas; all checks share them.

        Raises:
            Blocked: one of the replicas does not answer for the issuer.
        """
        return [await self.route_to(origin) for origin in dict.fromkeys(self.server.profile.replicas)]

    async def route_to(self, origin: str) -> Route:
        """The way to one replica; all checks share it.

        Raises:
            Blocked: it does not answer for the issuer.
        """
        return await self.once(("replica", origin), lambda: self._route_to(origin))

    @property
    def place(self) -> str:
        """Where requests for the issuer go, for the reader of a verdict."""
        return self.route.origin if self.route else self.server.issuer

    async def _route_to(self, origin: str) -> Route:
        # Instances may check Host, and TLS certificates may be for either name: the issuer's comes first, as behind a balancer.
        said: dict[str, tuple[int, ...]] = {}
        for route in (Route(origin), Route(origin, keeps_host=False)):
            try:
                answer = await self.at(route).send(
                    "GET",
                    self.server.discovered.metadata_url,
                    kind=Kind.RESOURCE,
                    headers={"accept": "application/json"},
                )
            except Blocked as error:
                said[str(error)] = error.exchanges
                continue
            issuer = answer.member("issuer")
            if answer.status == 200 and issuer == self.server.issuer:
                return route
            what = f"names the issuer {issuer}" if issuer else f"answers {answer.status} where its metadata should be"
            said[f"it {what}"] = (answer.number,)
        raise Blocked(
            f"the replica {origin} does not answer for {self.server.issuer}: {'; '.join(said)}. Give the address of one "
            "instance, and the headers that a balancer would add (in the profile, as `[http] headers`), or leave it out",
            tuple(number for numbers in said.values() for number in numbers),
        )
