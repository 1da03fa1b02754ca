"""Time: what o'clock it is, and the package's only sleep."""

from __future__ import annotations

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """What a client asks of time; pass another one to test waits without waiting."""

    def monotonic(self) -> float:
        """Seconds on a scale that only runs forward; its zero means nothing."""
        ...

    def time(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z, as `time.time`."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once that many seconds of this clock have passed."""
        ...


class SystemClock:
    """The computer's own clock, under asyncio and trio alike: `time.monotonic`, `time.time`."""

    __slots__ = ()

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)

    async def sleep(self, seconds: float) -> None:
        """Sleep for that many seconds."""
        await anyio.sleep(seconds)
