"""Find the authorization server of a URL: by RFC 8414, OpenID discovery, or a protected resource (RFC 9728)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit, urlunsplit

from oauth_litmus.http.route import origin_of
from oauth_litmus.http.sites import host_of, is_loopback, scheme_of
from oauth_litmus.http.wire import NoAnswerError
from oauth_litmus.target.server import Discovered

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.target.profile import Profile

Get = Callable[[str], Awaitable["Answer"]]
_Found = tuple[str, "Answer", dict[str, object]]
"""The metadata URL, its answer, and the parsed document."""

_RESOURCE_METADATA = re.compile(r'resource_metadata\s*=\s*(?:"([^"]+)"|([^\s,"]+))', re.IGNORECASE)
MCP_ENDPOINT = "/mcp"
_SILENCES = 2
"""After this many requests without any answer, the host is taken to be unreachable."""


class NoServerError(Exception):
    """Raised when a URL leads to no authorization server; the message lists the requests that were tried."""


def normalise(text: str) -> str:
    """Turn the URL that the user typed into an issuer or resource URL.

    Raises:
        NoServerError: the text is not an http or https URL, or the URL holds credentials.
    """
    url = text.strip()
    if "://" not in url:
        url = f"{'http' if is_loopback(host_of(f'//{url}')) else 'https'}://{url}"
    try:
        parts = urlsplit(url)
        port_is_sane = parts.port is None or parts.port > 0
    except ValueError as error:
        raise NoServerError(f"{text!r} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_sane or len(url.split()) > 1:
        raise NoServerError(f"{text!r} is not an http or https URL of a server")
    if parts.username is not None:
        raise NoServerError("the URL must not hold credentials: give them in the profile, as [http] secret_headers")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), parts.query, ""))


def metadata_urls(issuer: str) -> list[str]:
    """Return the candidate metadata URLs of an issuer, in the order in which clients try them (RFC 8414 section 3.1)."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    if not path:
        return [f"{origin}/.well-known/oauth-authorization-server", f"{origin}/.well-known/openid-configuration"]
    return [
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{origin}/.well-known/openid-configuration{path}",
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}{path}/.well-known/oauth-authorization-server",
    ]


def resource_metadata_urls(resource: str) -> list[str]:
    """Return the candidate metadata URLs of a protected resource (RFC 9728 section 3.1)."""
    parts = urlsplit(resource)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    well_known = f"{origin}/.well-known/oauth-protected-resource"
    return [f"{well_known}{path}", well_known] if path else [well_known]


