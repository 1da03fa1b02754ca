"""What the own client's connections stand on: httpx's transport, and a pool that looks at one.

httpcore's own pool goes through all of its connections several times a call, and asks the system
about each idle one: with 100 of them that is most of a call's time, and with one still a sixth.
Here a call takes the connection that came back last, and looks at no other but for those that have
been idle for too long.
"""

from __future__ import annotations

import ssl
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, suppress
from typing import Any, Final, NamedTuple, cast

import anyio
import httpcore  # httpx stands on it, and says which
import httpx

_BROKEN: Final = (anyio.BrokenResourceError, anyio.ClosedResourceError)

# Seconds that an idle connection stays open, as httpx has it
KEEP_ALIVE_EXPIRY: Final = 5.0


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


class Connections(httpx.AsyncHTTPTransport):
    """httpx's transport to one server that no proxy stands before, on a pool of our own.

    context: what connections trust. keep_alive: how many may stay open when idle.
    """

    def __init__(self, context: ssl.SSLContext, *, keep_alive: int) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = _LastUsedFirst(context, keep_alive)


class _Idle(NamedTuple):
    connection: httpcore.AsyncConnectionInterface
    since: float


class _LastUsedFirst(httpcore.AsyncConnectionPool):
    """Connections to one server: a stack of the idle ones, and a new one where there is none."""

    def __init__(self, context: ssl.SSLContext, keep_alive: int) -> None:
        super().__init__(
            ssl_context=context,
            keepalive_expiry=KEEP_ALIVE_EXPIRY,
            network_backend=_OneWrite(),
        )
        self._keep_alive = keep_alive
        # Sorted by `since`, as each goes to the end and comes from there
        self._idle: deque[_Idle] = deque()
        self._in_use: set[httpcore.AsyncConnectionInterface] = set()
        self._is_closed = False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """The response; its connection is free once it is closed."""
        connection = await self._last_used() or self.create_connection(request.url.origin)
        self._in_use.add(connection)
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            self._in_use.remove(connection)
            await _close(connection)
            raise
        assert isinstance(response.stream, AsyncIterable)  # noqa: S101 - for the type checkers
        extensions = cast("Any", response).extensions
        # httpx would log it, and it can echo the key.
        extensions.pop("reason_phrase", None)
        network = extensions["network_stream"]
        response.stream = _Stream(response.stream, lambda: self._free(connection, network))
        return response

    async def aclose(self) -> None:
        """Close all connections, those in use too."""
        self._is_closed = True
        # Each of them, though asyncio's own cancellation, which no shield holds off, ends one wait.
        async with AsyncExitStack() as closing:
            for connection in (*self._in_use, *(idle.connection for idle in self._idle)):
                closing.push_async_callback(_close, connection)
            self._idle.clear()

    async def _last_used(self) -> httpcore.AsyncConnectionInterface | None:
        while self._idle:
            connection = self._idle.pop().connection
            # Not one that the server has closed: a call that writes could not be sent anew.
            if not connection.has_expired():
                return connection
            await _close(connection)
        return None

    async def _free(self, connection: httpcore.AsyncConnectionInterface, network: object) -> None:
        self._in_use.remove(connection)
        now = time.monotonic()
        opened = _opened(connection)
        if opened.is_idle() and not _has_more(opened, network):
            self._idle.append(_Idle(opened, now))
        else:
            await _close(opened)
        while self._idle and (
            self._is_closed
            or len(self._idle) > self._keep_alive
            or self._idle[0].since < now - KEEP_ALIVE_EXPIRY
        ):
            await _close(self._idle.popleft().connection)


class _Stream:
    """A response's body, which frees its connection when it is closed."""

    def __init__(self, body: AsyncIterable[bytes], free: Callable[[], Awaitable[None]]) -> None:
        self._body = body
        self._free = free
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    async def aclose(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            try:
                await self._body.aclose()  # type: ignore[attr-defined]
            finally:
                await self._free()


class _OneWrite(httpcore.AsyncNetworkBackend):
    """httpcore's network, on which a request's head and body leave together."""

    def __init__(self) -> None:
        # On any event loop; httpcore hides what it is from type checkers.
        self._network: Any = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _Joined(
            await self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        )


class _Joined(httpcore.AsyncNetworkStream):
    """A stream that sends what was written when its answer is to be read."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, tls: Any = None) -> None:
        self._stream = stream
        # Below httpcore's, which has a cancel scope for each read and write: a time limit of none
        self._bytes = cast("Any", stream)._stream  # noqa: SLF001 - no other way
        self._tls = tls
        self._unsent = b""

    def has_more(self) -> bool:
        """Whether a TLS record has come that nobody has read."""
        if not isinstance(self._tls, ssl.SSLObject):
            return False
        try:
            self._tls.read(1)
        except ssl.SSLError as nothing:
            return not isinstance(nothing, ssl.SSLWantReadError)
        return True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - httpcore's
        if self._unsent:
            unsent, self._unsent = self._unsent, b""
            # As httpcore has it: a server may answer early and close, and its answer counts.
            with suppress(*_BROKEN):
                await self._bytes.send(unsent)
        try:
            received: bytes = await self._bytes.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except _BROKEN as broken:
            raise httpcore.ReadError(broken) from broken
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - httpcore's
        self._unsent += buffer

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _Joined(stream, stream.get_extra_info("ssl_object"))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _opened(connection: Any) -> Any:
    """The connection itself, without what opened it: a lock, a turn of the event loop each call."""
    if isinstance(connection, httpcore.AsyncHTTPConnection):
        return cast("Any", connection)._connection  # noqa: SLF001 - no other way
    return connection


def _has_more(connection: Any, network: Any) -> bool:
    """Whether more came than the answer, in the bytes after it or in a TLS record of its own.

    httpcore would take that for the next call's answer, and not even send its request.
    """
    more, _ = connection._h11_state.trailing_data  # noqa: SLF001 - no other way
    return bool(more) or bool(network.has_more())


async def _close(connection: httpcore.AsyncConnectionInterface) -> None:
    # Whoever is being cancelled must not leave a socket open.
    with anyio.CancelScope(shield=True):
        await connection.aclose()
