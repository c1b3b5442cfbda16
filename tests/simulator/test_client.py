"""What a simulated client makes of answers that it did not expect."""

import asyncio
import random
from contextlib import closing

import pytest

from core.errors import Busy, DatabaseUnavailable, Overloaded
from simulator.client import Client, NotNow, Unexpected
from simulator.http import Request, Site


def error_of(content_type: str, body: str) -> Unexpected:
    """What a client raises when a server answers 503 with this body."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 503 x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def ask() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            client = Client(Site(url), [], 0, random.Random(1))  # noqa: S311  chance, not secrecy
            with closing(client.connect()) as connection:
                await client.call("poll", connection, Request("GET", "/x", "key"), expected={200})

    with pytest.raises(Unexpected) as refused:
        asyncio.run(ask())
    return refused.value


@pytest.mark.parametrize("code", [Busy.code, Overloaded.code])
def test_a_broker_that_has_too_much_to_do_is_asked_again_later(code):
    assert isinstance(error_of("application/json", f'{{"code": "{code}"}}'), NotNow)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", f'{{"code": "{DatabaseUnavailable.code}"}}'),
        ("text/html", "<h1>Service Unavailable</h1>"),
    ],
)
def test_any_other_503_is_a_refusal(content_type, body):
    assert not isinstance(error_of(content_type, body), NotNow)