class Discovery:
    """Finds the server behind one URL, and keeps a list of the requests that it tried."""

    def __init__(self, get: Get, profile: Profile) -> None:
        self._get = get
        self._profile = profile
        self.tried: list[str] = []
        self._answered = False

    async def find(self, typed: str) -> Discovered:
        """Return the authorization server of this URL.

        Raises:
            NoServerError: no server was found; the message lists the requests that were tried.
        """
        given = normalise(typed)
        issuer = self._profile.issuer or given
        found = await self._metadata(issuer)
        if found is not None:
            resource = self._profile.resource
            return await self._with_resource(found, issuer, given, resource, hint=None if resource else given)
        return await self._behind_resource(given)

    async def _metadata(self, issuer: str) -> _Found | None:
        for url in metadata_urls(issuer):
            answer = await self._try(url)
            document = answer.json_object() if answer else {}
            if (
                answer is not None
                and answer.status == 200
                and {"issuer", "token_endpoint", "authorization_endpoint"} & document.keys()
            ):
                return url, answer, document
        return None

    async def _behind_resource(self, typed: str) -> Discovered:
        resource = typed
        document, url = await self._resource_metadata(typed)
        if document.get("resource") == f"{resource}{MCP_ENDPOINT}":
            resource = f"{resource}{MCP_ENDPOINT}"
        for server in _servers_of(document):
            found = await self._metadata(server)
            if found is not None:
                return self._discovered(found, server, typed, resource, document, url)
        raise NoServerError(
            f"{typed} is neither an authorization server nor a protected resource that names one. Tried:\n"
            + "\n".join(f"  {line}" for line in self.tried)
        )

    async def _with_resource(
        self,
        found: _Found,
        issuer: str,
        given: str,
        resource: str | None,
        *,
        hint: str | None,
    ) -> Discovered:
        document, url = await self._resource_metadata(resource or hint or issuer, quietly=resource is None)
        named = document.get("resource")
        if resource is None and isinstance(named, str) and scheme_of(named) in ("http", "https"):
            resource = named
            # Some servers answer any path as if it were an issuer, so a resource URL looks like an issuer as well.
            if named.rstrip("/") == given.rstrip("/") and self._profile.issuer is None:
                issuer, found = await self._named_instead(document, issuer, found)
            elif _belongs_elsewhere(document, issuer):
                document, url, resource = (
                    dict[str, object](),
                    None,
                    None,
                )  # of another server that stands at this origin
        return self._discovered(found, issuer, given, resource, document or None, url)

    async def _named_instead(self, document: dict[str, object], issuer: str, found: _Found) -> tuple[str, _Found]:
        """Return the server that a resource names (RFC 9728 section 3.3), for a resource URL that looked like an issuer."""
        servers = _servers_of(document)
        if issuer.rstrip("/") in {server.rstrip("/") for server in servers}:
            return issuer, found
        for server in servers:
            named = await self._metadata(server)
            if named is not None:
                return server, named
        return issuer, found

    async def _resource_metadata(self, resource: str, *, quietly: bool = False) -> tuple[dict[str, object], str | None]:
        challenged = None if quietly else await self._try(resource)
        header = (
            challenged.headers.get("www-authenticate", "")
            if challenged is not None and challenged.status == 401
            else ""
        )
        match = _RESOURCE_METADATA.search(header)
        candidates = ([match[1] or match[2]] if match else []) + resource_metadata_urls(resource)
        for url in dict.fromkeys(candidates):
            answer = await self._try(url)
            if answer is not None and answer.status == 200 and "resource" in answer.json_object():
                return answer.json_object(), url
        return await self._of_an_mcp_server(resource)

    async def _of_an_mcp_server(self, origin: str) -> tuple[dict[str, object], str | None]:
        """Return the metadata of the usual MCP endpoint, `/mcp`, if the user gave only an origin."""
        endpoint = f"{origin}{MCP_ENDPOINT}"
        url = resource_metadata_urls(endpoint)[0]
        is_to_be_found = self._profile.resource is None and not urlsplit(origin).path
        answer = await self._try(url) if is_to_be_found else None
        # The guess is confirmed only if the document names this endpoint as its resource (RFC 9728 section 3.3).
        if answer is None or answer.status != 200 or answer.json_object().get("resource") != endpoint:
            return {}, None
        return answer.json_object(), url

    async def _try(self, url: str) -> Answer | None:
        try:
            answer = await self._get(url)
        except NoAnswerError as error:
            self.tried.append(str(error))
            if not self._answered and len(self.tried) >= _SILENCES:
                parts, reason = urlsplit(url), str(error).partition(": ")[2]
                origin = f"{parts.scheme}://{parts.netloc}"
                raise NoServerError(f"{origin} cannot be reached: {reason}{_hint(reason)}") from error
            return None
        self._answered = True
        where = f"to {answer.location} (redirects are not followed)" if answer.location else answer.media_type
        without_end = f", a body of more than {len(answer.body) / 1e6:.0f} MB" if answer.truncated else ""
        self.tried.append(f"GET {url}: {answer.status} {where}".rstrip() + without_end)
        return answer

    def _discovered(
        self,
        found: _Found,
        issuer: str,
        given: str,
        resource: str | None,
        document: dict[str, object] | None,
        document_url: str | None,
    ) -> Discovered:
        url, answer, metadata = found
        return Discovered(issuer, metadata, answer, url, given, resource, document, document_url, tuple(self.tried))


def _belongs_elsewhere(document: dict[str, object], issuer: str) -> bool:
    """Whether the resource at the issuer's origin names authorization servers, all of them at other origins."""
    servers = _servers_of(document)
    return bool(servers) and origin_of(issuer) not in {origin_of(server) for server in servers}


def _servers_of(document: dict[str, object]) -> list[str]:
    servers = document.get("authorization_servers")
    listed = cast("list[object]", servers) if isinstance(servers, list) else []
    return [server for server in listed if isinstance(server, str) and scheme_of(server) in ("http", "https")]


def _hint(reason: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return " (if the certificate is from a private authority, name its file in the profile, as [http] ca_file)"
    return ""
