"""Threads for what blocks: a few on each event loop, and none left behind by who is cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")


class Threads:
    """Runs functions in threads, so many at a time on each event loop."""

    __slots__ = ("_at_once", "_limiters")

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._limiters = RunVar[anyio.CapacityLimiter]("dasp_async.budget")

    async def run(self, function: Callable[[], T]) -> T:
        """What a function returns; a task that is cancelled meanwhile waits for it all the same."""
        try:
            limiter = self._limiters.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(self._at_once)
            self._limiters.set(limiter)
        return await anyio.to_thread.run_sync(function, limiter=limiter)
