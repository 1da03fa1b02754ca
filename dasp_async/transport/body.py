"""Bodies: a request's as a plain stream; an answer's read raw, and inflated under the cap."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from functools import cache
from typing import Any, Final, Self, cast

_NOT_ENCODED: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_WBITS: Final = 16 + zlib.MAX_WBITS


def plain(stream: Any) -> Any:
    """A request's byte stream of the same kind, iterated by no async generator.

    httpx's own is one, and a send that fails abandons it half-way, which trio complains of.
    """
    kind: Any = type(cast("object", stream))
    return _plain_kind(kind)(b"".join(stream))


@cache
def _plain_kind(kind: Any) -> Any:
    def chunks(stream: Iterable[bytes]) -> _Chunks:
        return _Chunks(iter(stream))

    return type(kind.__name__, (kind,), {"__aiter__": chunks})


class _Chunks:
    """An iterator's items, without waiting for any."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise StopAsyncIteration
        return chunk


async def raw(response: Any, cap: int) -> bytes:
    """The body as it comes off the wire, up to one byte past the cap."""
    received = bytearray()
    async with aclosing(response.aiter_raw()) as chunks:
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
