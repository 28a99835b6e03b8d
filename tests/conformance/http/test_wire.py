"""One exchange on a real socket: what is read of an answer, and when reading ends."""

import asyncio
import gzip
import zlib
from contextlib import asynccontextmanager

import httpx
import pytest

from oauth_litmus.clock import WallClock
from oauth_litmus.http.reading import MAX_BODY
from oauth_litmus.http.transcript import Transcript
from oauth_litmus.http.trusted_hosts import TrustedHosts
from oauth_litmus.http.wire import ConnectionSettings, Gate, NoAnswerError, Wire

pytestmark = pytest.mark.sockets


@asynccontextmanager
async def answering(head: str, body: bytes, *, then_ends: bool):
    """A server that answers every connection with these bytes, and a wire to it."""
    hung_up = asyncio.Event()

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body)
        if not then_ends:
            await reader.read()
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    wire = Wire(ConnectionSettings().transports(), WallClock(1), Transcript(), {})
    try:
        yield wire, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp", hung_up
    finally:
        await wire.close()
        server.close()
        await server.wait_closed()


async def test_a_stream_of_events_that_stays_open_is_an_answer():
    async with answering("content-type: text/event-stream", b": hello\n\n", then_ends=False) as (wire, url, hung_up):
        answer = await wire.send("GET", url, check="test")
        await asyncio.wait_for(hung_up.wait(), 5)

    assert (answer.status, answer.body, answer.truncated) == (200, b": hello\n\n", True)


async def test_a_stream_of_events_that_ends_is_read_to_its_end():
    async with answering("content-type: text/event-stream", b"data: {}\n\n", then_ends=True) as (wire, url, _):
        answer = await wire.send("GET", url, check="test")

    assert (answer.body, answer.truncated) == (b"data: {}\n\n", False)


async def test_a_body_without_measure_is_cut():
    async with answering("content-type: text/plain", b"x" * (MAX_BODY + 1), then_ends=True) as (wire, url, _):
        answer = await wire.send("GET", url, check="test")

    assert (len(answer.body), answer.truncated) == (MAX_BODY, True)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate"])
async def test_a_body_that_is_compressed_unasked_is_read_all_the_same(coding):
    body = gzip.compress(b'{"issuer": "x"}') if "gzip" in coding.lower() else zlib.compress(b'{"issuer": "x"}')
    async with answering(f"content-encoding: {coding}", body, then_ends=True) as (wire, url, _):
        assert (await wire.send("GET", url, check="test")).json_object() == {"issuer": "x"}


async def test_a_compressed_body_without_measure_is_cut():
    async with answering("content-encoding: gzip", gzip.compress(bytes(1 << 26)), then_ends=True) as (wire, url, _):
        answer = await wire.send("GET", url, check="test")

    assert (len(answer.body), answer.truncated) == (MAX_BODY, True)


async def test_a_body_that_is_not_what_its_coding_says_is_no_answer():
    async with answering("content-encoding: gzip", b"plain", then_ends=True) as (wire, url, _):
        with pytest.raises(NoAnswerError, match="its body is not gzip, although its Content-Encoding says so"):
            await wire.send("GET", url, check="test")


async def test_secret_headers_go_to_known_places_alone():
    heard = []

    async def respond(request):
        heard.append((request.url.host, request.headers.get("x-edge")))
        return httpx.Response(200)

    wire = Wire(
        lambda _: httpx.MockTransport(respond), WallClock(1), Transcript(), {},
        secret_headers={"x-edge": "s3cr3t"}, known=TrustedHosts("https://auth.good.com"),
    )  # fmt: skip
    for host in ("auth.good.com", "collector.evil.com"):
        await wire.send("GET", f"https://{host}/", check="test")

    assert heard == [("auth.good.com", "s3cr3t"), ("collector.evil.com", None)]


@pytest.mark.parametrize("body", [b"", b"code=known"])
async def test_a_request_is_complete_only_when_its_gate_opens(body):
    connected, complete, at_the_line = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answer(reader, writer):
        connected.set()
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(body))
        complete.set()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    wire = Wire(ConnectionSettings().transports(), WallClock(1), Transcript(), {})
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"
    gate = Gate(at_the_line.set)
    async with asyncio.timeout(5):
        sending = asyncio.ensure_future(wire.send("POST" if body else "GET", url, check="test", body=body, gate=gate))
        await at_the_line.wait()
        await connected.wait()
        assert not complete.is_set()

        gate.released.set()

        assert (await sending).status == 200
    await wire.close()
    server.close()
    await server.wait_closed()


async def test_a_port_that_cannot_be_is_no_answer():
    wire = Wire(ConnectionSettings().transports(), WallClock(1), Transcript(), {})

    with pytest.raises(NoAnswerError, match="the port is above 65535"):
        await wire.send("GET", "http://127.0.0.1:99999/cb", check="test")
