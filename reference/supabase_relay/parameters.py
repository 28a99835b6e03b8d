"""Strict request parameters: repeated ones are refused, empty ones count as omitted (RFC 6749 sections 3.1, 3.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from supabase_relay.errors import OAuthError, invalid_request

MAX_BODY = 65_536
"""Maximum size of a request body, in bytes."""

MAX_FIELDS = 100

# Maximum length of each value, in characters; names that are not listed have the default.
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
    """The parameters of one request; `repeated` has the names of parameters that were sent more than once."""

    values: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    repeated: frozenset[str]

    def get(self, name: str) -> str | None:
        """Return the value, or None if it is missing or empty; of a repeated parameter, the first value."""
        return self.values.get(name)

    def get_all(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter that may repeat."""
        return self.lists.get(name, ())

    def require(self, name: str) -> str:
        """Return the value; raises `invalid_request` if it is missing or empty."""
        value = self.get(name)
        if value is None:
            raise invalid_request(f"{name} is required")
        return value

    def refuse_repeated(self, names: Iterable[str] | None = None) -> None:
        """Raise `invalid_request` if a parameter was sent more than once; with `names`, only one of these."""
        repeated = self.repeated if names is None else self.repeated.intersection(names)
        if repeated:
            raise invalid_request("a parameter was given more than once")

    def refuse_oversized(self) -> None:
        """Raise `invalid_request` if a value is too long for its parameter."""
        for name, value in self.values.items():
            if len(value) > _LENGTHS.get(name, _DEFAULT_LENGTH):
                raise invalid_request("a parameter is too long")


def parse(encoded: bytes) -> Parameters:
    """Parse `application/x-www-form-urlencoded` text; raises `invalid_request` if it is not UTF-8 or has too many fields."""
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
    """Parse the query of the request."""
    return parse(request.scope["query_string"])


async def read_form(request: Request) -> Parameters:
    """Parse the body, which must be a form; parameters in the URL do not count (OAuth 2.1 section 2.4.1)."""
    if media_type(request) != "application/x-www-form-urlencoded":
        raise invalid_request("the body must be application/x-www-form-urlencoded")
    parameters = parse(await read_body(request))
    parameters.refuse_repeated()
    parameters.refuse_oversized()
    return parameters


def media_type(request: Request) -> str:
    """Return the media type of the body, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request) -> bytes:
    """Read the body; raises `OAuthError` with status 413 if it has more than `MAX_BODY` bytes."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise OAuthError("invalid_request", "the request body is too large", status=413)
    except ClientDisconnect:
        raise invalid_request("the request body did not arrive") from None
    return bytes(body)
