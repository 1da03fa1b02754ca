"""What callers pass in, checked before anything is sent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from inspect import isclass, iscoroutinefunction
from typing import TYPE_CHECKING, cast

from dasp_async.soap import SoapVersion
from dasp_async.xsd import read_guid, string_to_text

if TYPE_CHECKING:
    from uuid import UUID


def job_id(value: object) -> UUID:
    """A job's id; raises `ValueError` for anything but a `UUID` or text that `UUID` reads."""
    try:
        return read_guid(value)
    except ValueError as problem:
        raise ValueError(f"job_id {problem}") from None


def job_ids(values: object) -> list[UUID] | AsyncGenerator[UUID]:
    """Jobs' ids, checked: at once if they are all there, else as they come."""
    if isinstance(values, AsyncIterable):
        return _as_they_come(cast("AsyncIterable[object]", values))
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"job_ids must be ids, not {type(values).__name__}")
    return [job_id(value) for value in cast("Iterable[object]", values)]


async def _as_they_come(values: AsyncIterable[object]) -> AsyncGenerator[UUID]:
    try:
        async for value in values:
            yield job_id(value)
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
    """A SOAP version, or its number; raises `ValueError`."""
    try:
        return SoapVersion(value)
    except ValueError:
        raise ValueError(f"version must be a SoapVersion, '1.1' or '1.2', not {value!r}") from None


def callback(name: str, value: object) -> None:
    """Raise `TypeError` unless it is None or a plain function."""
    if value is not None and (not callable(value) or iscoroutinefunction(value)):
        raise TypeError(f"{name} must be a plain function, which is called and not awaited")


def kind_of(name: str, value: object, kind: type) -> None:
    """Raise `TypeError` unless a value is of a kind."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")


def at_least_one(name: str, value: object) -> int:
    """A number of things; raises `TypeError` or `ValueError`, naming the parameter."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be 1 or more; got {value}")
    return value
