"""The other side of the benchmarks: a bare HTTP server in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from tests.servers import COMPLETED, answer, sample

ANSWERS: Final = {b"POST": answer(COMPLETED)}
LENGTH: Final = b"content-length:"


class Answers(asyncio.Protocol):
    """One connection; all POSTs are answered alike, and all GETs with the WSDL."""

    transport: asyncio.Transport
    received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self.received += data
        while True:
            head, end, rest = self.received.partition(b"\r\n\r\n")
            place = head.lower().find(LENGTH)
            length = 0 if place < 0 else int(head[place + len(LENGTH) :].split(b"\r", 1)[0])
            if not end or len(rest) < length:
                return
            self.received = rest[length:]
            self.transport.write(ANSWERS[head[:4]])


async def serve() -> None:
    """Print the port, and serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answers, "127.0.0.1", 0, backlog=2048)
    port = server.sockets[0].getsockname()[1]
    # zeep calls the address in the WSDL.
    ANSWERS[b"GET "] = answer(sample("http/wsdl").replace(b":18080/", f":{port}/".encode()))
    print(port, flush=True)

    def spin() -> None:
        # Never asleep, so that no client waits for this process to be woken.
        loop.call_soon(spin)

    spin()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
