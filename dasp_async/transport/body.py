"""Bodies: a request's as a plain stream; an answer's read raw, and inflated under the cap."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from functools import cache
from typing import Any, Final, Self

# Asked for plain, so that what arrives is what counts against the cap.
PLAIN: Final[Mapping[str, str]] = {"Accept-Encoding": "identity"}

_NOT_ENCODED: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_WBITS: Final = 16 + zlib.MAX_WBITS


class Body:
    """A request's body, iterated by no async generator.

    httpx's own is one, and a send that fails abandons it half-way, which trio complains of.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __aiter__(self) -> _Once:
        return _Once(self._body)

    def __iter__(self) -> Iterator[bytes]:
        return iter((self._body,))


class _Once:
    """One chunk, without waiting for it."""

    def __init__(self, chunk: bytes) -> None:
        self._chunks = iter((chunk,))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


def plain(stream: Any) -> Any:
    """The byte stream of a borrowed client's request as a `Body`, of the same kind."""
    return _plain_kind(stream.__class__)(b"".join(stream))


@cache
def _plain_kind(kind: Any) -> Any:
    return type(kind.__name__, (Body, kind), {})


async def raw(response: Any, cap: int) -> bytes:
    """The body as it comes off the wire, up to one byte past the cap."""
    received = bytearray()
    # Not by `aiter_raw`, a generator more around each chunk
    async with aclosing(aiter(response.stream)) as chunks:
        async for chunk in chunks:
            received += chunk
            if len(received) > cap:
                break
    return bytes(received[: cap + 1])


def decoded(raw: bytes, encoding: str, cap: int) -> tuple[bytes, bool] | None:
    """The content up to the cap, and whether that is all of it; None if it can't be read."""
    if not raw or encoding.strip().lower() in _NOT_ENCODED:
        return raw[:cap], len(raw) <= cap
    if encoding.strip().lower() not in _GZIP:
        return None
    inflater = zlib.decompressobj(_GZIP_WBITS)
    try:
        content = inflater.decompress(raw, cap + 1)
    except zlib.error:
        return None
    if len(content) > cap or len(raw) > cap:
        return content[:cap], False
    # Neither cut short nor followed by more, which only an attacker would send.
    return (content, True) if inflater.eof and not inflater.unused_data else None
