"""The fake behind a real HTTP server, on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator

import uvicorn

from dasp_async.testing import FakeCustomerApi

PATIENCE = 20.0


@contextlib.contextmanager
def served(fake: FakeCustomerApi) -> Generator[str]:
    """The address of the fake's endpoint while uvicorn serves it, in a thread of its own."""
    config = uvicorn.Config(fake, log_config=None, lifespan="on", loop="asyncio", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/1.0/customerapi.asmx"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
    assert not thread.is_alive()
