"""Origins of replicas, as operators write them in the profile or on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable


def replica_origin(written: str) -> str:
    """Parse the origin that an operator wrote for a replica.

    Raises:
        ValueError: the text is not an http(s) URL, or has more than an origin.
    """
    try:
        parts = urlsplit(written.strip())
        _ = parts.port  # raises ValueError if the port is invalid
    except ValueError as error:
        raise ValueError(f"{written!r} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"{written!r} is not the URL of a replica: write the URL of one instance, as in http://10.0.0.7:8080"
        )
    if parts.username is not None:
        raise ValueError(
            "the URL of a replica must not hold credentials: give them in the profile, as [http] secret_headers"
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            f"{written!r} is more than the origin of a replica: write {parts.scheme}://{parts.netloc}, because requests "
            "keep the path that they have at the issuer"
        )
    return f"{parts.scheme}://{parts.netloc}".lower()


def need_two(origins: Iterable[str]) -> None:
    """Check that there are two replicas to compare.

    Raises:
        ValueError: there are not two different replicas.
    """
    different = set(origins)
    if len(different) < 2:
        raise ValueError(
            f"a comparison needs two replicas, and {', '.join(different)} is only one: give --replica for each instance"
        )
