"""What the own client's connections stand on: a transport for each, the last used first.

httpcore's pool goes through all of its connections several times a call, and asks the system about
each idle one: with 100 of them that is most of a call's time. Here a call takes the transport that
came back last, and looks at no other but for those that have been idle for too long.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple

import anyio
import httpx

if TYPE_CHECKING:
    import ssl

# Seconds that an idle connection stays open, as httpx has it
KEEP_ALIVE_EXPIRY: Final = 5.0


class _Idle(NamedTuple):
    transport: httpx.AsyncHTTPTransport
    since: float


class _NoCookies(httpx.Cookies):
    """Cookies that stay none."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Take none."""


class NoCookieClient(httpx.AsyncClient):
    """A client that takes no cookies, the looking for which is a twentieth of a call's time.

    The service has no sessions.
    """

    _none = _NoCookies()

    @property
    def cookies(self) -> httpx.Cookies:
        """None."""
        return self._none

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        """Nobody sets any."""


class Connections(httpx.AsyncBaseTransport):
    """The connections of one client to servers that no proxy stands before.

    context: what they trust, shared by all. keep_alive: how many may stay open when idle.
    """

    def __init__(self, context: ssl.SSLContext, *, keep_alive: int) -> None:
        self._context = context
        self._keep_alive = keep_alive
        # Sorted by `since`, as each goes to the end and comes from there
        self._idle: deque[_Idle] = deque()
        self._in_use: set[httpx.AsyncHTTPTransport] = set()
        self._is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response; its connection is free once it is closed."""
        transport = self._idle.pop().transport if self._idle else self._new()
        self._in_use.add(transport)
        try:
            response = await transport.handle_async_request(request)
        except BaseException:
            self._in_use.remove(transport)
            await _close(transport)
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - for the type checkers
        response.stream = _Stream(response.stream, lambda: self._free(transport))
        return response

    async def aclose(self) -> None:
        """Close all connections, those in use too."""
        self._is_closed = True
        for transport in (*self._in_use, *(idle.transport for idle in self._idle)):
            await _close(transport)
        self._idle.clear()

    def _new(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(
            verify=self._context,
            limits=httpx.Limits(
                max_connections=1,
                max_keepalive_connections=1,
                keepalive_expiry=KEEP_ALIVE_EXPIRY,
            ),
        )

    async def _free(self, transport: httpx.AsyncHTTPTransport) -> None:
        self._in_use.remove(transport)
        now = time.monotonic()
        self._idle.append(_Idle(transport, now))
        while self._idle and (
            self._is_closed
            or len(self._idle) > self._keep_alive
            or self._idle[0].since < now - KEEP_ALIVE_EXPIRY
        ):
            await _close(self._idle.popleft().transport)


class _Stream(httpx.AsyncByteStream):
    """A response's body, which frees its connection when it is closed."""

    def __init__(self, body: httpx.AsyncByteStream, free: Callable[[], Awaitable[None]]) -> None:
        self._body = body
        self._free = free
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    async def aclose(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            try:
                await self._body.aclose()
            finally:
                await self._free()


async def _close(transport: httpx.AsyncHTTPTransport) -> None:
    # Whoever is being cancelled must not leave a socket open.
    with anyio.CancelScope(shield=True):
        await transport.aclose()
