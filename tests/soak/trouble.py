"""The other side of the soak: a bare HTTP server in a process of its own, in trouble now and then.

`python -m tests.soak.trouble SHARE` prints its port, serves until standard input ends, and prints a
line of JSON: how often it answered in which way, and how many connections were open at the end.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import sys
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

from tests.servers import answer, sample

# As long as no client waits for an answer
SLOW: Final = 0.05
_LENGTH: Final = b"content-length:"
_JOB: Final = re.compile(rb"<jobId>[^<]+([0-9a-f]{12})</jobId>")

RUNNING: Final = answer(sample("soap11/progress-1"))
DONE: Final = answer()
ADDED: Final = answer(
    b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    b'<SMAddAliasResponse xmlns="http://api.discountasp.net/"/></soap:Body></soap:Envelope>'
)
BUSY: Final = answer(b"<h1>busy</h1>", status="503 Service Unavailable", content_type="text/html")
FAULT: Final = answer(sample("soap11/fault-null-reference"), status="500 Internal Server Error")
GARBAGE: Final = answer(DONE[-400:-40] + b"\xff\x00<")

answered: Final = Counter[str]()
seen: Final = set[int]()
connections: Final = set[asyncio.Transport]()


class Answers(asyncio.Protocol):
    """One connection; its requests are answered in turn."""

    transport: asyncio.Transport
    received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Forget it."""
        connections.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request that is whole; no client of ours sends the next before."""
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        place = head.lower().find(_LENGTH)
        if end and len(body) >= int(head[place + len(_LENGTH) :].split(b"\r", 1)[0]):
            self.received = b""
            in_trouble = answered.total() > 0 and chance.random() < share
            way = chance.choice(TROUBLES) if in_trouble else Answers.well
            answered[way.__name__] += 1
            way(self, answer_to(body))

    def well(self, good: bytes) -> None:
        """As ever."""
        self.transport.write(good)

    def slowly(self, good: bytes) -> None:
        """Later."""
        asyncio.get_running_loop().call_later(SLOW, self.transport.write, good)

    def never(self, _: bytes) -> None:
        """Not at all; the client closes the connection."""

    def with_a_reset(self, _: bytes) -> None:
        """A TCP reset."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def in_part(self, good: bytes) -> None:
        """Half of it, and no more."""
        self.transport.write(good[: len(good) // 2])
        self.transport.close()

    def busy(self, _: bytes) -> None:
        """HTTP 503."""
        self.transport.write(BUSY)

    def with_a_fault(self, _: bytes) -> None:
        """A SOAP fault."""
        self.transport.write(FAULT)

    def with_garbage(self, _: bytes) -> None:
        """What nobody can read."""
        self.transport.write(GARBAGE)


TROUBLES: Final[list[Callable[[Answers, bytes], None]]] = [
    Answers.slowly,
    Answers.never,
    Answers.with_a_reset,
    Answers.in_part,
    Answers.busy,
    Answers.with_a_fault,
    Answers.with_garbage,
]


def answer_to(body: bytes) -> bytes:
    """What a request asks for: jobs are done at their second look, those with odd ids at once."""
    job = _JOB.search(body)
    if job is None:
        return ADDED
    number = int(job[1], 16)
    if number % 2 or number in seen:
        seen.discard(number)
        return DONE
    seen.add(number)
    return RUNNING


async def serve() -> None:
    """Print the port, serve, and print what was done."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answers, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how the soak learns it
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps([answered, len(connections)]))  # noqa: T201 - as above


if __name__ == "__main__":
    share = float(sys.argv[1])
    chance = Random(1)
    asyncio.run(serve())
