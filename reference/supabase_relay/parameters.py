"""Request parameters, read strictly: repeated ones are refused, empty ones count as left out (RFC 6749 3.1, 3.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from supabase_relay.errors import OAuthError, invalid_request

MAX_BODY = 65_536
"""Bytes that any request body may have."""

MAX_FIELDS = 100

# Characters that a value may have; a name that is not listed may have the default.
_DEFAULT_LENGTH = 2048
_LENGTHS: Mapping[str, int] = {
    "client_id": 256,
    "client_secret": 256,
    "response_type": 256,
    "state": 4096,
    "scope": 4096,
    "code_challenge": 1024,
    "code": 1024,
    "refresh_token": 1024,
    "token": 16_384,
}
_MAY_REPEAT = frozenset({"resource"})  # RFC 8707 section 2


@dataclass(frozen=True)
class Parameters:
    """The parameters of one request. `repeated` names those that were given more than once."""

    values: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    repeated: frozenset[str]

    def get(self, name: str) -> str | None:
        """The value, or None where it was left out or empty; whether it was repeated is another question."""
        return self.values.get(name)

    def get_all(self, name: str) -> tuple[str, ...]:
        """All values of a parameter that may repeat."""
        return self.lists.get(name, ())

    def require(self, name: str) -> str:
        """The value; raises `invalid_request` where there is none."""
        value = self.get(name)
        if value is None:
            raise invalid_request(f"{name} is required")
        return value

    def refuse_repeated(self, names: Iterable[str] | None = None) -> None:
        """Raise `invalid_request` if a parameter (of `names`) was given more than once."""
        repeated = self.repeated if names is None else self.repeated.intersection(names)
        if repeated:
            raise invalid_request("a parameter was given more than once")

    def refuse_oversized(self) -> None:
        """Raise `invalid_request` if a value is longer than its parameter may be."""
        for name, value in self.values.items():
            if len(value) > _LENGTHS.get(name, _DEFAULT_LENGTH):
                raise invalid_request("a parameter is too long")


def parse(encoded: bytes) -> Parameters:
    """Read `application/x-www-form-urlencoded` text; raises `invalid_request` for what is not UTF-8."""
    try:
        pairs = parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise invalid_request("the parameters are not well-formed UTF-8 in form encoding") from None
    lists: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if value:
            lists[name] = (*lists.get(name, ()), value)
    counts: dict[str, int] = {}
    for name, _ in pairs:
        counts[name] = counts.get(name, 0) + 1
    repeated = frozenset(name for name, count in counts.items() if count > 1 and name not in _MAY_REPEAT)
    return Parameters({name: values[0] for name, values in lists.items()}, lists, repeated)


def read_query(request: Request) -> Parameters:
    """The parameters of the query."""
    return parse(request.scope["query_string"])


async def read_form(request: Request) -> Parameters:
    """The parameters of the body, which must be a form; those of the URL do not count (OAuth 2.1 section 2.4.1)."""
    if media_type(request) != "application/x-www-form-urlencoded":
        raise invalid_request("the body must be application/x-www-form-urlencoded")
    parameters = parse(await read_body(request))
    parameters.refuse_repeated()
    parameters.refuse_oversized()
    return parameters


def media_type(request: Request) -> str:
    """The media type of the body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request) -> bytes:
    """The body, up to `MAX_BODY` bytes; raises `OAuthError` with status 413 for more."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise OAuthError("invalid_request", "the request body is too large", status=413)
    except ClientDisconnect:
        raise invalid_request("the request body did not arrive") from None
    return bytes(body)
