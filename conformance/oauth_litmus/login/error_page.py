"""The server's answer to an authorization request of nobody: what it does on a page that belongs to no login."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauth_litmus.answer import Answer
    from oauth_litmus.client import Target


async def error_page(target: Target) -> Answer:
    """The answer to an authorization request of a client that does not exist; asked for once, for all checks."""

    async def ask() -> Answer:
        request = target.request(await target.client())
        return (await target.authorize(request.but(client_id=f"nobody-{target.run.run_id}"))).last

    return await target.once("error page", ask)
