"""Remove the clients that a run registered, if the server allows it and still answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.client import Target
from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.run_state.run import Run

TIDIED_WITHIN = 60.0
"""The deadline in seconds for the removal of clients, which is a courtesy to the server."""


async def tidy_up(run: Run) -> None:
    """Remove the clients of this run if the server allows it (RFC 7592 section 2.3); list the others in `left_behind`."""
    target, removed = Target(run, "tidying up"), set[str]()
    try:
        async with asyncio.timeout(TIDIED_WITHIN), run.clock.running():
            await _remove_clients(run, target, removed)
    except TimeoutError:
        pass  # the remaining clients are listed below
    run.clients.left_behind += [client.client_id for client in run.clients.entries if client.client_id not in removed]


async def _remove_clients(run: Run, target: Target, removed: set[str]) -> None:
    for client in run.clients.entries:
        if client.management_uri and urlsplit(client.management_uri).netloc == urlsplit(run.server.issuer).netloc:
            headers = {"authorization": f"Bearer {client.management_token}"}
            try:
                answer = await target.send("DELETE", client.management_uri, kind=Kind.REGISTER, headers=headers)
            except Blocked:
                continue
            if answer.status == 204:
                removed.add(client.client_id)
