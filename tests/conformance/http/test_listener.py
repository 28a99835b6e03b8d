"""The listener records each request at addresses that cannot be guessed. It runs only when the profile asks for it."""

import asyncio

import httpx
import pytest

from oauth_litmus.http.listener import Hit, Listener, listening
from oauth_litmus.target.profile import ListenerSettings


async def on_loopback(ask):
    async with listening(loopback=True) as listener, httpx.AsyncClient(trust_env=False) as http:
        return await ask(listener, http), listener


async def test_a_request_for_a_place_is_a_hit_with_its_agent():
    async def ask(listener, http):
        place = listener.place()
        await http.get(f"{place.url}/logo_uri", headers={"user-agent": "fetcher/1"})
        return place

    place, listener = await on_loopback(ask)

    assert listener.hits(place) == [Hit("GET", f"{place.path}/logo_uri", "127.0.0.1", "fetcher/1")]


async def test_what_was_put_at_a_place_is_found_there():
    async def ask(listener, http):
        url = listener.put(listener.place(), "jwks_uri", '{"keys": []}')
        return (await http.get(url)).json()

    found, _ = await on_loopback(ask)

    assert found == {"keys": []}


async def test_elsewhere_there_is_nothing_to_find():
    async def ask(listener, http):
        return await http.get(f"{listener.url}/favicon.ico")

    answer, listener = await on_loopback(ask)

    assert (answer.status_code, answer.json()) == (200, {})
    assert listener.hits(listener.place()) == []


def test_places_are_of_one_check_alone():
    listener = Listener("https://public.example")

    assert listener.place().url != listener.place().url


def test_a_browser_says_that_it_is_one():
    assert Hit("GET", "/", "127.0.0.1", "Mozilla/5.0 (X11; Linux x86_64)").by_a_browser
    assert not Hit("GET", "/", "127.0.0.1", "python-httpx/0.28").by_a_browser


async def test_what_is_no_request_is_no_hit():
    async with listening(loopback=True) as listener:
        port = httpx.URL(listener.url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"A" * 20_000)
        writer.write_eof()
        await reader.read()
        writer.close()

        assert listener.hits(listener.place()) == []
        assert not listener._hits


async def test_beyond_loopback_the_listener_runs_only_on_request():
    async with listening(loopback=False) as listener:
        assert listener is None


async def test_the_profile_says_where_to_listen_and_how_it_is_reached():
    settings = ListenerSettings(url="https://public.example/litmus", bind="127.0.0.1:0")

    async with listening(settings.address, settings.url, loopback=False) as listener:
        assert listener.place().url.startswith("https://public.example/litmus/litmus-")


@pytest.mark.parametrize("section", [{"url": "ftp://x", "bind": "0.0.0.0:1"}, {"url": "https://x", "bind": "8443"}])
def test_a_section_that_cannot_be_used_is_refused(section):
    with pytest.raises(ValueError, match="pattern"):
        ListenerSettings(**section)
