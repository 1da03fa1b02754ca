"""A real Redis server of the tests' own, on a free port of this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import redis

PROGRAM: Final = shutil.which("redis-server")
WHY_NOT: Final = "needs redis-server, which Debian's package of that name brings"


class RedisServer:
    """Starts and stops; keeps what it is told in a file, so that it may be killed in between."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def ask(self, *words: str | int) -> Any:
        """What it answers to a command."""
        client: Any = redis.Redis
        with client.from_url(self.url) as connected:
            return connected.execute_command(*words)

    def empty(self) -> None:
        """Forget everything."""
        self.ask("FLUSHALL")

    def start(self, *options: str) -> Self:
        """Start it, and wait until it answers."""
        assert PROGRAM is not None
        command = [PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        kept = ["--appendonly", "yes", "--appendfsync", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(  # noqa: S603 - Debian's own
            [*command, *kept, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.ask("PING")
            except redis.RedisError:
                assert self._process.poll() is None
                time.sleep(0.01)
            else:
                return self
        raise AssertionError("redis-server did not start")

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
