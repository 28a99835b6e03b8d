"""Intercept every navigation of a page before Chromium sends it, redirects included (DevTools `Fetch` domain)."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from playwright.async_api import Error

from oauth_litmus.login.devtools import devtools_of
from oauth_litmus.login.leg import Step

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from playwright.async_api import Page

    from oauth_litmus.login.devtools import DevTools
    from oauth_litmus.login.leg import Leg

_FORM = "application/x-www-form-urlencoded"
_NOT_PASSED_ON = frozenset({"set-cookie", "content-length", "content-encoding", "transfer-encoding", "connection"})


class Interception:
    """Serves the leg's recorded page, lets navigations pass, and stops the navigation that ends the leg."""

    def __init__(self, leg: Leg, headers: Mapping[str, str]) -> None:
        self.leg = leg
        self.ended: asyncio.Future[Step] = asyncio.get_running_loop().create_future()
        self._headers = dict(headers)
        self._begun = False
        self._answering: set[asyncio.Task[None]] = set()

    async def watch(self, page: Page) -> None:
        """Start to intercept the navigations of this window."""
        session = await devtools_of(page)
        tree = await session.send("Page.getFrameTree")
        window = str(tree["frameTree"]["frame"]["id"])
        patterns: list[dict[str, str]] = [{"urlPattern": "*", "resourceType": "Document", "requestStage": "Request"}]
        if self._headers:
            patterns += [{"urlPattern": f"{origin}/*", "requestStage": "Request"} for origin in self.leg.home]

        def paused(event: dict[str, Any]) -> None:
            self._keep(self._answer(session, page, window, event))

        session.on("Fetch.requestPaused", paused)
        await session.send("Fetch.enable", {"patterns": patterns})

    async def finished(self) -> None:
        """Wait up to a second until no intercepted navigation is pending."""
        if self._answering:
            await asyncio.wait(self._answering, timeout=1.0)

    def _keep(self, answer: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(answer)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, session: DevTools, page: Page, window: str, event: dict[str, Any]) -> None:
        request = event["request"]
        identifier = {"requestId": event["requestId"]}
        url = f"{request['url']}{request.get('urlFragment', '')}"
        try:
            if event.get("resourceType") != "Document" or event.get("frameId") != window:
                await session.send("Fetch.continueRequest", {**identifier, **self._with_headers(request)})
            elif not self._begun:
                self._begun = True
                await self._begin(session, identifier, request)
            elif self.leg.ends_at(url) and (step := _step(page, self.leg, url, request)) is not None:
                await session.send("Fetch.failRequest", {**identifier, "errorReason": "Aborted"})
                if not self.ended.done():
                    self.ended.set_result(step)
            else:
                await session.send("Fetch.continueRequest", identifier)
        except Error:
            # The window was closed, or went to another page: the intercepted request no longer exists.
            return

    async def _begin(self, session: DevTools, identifier: dict[str, str], request: dict[str, Any]) -> None:
        shown, step = self.leg.page, self.leg.step
        if shown is not None:
            head = [
                {"name": name, "value": value}
                for name, value in shown.headers.multi_items()
                if name.lower() not in _NOT_PASSED_ON
            ]
            body = base64.b64encode(shown.body).decode()
            page = {"responseCode": shown.status, "responseHeaders": head, "body": body}
            await session.send("Fetch.fulfillRequest", {**identifier, **page})
        elif step.method == "POST":
            headers = [*_headers_of(request), {"name": "content-type", "value": _FORM}]
            form = base64.b64encode(urlencode(step.body).encode()).decode()
            await session.send(
                "Fetch.continueRequest", {**identifier, "method": "POST", "postData": form, "headers": headers}
            )
        else:
            await session.send("Fetch.continueRequest", identifier)

    def _with_headers(self, request: dict[str, Any]) -> dict[str, Any]:
        parts = urlsplit(str(request["url"]))
        if not self._headers or f"{parts.scheme}://{parts.netloc}".lower() not in self.leg.home:
            return {}
        own = [{"name": name, "value": value} for name, value in self._headers.items()]
        return {"headers": [*_headers_of(request), *own]}


def _headers_of(request: dict[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in request["headers"].items()]


def _step(page: Page, leg: Leg, url: str, request: dict[str, Any]) -> Step | None:
    """Return the navigation as a step of the walk; None if it is a POST whose body is not form-encoded."""
    initiator = page.url if page.url.startswith("http") else leg.step.initiator
    if request["method"] != "POST":
        return Step(url, initiator=initiator)
    kind = next((value for name, value in request["headers"].items() if name.lower() == "content-type"), _FORM)
    if kind.partition(";")[0].strip().lower() != _FORM:
        return None
    body = tuple(parse_qsl(str(request.get("postData", "")), keep_blank_values=True))
    return Step(url, "POST", body, initiator)
