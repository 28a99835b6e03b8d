"""Types of settings: lists, rate limits, networks, and URLs without a trailing slash."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")  # RFC 6749 section 3.3


@dataclass(frozen=True)
class Limit:
    """A rate limit: at most `amount` requests in any `seconds`; an amount of 0 switches it off."""

    amount: int
    seconds: int = 60


def parse_limit(value: object) -> Limit:
    """Parse `N/seconds`, or `0` to switch the limit off."""
    if isinstance(value, Limit):
        return value
    if value in ("0", 0):
        return Limit(0)
    match = re.fullmatch(r"(\d{1,5})/(\d{1,5})", str(value).strip())
    if not match or int(match[1]) == 0 or int(match[2]) == 0:
        raise ValueError("write it as N/seconds, for instance 10/60, or 0 to switch it off")
    return Limit(int(match[1]), int(match[2]))


def split_words(value: object) -> tuple[str, ...]:
    """Split a list at white space and commas."""
    items: tuple[object, ...] = tuple(value) if isinstance(value, list | tuple) else (value,)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return tuple(word for item in items for word in re.split(r"[\s,]+", str(item)) if word)


def parse_networks(value: object) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Parse IP addresses and CIDR ranges."""
    return tuple(ipaddress.ip_network(word, strict=False) for word in split_words(value))


def require_scope_tokens(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse an empty list and scope names that RFC 6749 section 3.3 forbids; remove duplicates."""
    if not scopes:
        raise ValueError("name at least one scope")
    for scope in scopes:
        if not _SCOPE_TOKEN.fullmatch(scope):
            raise ValueError(f"{scope!r} is not a valid scope name (RFC 6749 section 3.3)")
    return tuple(dict.fromkeys(scopes))


def require_base_url(value: str) -> str:
    """Require a plain http(s) URL, and remove trailing slashes, because identifiers are compared as strings."""
    url = value.strip().rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"[\s?#@\\]", url):
        raise ValueError("it must be an http(s) URL without query, fragment or user name")
    _ = parts.port  # raises ValueError if the port is invalid
    return url


def require_loopback_or_https(url: str) -> str:
    """Refuse plain http except on loopback (RFC 8414 section 2; OAuth 2.1 section 1.5)."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("plain http is allowed only on loopback addresses: use https")
    return url


BaseUrl = Annotated[str, AfterValidator(require_base_url)]
PublicUrl = Annotated[BaseUrl, AfterValidator(require_loopback_or_https)]
LimitSetting = Annotated[Limit, NoDecode, BeforeValidator(parse_limit)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_words)]
Scopes = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_words), AfterValidator(require_scope_tokens)]
Networks = Annotated[
    tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], NoDecode, BeforeValidator(parse_networks)
]
