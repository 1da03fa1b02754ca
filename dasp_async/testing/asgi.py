"""ASGI messages ↔ what the fake takes and answers, a connection dropped on the way included."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, NoReturn, TypeAlias

from dasp_async.testing.reading import MAX_REQUEST_BYTES
from dasp_async.testing.script import RawAnswer

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

# A name that uvicorn can't write: it fails after it has taken the answer for begun, and so can
# only close the connection; were nothing begun, it would answer 500 in the application's stead.
_UNSENDABLE: Final = {"type": "http.response.start", "status": 200, "headers": [(b"\0", b"")]}


async def lifespan(receive: Receive, send: Send) -> None:
    """Follow a server from its start to its end."""
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})


async def body_of(receive: Receive) -> bytes | None:
    """A request's body, or enough of it to see that it is too large; None if it breaks off."""
    parts: list[bytes] = []
    size = 0
    more = True
    # To its end, too large or not: httpx's transport for ASGI leaves a stream half read open.
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if size <= MAX_REQUEST_BYTES:
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        more = message.get("more_body", False)
    return b"".join(parts)


async def send_whole(send: Send, answer: RawAnswer) -> None:
    """Send an answer."""
    await send(_start(answer))
    await send({"type": "http.response.body", "body": _bytes(answer)})


async def drop(send: Send, answer: RawAnswer, after: int | None) -> NoReturn:
    """Close the connection after so many bytes of an answer; None for nothing of it."""
    if after is None:
        with contextlib.suppress(Exception):
            await send(dict(_UNSENDABLE))
    else:
        await send(_start(answer))
        part = _bytes(answer)[:-1][:after]
        await send({"type": "http.response.body", "body": part, "more_body": True})
    raise ConnectionResetError("the fake closed the connection")


def _start(answer: RawAnswer) -> Message:
    headers = {
        "Content-Type": answer.content_type,
        "Content-Length": str(len(_bytes(answer))),
        **answer.headers,
    }
    return {
        "type": "http.response.start",
        "status": answer.status,
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ],
    }


def _bytes(answer: RawAnswer) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else answer.body.encode()
