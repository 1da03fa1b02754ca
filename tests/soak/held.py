"""What this process holds: memory, objects, tasks, threads, file descriptors; on Linux."""

from __future__ import annotations

import gc
import logging
import resource
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio

T = TypeVar("T")

# trio keeps a thread that has no work for ten seconds.
PATIENCE: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """At one moment in which nothing is under way."""

    rss: int
    blocks: int
    objects: int
    tasks: int
    threads: int
    descriptors: int


def descriptors() -> int:
    """How many file descriptors are open."""
    return len(list(Path("/dev/fd").iterdir()))


def held() -> Held:
    """What is held now, garbage aside; called in an event loop."""
    for _ in range(3):
        gc.collect()
    return Held(
        rss=int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize(),
        blocks=sys.getallocatedblocks(),
        objects=len(gc.get_objects()),
        tasks=len(anyio.get_running_tasks()),
        threads=threading.active_count(),
        descriptors=descriptors(),
    )


def run_on(backend: str, function: Callable[[], Awaitable[T]]) -> T:
    """What a function returns on an event loop of its own."""
    # Python's development mode switches asyncio's on, which times each callback.
    options = {"debug": False} if backend == "asyncio" else {}
    return anyio.run(function, backend=backend, backend_options=options)


def comes_to(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true in good time; called outside of event loops."""
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


@contextmanager
def complaints() -> Generator[list[str]]:
    """What Python says of resources that were not closed and tasks that nobody asked about."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    def hear(unraisable: Any) -> None:
        heard.append(f"{unraisable.exc_value!r} {unraisable.object!r}")

    ear = Ear(logging.ERROR)
    logging.getLogger("asyncio").addHandler(ear)
    before, sys.unraisablehook = sys.unraisablehook, hear
    try:
        yield heard
        gc.collect()
    finally:
        sys.unraisablehook = before
        logging.getLogger("asyncio").removeHandler(ear)
