"""What callers pass in, checked before anything is sent."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from datetime import timedelta
from inspect import isasyncgenfunction, isclass, iscoroutinefunction
from typing import TYPE_CHECKING, Final, cast

from dasp_async.soap import SoapVersion
from dasp_async.xsd import read_job_id, string_to_text

if TYPE_CHECKING:
    from uuid import UUID

# The largest whole number up to which JSON, Lua and a float tell each from the next.
LARGEST: Final = 2**53
# timedelta's own limit
LONGEST: Final = timedelta.max.total_seconds()


def job_id(value: object, name: str = "job_id") -> UUID:
    """A job's id; raises `ValueError` for anything but a `UUID` or text that `UUID` reads."""
    try:
        return read_job_id(value)
    except ValueError as problem:
        raise ValueError(f"{name} {problem}") from None


def job_ids(values: object) -> list[UUID] | AsyncGenerator[UUID]:
    """Jobs' ids, checked: at once if they are all there, else as they come."""
    if isinstance(values, AsyncIterable):
        return _as_they_come(cast("AsyncIterable[object]", values))
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"job_ids must be ids, not {type(values).__name__}")
    given = enumerate(cast("Iterable[object]", values))
    return [job_id(value, f"job_ids[{place}]") for place, value in given]


async def _as_they_come(values: AsyncIterable[object]) -> AsyncGenerator[UUID]:
    place = 0
    try:
        async for value in values:
            yield job_id(value, f"job_ids[{place}]")
            place += 1
    finally:
        if isinstance(values, AsyncGenerator):
            await values.aclose()


def problem_with_key(key: object) -> ValueError | TypeError | None:
    """What is wrong with a key; returned, since the frames of a raised error would hold it."""
    if not isinstance(key, str):
        return TypeError(f"key must be text, not {type(key).__name__}")
    if not key:
        return ValueError("key must not be empty; it is in the control panel")
    try:
        string_to_text(key)
    except ValueError as problem:
        return ValueError(f"key {problem}")
    return None


def http_client(value: object) -> None:
    """Raise `TypeError` unless it is None or looks like httpx's or httpx2's `AsyncClient`."""
    if value is None:
        return
    # A synchronous client has all of it but `aclose`; it would block the event loop.
    _has_methods(
        "http_client",
        value,
        ("build_request", "send", "aclose"),
        "an httpx.AsyncClient or httpx2.AsyncClient",
    )


def budget(value: object) -> None:
    """Raise `TypeError` unless it is left out, None, or has what a `CallBudget` has."""
    if value is not None and value is not ...:
        _has_methods("budget", value, ("admit", "settle", "remaining"), "a CallBudget")


def clock(value: object) -> None:
    """Raise `TypeError` unless it is None or has what a `Clock` has."""
    if value is not None:
        _has_methods("clock", value, ("monotonic", "time", "sleep"), "a Clock")


def _has_methods(name: str, value: object, methods: tuple[str, ...], wanted: str) -> None:
    if isclass(value):
        raise TypeError(f"{name} must be {wanted}, not the class {value.__name__}")
    for method in methods:
        if not callable(getattr(value, method, None)):
            raise TypeError(
                f"{name} must be {wanted}, not {type(value).__name__}, which has no {method}"
            )


def version(value: object) -> SoapVersion:
    """A SOAP version, or its number; raises `TypeError` or `ValueError`."""
    wanted = "version must be a SoapVersion, '1.1' or '1.2'"
    if not isinstance(value, SoapVersion | str):
        raise TypeError(f"{wanted}, not {type(value).__name__}")
    try:
        return SoapVersion(value)
    except ValueError:
        # Not the text itself: it may be a key in the wrong place.
        raise ValueError(f"{wanted}; got text of {len(str(value))} characters") from None


def callback(name: str, value: object) -> None:
    """Raise `TypeError` unless it is None or a plain function."""
    if value is None:
        return
    called = (value, type(value).__call__) if callable(value) else ()
    if not called or any(iscoroutinefunction(each) or isasyncgenfunction(each) for each in called):
        raise TypeError(f"{name} must be a plain function, which is called and not awaited")


def kind_of(name: str, value: object, kind: type) -> None:
    """Raise `TypeError` unless a value is of a kind."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")


def whole(name: str, value: object, *, least: int, most: int = LARGEST) -> int:
    """A whole number within bounds; raises `TypeError` or `ValueError`, naming the parameter."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}")
    if value < least:
        # Python writes out none of thousands of digits.
        got = f"; got {value}" if value > -LARGEST else ""
        raise ValueError(f"{name} must be {least} or more{got}")
    if value > most:
        raise ValueError(f"{name} must be {most} at most")
    return value


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
