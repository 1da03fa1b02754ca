"""The body of an answer: read raw up to the cap, and inflated under it."""

from __future__ import annotations

import zlib
from contextlib import aclosing
from typing import Any, Final

_NOT_ENCODED: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_WBITS: Final = 16 + zlib.MAX_WBITS


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
    if encoding.strip().lower() in _NOT_ENCODED:
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
