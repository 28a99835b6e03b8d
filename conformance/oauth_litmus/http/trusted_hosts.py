"""The sites that belong to the target: the suite sends secrets, codes, verifiers and tokens only there."""

from __future__ import annotations

from oauth_litmus.http.sites import host_of, is_loopback, registrable_domain, scheme_of


class TrustedHosts:
    """The set of sites of these URLs (docs/hostile-targets.md has the rule and its reasons)."""

    def __init__(self, *urls: str | None) -> None:
        self._hosts = {(scheme_of(url), host_of(url)) for url in urls if url and host_of(url)}

    def cover(self, url: str) -> bool:
        """Whether this URL belongs to one of these sites; plain http does not match a site that was named with https.

        All loopback addresses and names count as one site.
        """
        host = host_of(url)
        return bool(host) and any(
            (is_loopback(host) and is_loopback(own))
            or (registrable_domain(host) == registrable_domain(own) and _as_safe(url, scheme))
            for scheme, own in self._hosts
        )

    def and_of(self, *urls: str | None) -> TrustedHosts:
        """Return a larger set, with the sites of these URLs added."""
        wider = TrustedHosts(*urls)
        wider._hosts |= self._hosts
        return wider


def _as_safe(url: str, scheme: str) -> bool:
    return scheme_of(url) == "https" or (scheme == "http" and scheme_of(url) == "http")
