"""Time: what o'clock it is, and the package's only sleep."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import Final, Protocol

import anyio

# timedelta's own limit
LONGEST: Final = timedelta.max.total_seconds()


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
    """The computer's own clock, under asyncio and trio alike."""

    __slots__ = ()

    def monotonic(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds of `time.time`."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Sleep for that many seconds."""
        await anyio.sleep(seconds)


def number(name: str, value: object, wanted: str = "a number") -> float:
    """A number as a float, infinite and NaN included; `name` is the parameter to blame.

    Raises `TypeError` for anything else, `ValueError` for a whole number that no float holds.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be {wanted}, not {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must be a finite number; got one that no float holds") from None


def seconds(name: str, value: object) -> float:
    """A duration in seconds; `name` is the parameter to blame if it is none.

    Raises `TypeError` for anything but a number or a timedelta, `ValueError` for one that is
    negative, infinite or not a number.
    """
    if isinstance(value, timedelta):
        value = value.total_seconds()
    duration = number(name, value, "seconds or a timedelta")
    if not 0 <= duration <= LONGEST:
        raise ValueError(f"{name} must be a finite number of seconds, not negative; got {duration}")
    return duration


def limit(name: str, value: object) -> float:
    """A time limit in seconds, infinite for None; raises like `seconds`, and for zero."""
    if value is None:
        return math.inf
    duration = seconds(name, value)
    if duration == 0:
        raise ValueError(f"{name} must be more than 0 seconds, or None for no limit")
    return duration
