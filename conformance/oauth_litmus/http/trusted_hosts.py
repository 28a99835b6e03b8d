"""Which hosts are the target's: only there go the operator's secrets, and only there codes, verifiers and tokens."""

from __future__ import annotations

from oauth_litmus.http.sites import host_of, is_loopback, registrable_domain, scheme_of


class TrustedHosts:
    """The sites of these URLs, and who is of them (docs/hostile-targets.md has the rule and its reasons)."""

    def __init__(self, *urls: str | None) -> None:
        self._hosts = {(scheme_of(url), host_of(url)) for url in urls if url and host_of(url)}

    def cover(self, url: str) -> bool:
        """Whether this URL is of one of these sites, and no plain http where https was named.

        All addresses of this machine are one site, whatever their names are.
        """
        host = host_of(url)
        return bool(host) and any(
            (is_loopback(host) and is_loopback(own))
            or (registrable_domain(host) == registrable_domain(own) and _as_safe(url, scheme))
            for scheme, own in self._hosts
        )

    def and_of(self, *urls: str | None) -> TrustedHosts:
        """The same and others."""
        wider = TrustedHosts(*urls)
        wider._hosts |= self._hosts
        return wider


def _as_safe(url: str, scheme: str) -> bool:
    return scheme_of(url) == "https" or (scheme == "http" and scheme_of(url) == "http")
