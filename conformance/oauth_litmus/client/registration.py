"""Registration verbs (RFC 7591): clients of a check's own, and clients that all checks share."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus.client.session import Session
from oauth_litmus.limits.rates import Kind
from oauth_litmus.oauth.clients import REDIRECT_URI, AuthMethod, Client, metadata
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.http.answer import Answer


class RegistrationVerbs(Session):
    """What a client does before it can ask for anything."""

    @property
    def client_name(self) -> str:
        """The name by which an operator recognises the clients of this run."""
        return f"oauth-litmus {self.run.run_id}"

    async def register(self, document: Mapping[str, object]) -> Answer:
        """POST a registration as it stands."""
        return await self.register_body(json.dumps(document).encode())

    async def register_body(self, body: bytes, *, media_type: str = "application/json") -> Answer:
        """POST to the registration endpoint what need not be a registration."""
        endpoint = self.endpoint("registration")
        headers = {"content-type": media_type, "accept": "application/json", **self.run.registration_headers}
        answer = await self.send("POST", endpoint, kind=Kind.REGISTER, headers=headers, body=body)
        client_id = answer.member("client_id")
        if answer.status < 300 and client_id:
            self.run.transcript.redactor.publish(client_id)
            self.run.transcript.redactor.learn(answer.member("client_secret"), "client_secret")
            self.run.transcript.redactor.learn(answer.member("registration_access_token"), "registration_access_token")
            self.run.remember(answer)
        return answer

    def metadata(
        self, *redirect_uris: str, auth_method: AuthMethod = "none", scope: str | None = None
    ) -> dict[str, object]:
        """Client metadata that a conforming server takes; by default for a public client with every scope."""
        wanted = " ".join(self.server.scopes) if scope is None else scope
        return metadata(self.client_name, redirect_uris or (self.run.redirect_uri,), auth_method, wanted)

    async def new_client(
        self, *redirect_uris: str, auth_method: AuthMethod = "none", scope: str | None = None
    ) -> Client:
        """A client of this check's own.

        Raises:
            Blocked: the registration was refused.
            NotApplicable: the server registers no such clients.
        """
        uris = redirect_uris or (self.run.redirect_uri,)
        answer = await self.register(self.metadata(*uris, auth_method=auth_method, scope=scope))
        return self.client_of(answer, *uris, auth_method=auth_method, scope=scope)

    def client_of(
        self, answer: Answer, *redirect_uris: str, auth_method: AuthMethod = "none", scope: str | None = None
    ) -> Client:
        """The client that a registration response tells of.

        Raises:
            Blocked: the registration was refused.
            NotApplicable: the server registered the client with another method of authentication.
        """
        client_id = answer.member("client_id")
        if answer.status >= 300 or not client_id:
            without = "" if answer.status >= 300 else ", without a client_id"
            raise Blocked(
                f"set-up: the registration of a client was answered {answer.in_words}{without}", (answer.number,)
            )
        given = answer.json_object().get("token_endpoint_auth_method", auth_method)
        if given != auth_method:
            raise NotApplicable(f"the server registers clients with {given}, not with {auth_method}")
        secret = answer.member("client_secret") or None
        return Client(client_id, redirect_uris, auth_method, secret, scope, self.client_name)

    async def client_with(self, *redirect_uris: str) -> Client | None:
        """An ordinary client with these redirect URIs, which all checks share; None if the server registers no such URIs.

        Raises:
            Skipped: no client is registered dynamically, and none with just these is configured.
        """
        if self.server.endpoint("registration") is None:
            return self._configured_with(redirect_uris)

        async def make() -> Client | None:
            answer = await self.register(self.metadata(*redirect_uris))
            # Preflight saw that clients can be registered: what is refused here, with whatever error, are the URIs.
            refused = answer.status in (400, 422) or answer.error in ("invalid_redirect_uri", "invalid_client_metadata")
            return None if refused else self.client_of(answer, *redirect_uris)

        return await self.once(("client", redirect_uris), make)

    def _configured_with(self, redirect_uris: tuple[str, ...]) -> Client:
        ordinary = [each for each in self.run.configured_clients if each.auth_method == self.server.ordinary_method]
        for client in ordinary:
            if set(client.redirect_uris) == set(redirect_uris):
                return replace(client, redirect_uris=redirect_uris)
        named = ", ".join(f'"{uri}"' for uri in redirect_uris)
        raise Skipped(f"needs a client with `redirect_uris = [{named}]`: configure it in the profile, as [[clients]]")

    async def client(self, label: str = "a", *, auth_method: AuthMethod | None = None) -> Client:
        """A client that all checks share: `a` and `b` are two different ones; by default public, if there are any such.

        Raises:
            Skipped: not as many are configured.
            Blocked: the registration was refused.
            NotApplicable: the server registers no such clients.
        """
        auth_method = auth_method or self.server.ordinary_method
        configured = [entry for entry in self.run.configured_clients if entry.auth_method == auth_method]
        if configured:
            if ord(label) - ord("a") >= len(configured):
                raise Skipped(
                    f"needs one more client with auth_method {auth_method}: configure it in the profile, as [[clients]]"
                )
            return configured[ord(label) - ord("a")]
        # The two differ in where they land, since a server may take equal registrations for one client (RFC 7591 section 3.2.1).
        uri = self.run.redirect_uri
        if label != "a":
            uri = uri.replace("//client.", f"//{label}.client.") if uri == REDIRECT_URI else f"{uri}/{label}"
        return await self.once(("client", label, auth_method), lambda: self.new_client(uri, auth_method=auth_method))

    async def confidential_method(self) -> AuthMethod | None:
        """How a client of the suite with a secret authenticates; None if there are no such clients."""
        for method in self.server.confidential_methods:
            if await self.has_clients_by(method):
                return method
        return None

    async def confidential_methods_at(self, endpoint: str) -> list[AuthMethod]:
        """How clients of the suite with a secret may authenticate at an endpoint, those first that are advertised for it."""
        methods = self.server.confidential_methods_at(endpoint)
        return [method for method in methods if await self.has_clients_by(method)]

    async def has_clients_by(self, method: AuthMethod) -> bool:
        """Whether there are clients that authenticate so: a registration may bring another method (RFC 7591 section 3.2.1)."""

        async def find() -> bool:
            if method not in self.server.client_auth_methods:
                return False
            try:
                await self.client(auth_method=method)
            except NotApplicable:
                return False
            return True

        return await self.once(("clients by", method), find)

    async def client_of_each_kind(self) -> list[Client]:
        """The shared ordinary client and, where there are clients with a secret, the shared confidential one."""
        clients = [await self.client()]
        method = await self.confidential_method()
        if method is not None and method != clients[0].auth_method:
            clients.append(await self.client(auth_method=method))
        return clients
