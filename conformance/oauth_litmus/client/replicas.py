"""Replicas: the same server, reached at one of the instances behind its issuer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.http.route import Route
from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.client.session import Session


@dataclass(frozen=True)
class Replicas:
    """Finds the routes to the replicas that the operator named."""

    session: Session

    async def all(self) -> list[Route]:
        """The routes to all replicas. All checks share them.

        Raises:
            Blocked: a replica does not answer for the issuer.
        """
        return [await self.to(origin) for origin in dict.fromkeys(self.session.server.profile.replicas)]

    async def to(self, origin: str) -> Route:
        """The route to one replica. All checks share it.

        Raises:
            Blocked: the replica does not answer for the issuer, so its answers about codes and tokens prove nothing.
        """
        return await self.session.once(("replica", origin), lambda: self._route_to(origin))

    async def _route_to(self, origin: str) -> Route:
        # An instance may check Host, and its TLS certificate may name either host. The issuer's is tried first, as behind a balancer.
        said: dict[str, tuple[int, ...]] = {}
        for route in (Route(origin), Route(origin, keeps_host=False)):
            try:
                answer = await self.session.at(route).send(
                    "GET",
                    self.session.server.discovered.metadata_url,
                    kind=Kind.RESOURCE,
                    headers={"accept": "application/json"},
                )
            except Blocked as error:
                said[str(error)] = error.exchanges
                continue
            issuer = answer.member("issuer")
            if answer.status == 200 and issuer == self.session.server.issuer:
                return route
            what = f"names the issuer {issuer}" if issuer else f"answers {answer.status} where its metadata should be"
            said[f"it {what}"] = (answer.number,)
        raise Blocked(
            f"the replica {origin} does not answer for {self.session.server.issuer}: {'; '.join(said)}. Give the address of one "
            "instance, and the headers that a balancer would add (in the profile, as `[http] headers`), or leave it out",
            tuple(number for numbers in said.values() for number in numbers),
        )
