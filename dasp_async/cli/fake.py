"""The fake service on a real loopback socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from dasp_async.testing import FakeCustomerApi

PATH = "/1.0/customerapi.asmx"


def listener(port: int) -> socket.socket:
    """A socket that listens on that port of the loopback address; 0 finds a free one."""
    listening = socket.create_server(("127.0.0.1", port))
    # An answer's head and body are two writes, and the second would wait for the first's receipt.
    # asyncio sets this on sockets that it makes itself; what is accepted has it from here.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def endpoint(listening: socket.socket) -> str:
    """The address at which a fake service that listens there answers."""
    return f"http://127.0.0.1:{listening.getsockname()[1]}{PATH}"


def server(fake: FakeCustomerApi, *, log_level: str) -> uvicorn.Server:
    """A web server for a fake service."""
    return uvicorn.Server(uvicorn.Config(fake, log_level=log_level, lifespan="on", ws="none"))


@contextmanager
def serving(fake: FakeCustomerApi) -> Generator[str]:
    """Serve a fake from a thread of its own; gives the endpoint."""
    with listener(0) as listening:
        web = server(fake, log_level="critical")
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield endpoint(listening)
        finally:
            web.should_exit = True
            thread.join()
