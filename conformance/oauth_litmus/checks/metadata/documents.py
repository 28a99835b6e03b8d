"""Locations and contents of the metadata documents of RFC 8414 and RFC 9728."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.check import RESOURCE, check
from oauth_litmus.client.session import FORM
from oauth_litmus.http.route import origin_of
from oauth_litmus.limits.rates import Kind
from oauth_litmus.target.discovery import metadata_urls, resource_metadata_urls
from oauth_litmus.verdict import NotApplicable, Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer

JSON = {"accept": "application/json"}
MCP = "mcp"
STRANGER = "evil.example"
PREFIX = "/evil"
REGISTERED = {
    "authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint", "introspection_endpoint",
    "userinfo_endpoint", "end_session_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint",
    "backchannel_authentication_endpoint", "jwks_uri",
}  # fmt: skip
"""Members that contain a URL of the server. Other members may contain URLs of any party (RFC 8414 section 2)."""
POSTED = ("token", "revocation", "introspection")
_URL = re.compile(r"https?://[^\s\"'<>,\]]+", re.IGNORECASE)
_PREFIXED = re.compile(rf"(?<=[\w.:\]]){PREFIX}(?![\w.-])")
_RESOURCE_METADATA = re.compile(r'resource_metadata\s*=\s*"?([^\s",]+)', re.IGNORECASE)


@check("META-01", needs=set())
async def metadata_is_where_clients_look(target: Target) -> None:
    """Fetch every well-known location of the issuer. Fetch the metadata once more without asking for a media type."""
    urls = metadata_urls(target.server.issuer)
    answers = [await target.get(url, headers=JSON) for url in urls]

    found = [answer for answer in answers if answer.status == 200 and "issuer" in answer.json_object()]
    got = ", ".join(expect.describe(answer) for answer in answers)
    expect.that(bool(found), expected=f"a JSON object at one of {', '.join(urls)}", got=got, at=answers)
    elsewhere = found[0].url == urls[-1] and len(urls) > 2
    expect.ideally(not elsewhere, expected="a location that every client tries", got=found[0].url, at=found[0])
    media_type = found[0].media_type
    is_json = media_type == "application/json" or media_type.endswith("+json")
    expect.ideally(is_json, expected="application/json", got=media_type or "no media type", at=found[0])
    unnamed = expect.conclusive(await target.get(found[0].url))
    said, expected = expect.describe(unnamed), "the metadata for a client that asks for no media type"
    expect.that("issuer" in unnamed.json_object(), expected=expected, got=said, at=unnamed)


@check("META-02", needs=set())
async def issuer_is_identical(target: Target) -> None:
    """Compare issuer with the protected resource metadata and with the URL that the run was given."""
    discovered = target.server.discovered
    at, value = discovered.metadata_answer, discovered.metadata.get("issuer")
    expect.that(isinstance(value, str), expected="issuer as a string", got=f"issuer: {value}", at=at)
    issuer = str(value)

    parts = urlsplit(issuer)
    expect.that(_is_protected(target, issuer), expected="an https URL", got=f"issuer: {issuer}", at=at)
    bare = not parts.query and not parts.fragment and "?" not in issuer and "#" not in issuer
    expect.that(bare, expected="no query and no fragment", got=f"issuer: {issuer}", at=at)
    named = _strings((discovered.resource_metadata or {}).get("authorization_servers"))
    expected = f"issuer as the protected resource names it: {', '.join(named)}"
    expect.that(not named or issuer in named, expected=expected, got=f"issuer: {issuer}", at=at)
    given = discovered.issuer
    same_place = issuer.rstrip("/") == given.rstrip("/")
    expect.that(same_place, expected=f"issuer: {given}", got=f"issuer: {issuer}", at=at)
    configured = target.server.profile.issuer
    exactly = configured is None or configured == issuer
    expect.ideally(exactly, expected=f"issuer: {configured}", got=f"issuer: {issuer}", at=at)


@check("META-03", needs=set())
async def endpoints_exist(target: Target) -> None:
    """Validate the required members, and send each advertised endpoint a request that it must refuse."""
    _required_members_are_there(target)
    _endpoints_are_protected(target)

    for name, answer in (await _answers_of_endpoints(target)).items():
        there = answer.status != 404 or answer.error.startswith(("invalid_", "unsupported_", "unauthorized_"))
        said = f"{expect.describe(answer)} at {answer.url}"
        expect.that(there, expected=f"an answer of the {name} endpoint", got=said, at=answer)


@check("META-04", needs=set())
async def pkce_is_announced(target: Target) -> None:
    """Read code_challenge_methods_supported."""
    at = target.server.discovered.metadata_answer
    methods = target.server.listed("code_challenge_methods_supported")

    got = f"code_challenge_methods_supported: {list(methods) if methods is not None else 'absent'}"
    judge = expect.that if target.server.profile.specification == MCP else expect.ideally
    judge("S256" in (methods or ()), expected="code_challenge_methods_supported with S256", got=got, at=at)
    expect.ideally("plain" not in (methods or ()), expected="S256 only", got=got, at=at)


@check("META-06", needs={RESOURCE})
async def resource_metadata_agrees(target: Target) -> None:
    """Find the metadata of the protected resource through its challenge, or else at its well-known locations. Read it."""
    resource, mcp = target.server.resource or "", target.server.profile.specification == MCP
    challenged = expect.conclusive(await target.resource.call(None))
    named = _RESOURCE_METADATA.search(challenged.headers.get("www-authenticate", ""))
    well_known = resource_metadata_urls(resource)
    answers = {url: await target.get(url, headers=JSON) for url in ([named[1]] if named else well_known)}

    found = [url for url, answer in answers.items() if answer.status == 200 and "resource" in answer.json_object()]
    if not found and not named and not mcp:
        raise NotApplicable("the resource publishes no metadata, and only MCP requires it")
    got = ", ".join(f"{url}: {expect.describe(answer)}" for url, answer in answers.items())
    expect.that(bool(found), expected="protected resource metadata", got=got, at=answers.values())
    answer = answers[found[0]]
    said = answer.member("resource")
    covers = said.rstrip("/") == resource.rstrip("/") or resource.startswith(said.rstrip("/") + "/")
    expect.that(bool(said) and covers, expected=f"resource: {resource}", got=f"resource: {said}", at=answer)
    at_root = found[0] == well_known[-1] and len(well_known) > 1
    if not (mcp and at_root):  # MCP clients also look at the root, and find metadata of the whole host
        expect.ideally(said == resource, expected=f"resource: {resource}", got=f"resource: {said}", at=answer)
        expect.ideally(not at_root, expected=well_known[0], got=f"only {found[0]}", at=answer)
    servers = _strings(answer.json_object().get("authorization_servers"))
    judge = expect.that if mcp else expect.ideally
    judge(bool(servers), expected="authorization_servers", got="none", at=answer)


@check("META-07", needs=set())
async def forwarding_headers_change_nothing(target: Target) -> None:
    """Send forwarding headers one at a time to each document and to the resource, then repeat the request without the header."""
    _is_no_trusted_proxy(target)
    usual = await _shown_by_all(target, "", {})

    for header, value in _forwarding(target).items():
        query = f"?litmus={secrets.token_hex(4)}"
        for headers, cached in (({header: value}, ""), ({}, ", and a cache keeps it")):
            for url, (shown, answer) in (await _shown_by_all(target, query, headers)).items():
                changed = _changed(shown, usual[url][0])
                got = f"{changed} after {header}: {value}{cached}"
                expect.that(not changed, expected="the URLs shown without the header", got=got, at=answer)

    if target.server.profile.topology == "direct" or target.server.is_loopback:
        for url, (shown, answer) in (await _shown_by_all(target, "", {"host": STRANGER})).items():
            changed = _changed(shown, usual[url][0])
            expect.ideally(
                not changed, expected="the configured host", got=f"{changed} after Host: {STRANGER}", at=answer
            )


def _changed(shown: dict[str, object], usual: dict[str, object]) -> dict[str, object]:
    """Return the members that lead elsewhere than usual. Ignore nonces, the requested URL, and the order of lists."""
    return {name: value for name, value in shown.items() if _leads_to(value) != _leads_to(usual.get(name))}


def _leads_to(value: object) -> frozenset[str]:
    """The origins of all URLs in a value, and the host or prefix of a forwarding header if the value contains it."""
    text = str(value)
    origins = {origin_of(url) for url in _URL.findall(text)}
    return frozenset({*origins, *({STRANGER} if STRANGER in text else ()), *_PREFIXED.findall(text)})


def _required_members_are_there(target: Target) -> None:
    metadata, at = target.server.discovered.metadata, target.server.discovered.metadata_answer
    required = ["token_endpoint"]
    if "authorization_code" in (target.server.listed("grant_types_supported") or ("authorization_code",)):
        required.append("authorization_endpoint")
    missing = [member for member in required if member not in metadata]
    expect.that(not missing, expected=", ".join(required), got=f"no {', '.join(missing)}", at=at)
    types = target.server.listed("response_types_supported") or ()
    got = f"response_types_supported: {metadata.get('response_types_supported')}"
    expect.that("code" in types, expected='response_types_supported with "code"', got=got, at=at)
    implicit = any("token" in name.split() for name in types)
    expect.ideally(not implicit, expected="no implicit grant", got=got, at=at)


def _endpoints_are_protected(target: Target) -> None:
    at = target.server.discovered.metadata_answer
    for member, url in target.server.discovered.metadata.items():
        if member in REGISTERED:
            right = isinstance(url, str) and _is_protected(target, url) and "#" not in url
            expect.that(right, expected="an https URL without fragment", got=f"{member}: {url}", at=at)
            at_home = urlsplit(str(url)).hostname == urlsplit(target.server.issuer).hostname
            expect.ideally(at_home, expected="the issuer's host", got=f"{member}: {url}", at=at)


async def _answers_of_endpoints(target: Target) -> dict[str, Answer]:
    """Send one request to every advertised endpoint, by its own method, and with nothing that the server could grant."""
    answers: dict[str, Answer] = {}
    for name in POSTED:
        url = target.server.endpoint(name)
        if url is not None:
            answers[name] = await target.send("POST", url, kind=Kind.TOKEN, headers={"content-type": FORM})
    if target.server.endpoint("registration") is not None:
        answers["registration"] = await target.clients.register({})
    jwks_uri = target.server.endpoint("jwks_uri")
    if jwks_uri is not None:
        answers["jwks"] = await target.get(jwks_uri)
    authorization = target.server.endpoint("authorization")
    # If a login was seen, the endpoint exists. Skip it then: some servers answer 404 to an unknown client.
    if authorization is not None and target.server.seen.asked_to_log_in is None:
        answers["authorization"] = await target.get(authorization, kind=Kind.AUTHORIZE)
    return answers


def _is_protected(target: Target, url: str) -> bool:
    return urlsplit(url).scheme == "https" or (urlsplit(url).scheme == "http" and target.server.is_loopback)


def _strings(value: object) -> tuple[str, ...]:
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(entry for entry in entries if isinstance(entry, str))


def _is_no_trusted_proxy(target: Target) -> None:
    topology = target.server.profile.topology
    # Servers commonly trust 127.0.0.1 as their proxy, and no other loopback address.
    if topology == "trusted" or (topology is None and target.server.is_loopback and target.source is None):
        raise Skipped("the server may trust this address as a proxy, and rely on its forwarding headers")


def _forwarding(target: Target) -> dict[str, str]:
    other_scheme = "http" if urlsplit(target.server.issuer).scheme == "https" else "https"
    return {
        "x-forwarded-host": STRANGER,
        "x-forwarded-proto": other_scheme,
        "x-forwarded-port": "8444",
        "x-forwarded-prefix": PREFIX,
        "forwarded": f"host={STRANGER};proto={other_scheme}",
        "x-original-host": STRANGER,
        "x-host": STRANGER,
    }


async def _shown_by_all(
    target: Target, query: str, headers: dict[str, str]
) -> dict[str, tuple[dict[str, object], Answer]]:
    """Request each document and the resource with these headers. Return members and challenges with URLs; none for a refusal."""
    seen: dict[str, tuple[dict[str, object], Answer]] = {}
    for url in (target.server.discovered.metadata_url, target.server.discovered.resource_metadata_url):
        if url is not None:
            answer = await target.get(url + query, headers={**JSON, **headers})
            members = answer.json_object() if answer.status == 200 else {}
            seen[url] = ({name: value for name, value in members.items() if "http" in str(value)}, answer)
    if target.server.resource is not None:
        answer = await target.resource.call(None, query=query, headers=headers)
        challenge = {"www-authenticate": answer.headers.get("www-authenticate")} if answer.status == 401 else {}
        seen[target.server.resource] = (cast("dict[str, object]", challenge), answer)
    return seen
