"""Clients of the suite: registering them (RFC 7591), and the ones that all checks share."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauth_litmus.limits.rates import Kind
from oauth_litmus.oauth.clients import REDIRECT_URI, AuthMethod, Client, metadata
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.client.session import Session
    from oauth_litmus.http.answer import Answer


@dataclass(frozen=True)
class Clients:
    """Registers clients and hands out shared ones."""

    session: Session

    @property
    def name(self) -> str:
        """The client name by which an operator recognises the clients of this run."""
        return f"oauth-litmus {self.session.run.run_id}"

    @property
    def configured(self) -> tuple[Client, ...]:
        """The clients that the profile configures."""
        return self.session.run.configured_clients

    async def register(self, document: Mapping[str, object]) -> Answer:
        """POST a registration document unchanged."""
        return await self.register_body(json.dumps(document).encode())

    async def register_body(self, body: bytes, *, media_type: str = "application/json") -> Answer:
        """POST any body to the registration endpoint."""
        endpoint, run = self.session.endpoint("registration"), self.session.run
        headers = {"content-type": media_type, "accept": "application/json", **run.registration_headers}
        answer = await self.session.send("POST", endpoint, kind=Kind.REGISTER, headers=headers, body=body)
        client_id = answer.member("client_id")
        if answer.status < 300 and client_id:
            run.transcript.redactor.publish(client_id)
            run.transcript.redactor.learn(answer.member("client_secret"), "client_secret")
            run.transcript.redactor.learn(answer.member("registration_access_token"), "registration_access_token")
            run.clients.add(answer)
        return answer

    def metadata(
        self, *redirect_uris: str, auth_method: AuthMethod = "none", scope: str | None = None
    ) -> dict[str, object]:
        """Client metadata that a conforming server accepts. The default is a public client with every scope."""
        wanted = " ".join(self.session.server.scopes) if scope is None else scope
        return metadata(self.name, redirect_uris or (self.session.redirect_uri,), auth_method, wanted)

    async def new(self, *redirect_uris: str, auth_method: AuthMethod = "none", scope: str | None = None) -> Client:
        """Register a client that only this check uses.

        Raises:
            Blocked: the registration was refused.
            NotApplicable: the server registers no clients with this method.
        """
        uris = redirect_uris or (self.session.redirect_uri,)
        answer = await self.register(self.metadata(*uris, auth_method=auth_method, scope=scope))
        return self.client_of(answer, *uris, auth_method=auth_method, scope=scope)

    def client_of(
        self, answer: Answer, *redirect_uris: str, auth_method: AuthMethod = "none", scope: str | None = None
    ) -> Client:
        """The client of a registration response. Without redirect URIs it has the suite's own.

        Raises:
            Blocked: the registration was refused.
            NotApplicable: the server registered the client with another authentication method.
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
        uris = redirect_uris or (self.session.redirect_uri,)
        return Client(client_id, uris, auth_method, secret, scope, self.name)

    def removed(self, client_id: str) -> None:
        """Note that a check has removed a client, so that the run does not remove it again."""
        self.session.run.clients.forget(client_id)

    def has_new_token(self, client_id: str, management_token: str) -> None:
        """Note the new registration access token of a client (RFC 7592 section 3)."""
        self.session.run.clients.renew_token(client_id, management_token)

    async def with_redirect_uris(self, *redirect_uris: str) -> Client | None:
        """A shared ordinary client with exactly these redirect URIs; None if the server refuses to register them.

        Raises:
            Skipped: the server has no registration endpoint, and no such client is configured.
        """
        if self.session.server.endpoint("registration") is None:
            return self._configured_with(redirect_uris)

        async def make() -> Client | None:
            answer = await self.register(self.metadata(*redirect_uris))
            # The preflight has registered a client. So a refusal here, with any error code, is about the URIs.
            refused = answer.status in (400, 422) or answer.error in ("invalid_redirect_uri", "invalid_client_metadata")
            return None if refused else self.client_of(answer, *redirect_uris)

        return await self.session.once(("client", redirect_uris), make)

    def _configured_with(self, redirect_uris: tuple[str, ...]) -> Client:
        for client in self.configured:
            ordinary = client.auth_method == self.session.server.ordinary_method
            if ordinary and set(client.redirect_uris) == set(redirect_uris):
                return replace(client, redirect_uris=redirect_uris)
        named = ", ".join(f'"{uri}"' for uri in redirect_uris)
        raise Skipped(f"needs a client with `redirect_uris = [{named}]`: configure it in the profile, as [[clients]]")

    async def shared(self, label: str = "a", *, auth_method: AuthMethod | None = None) -> Client:
        """A client that all checks share. `a` and `b` are two different clients; both are public if possible.

        Raises:
            Skipped: too few clients are configured.
            Blocked: the registration was refused.
            NotApplicable: the server registers no clients with this method.
        """
        auth_method = auth_method or self.session.server.ordinary_method
        configured = [entry for entry in self.configured if entry.auth_method == auth_method]
        if configured:
            if ord(label) - ord("a") >= len(configured):
                raise Skipped(
                    f"needs one more client with auth_method {auth_method}: configure it in the profile, as [[clients]]"
                )
            return configured[ord(label) - ord("a")]
        # The redirect URIs differ, because a server may treat equal registrations as one client (RFC 7591 section 3.2.1).
        uri = self.session.redirect_uri
        if label != "a":
            uri = uri.replace("//client.", f"//{label}.client.") if uri == REDIRECT_URI else f"{uri}/{label}"
        key = ("client", label, auth_method)
        return await self.session.once(key, lambda: self.new(uri, auth_method=auth_method))

    async def confidential_method(self) -> AuthMethod | None:
        """The authentication method of the suite's confidential clients; None if there are none."""
        for method in self.session.server.confidential_methods:
            if await self.exist_with(method):
                return method
        return None

    async def confidential_methods_at(self, endpoint: str) -> list[AuthMethod]:
        """The methods of the suite's confidential clients at an endpoint; methods that the endpoint advertises come first."""
        methods = self.session.server.confidential_methods_at(endpoint)
        return [method for method in methods if await self.exist_with(method)]

    async def exist_with(self, method: AuthMethod) -> bool:
        """Whether the suite has clients with this method. A server may register another one (RFC 7591 section 3.2.1)."""

        async def find() -> bool:
            if method not in self.session.server.client_auth_methods:
                return False
            try:
                await self.shared(auth_method=method)
            except NotApplicable:
                return False
            return True

        return await self.session.once(("clients by", method), find)

    async def of_each_kind(self) -> list[Client]:
        """The shared ordinary client and, if there are confidential clients, the shared confidential one."""
        clients = [await self.shared()]
        method = await self.confidential_method()
        if method is not None and method != clients[0].auth_method:
            clients.append(await self.shared(auth_method=method))
        return clients

    async def of_the_other_kind(self) -> Client:
        """The shared confidential client, where the ordinary client is public.

        Raises:
            NotApplicable: all clients are of one kind.
        """
        ordinary, *others = await self.of_each_kind()
        if not others:
            secret = "no secret" if ordinary.is_public else "a secret"
            raise NotApplicable(f"all clients have {secret}: the verdict on the ordinary client holds for all")
        return others[0]
