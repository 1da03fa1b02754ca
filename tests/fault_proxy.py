"""A TCP proxy that does to an exchange what a hostile network can, at the byte it is told."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Final, NoReturn, Self
from urllib.parse import urlsplit

import anyio

# Longer than any test means to wait: what hits it is a fault of the test.
PATIENCE: Final = 20.0

_LENGTH: Final = re.compile(rb"(?i)content-length: *(\d+)")


class Phase(Enum):
    """Of what the bytes are counted."""

    CONNECT = auto()
    REQUEST = auto()
    HEAD = auto()
    BODY = auto()
    AFTER = auto()


class Act(Enum):
    """What the client then meets; without one the exchange goes on."""

    REFUSE = auto()
    RESET = auto()
    CLOSE = auto()
    HALF_CLOSE = auto()
    STALL = auto()
    DRIP = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls one exchange, once `after` bytes of its phase have passed.

    after: less than 0 counts from the end of the request or the answer. insert: bytes put in
    there. repeat: how many of the following bytes come twice. pause: seconds before it goes on,
    or after each dripped byte. rewrite: makes the whole answer from the true one's body; in the
    request's phase it is the answer to a request that was not read to its end.
    """

    phase: Phase = Phase.AFTER
    after: int = 0
    act: Act | None = None
    insert: bytes = b""
    repeat: int = 0
    pause: float = 0.0
    rewrite: Callable[[bytes], bytes] | None = None


NONE: Final = Fault()

_ENDS: Final = {Act.RESET, Act.CLOSE, Act.HALF_CLOSE, Act.STALL}


class _Over(Exception):
    """The connection has met its end."""


class FaultProxy:
    """Between a client and a server, in threads of its own, and so of no event loop.

    faults: what befalls the exchanges in turn; none those that follow. tls: what it shows the
    client; it is in the clear to the server. It counts: `connections` accepted, those that are
    open, which neither the client nor the proxy has closed, and the exchanges that have `met`
    what was to befall them; `last_answer` is the last one, before it meets anything.
    """

    def __init__(
        self, upstream: str, faults: Iterable[Fault] = (), *, tls: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname, parts.port)
        self._tls = tls
        self._faults = deque(faults)
        self._threads: list[threading.Thread] = []
        self._clients: dict[int, socket.socket] = {}
        self._stopping = threading.Event()
        self._is_listening = False
        self.connections = 0
        self.met = 0
        self.last_answer = b""
        # Bound and not listening, it refuses.
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        scheme = "http" if tls is None else "https"
        port = self._listener.getsockname()[1]
        self.url = parts._replace(scheme=scheme, netloc=f"127.0.0.1:{port}").geturl()

    async def has_open(self, connections: int) -> bool:
        """Whether it comes to have so many open connections in good time."""
        return await self._comes_true(lambda: len(self._clients) == connections)

    async def has_met(self, exchanges: int) -> bool:
        """Whether so many exchanges come to meet what was to befall them in good time."""
        return await self._comes_true(lambda: self.met == exchanges)

    def move_on(self) -> None:
        """An attempt that was refused is over."""
        if not self._is_listening:
            self._faults.popleft()
            self._listen_unless_refusing()

    def befall(self, faults: Iterable[Fault] = ()) -> None:
        """From now on these, in the place of those that are left."""
        self._faults = deque(faults)
        if not self._is_listening:
            self._listen_unless_refusing()

    async def _comes_true(self, condition: Callable[[], bool]) -> bool:
        with anyio.move_on_after(PATIENCE):
            while not condition():
                await anyio.sleep(0.002)
        return condition()

    def __enter__(self) -> Self:
        self._listen_unless_refusing()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for end in (self._listener, *self._clients.values()):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _listen_unless_refusing(self) -> None:
        self._is_listening = not (self._faults and self._faults[0].act is Act.REFUSE)
        if self._is_listening:
            self._listener.listen()
            self._start(self._accept)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                self._clients[self.connections] = client
                self._start(self._serve, self.connections)

    def _serve(self, number: int) -> None:
        # The client going away in the middle is what this is about.
        with contextlib.suppress(OSError, _Over):
            client = self._clients[number]
            client.settimeout(PATIENCE)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            met_first = self._next()
            fault: Fault | None = met_first
            if met_first.phase is Phase.CONNECT:
                self._pass(b"", 0, met_first, client, client)
                fault = NONE
            if self._tls is not None:
                client = self._clients[number] = self._tls.wrap_socket(client, server_side=True)
            while first := client.recv(1):
                # One for each exchange, so that what one leaves there is no trouble to the next
                with socket.create_connection(self._upstream, PATIENCE) as server:
                    self._exchange(client, server, first, fault or self._next())
                self.met += 1
                fault = None
        self._clients[number].close()
        del self._clients[number]

    def _next(self) -> Fault:
        return self._faults.popleft() if self._faults else NONE

    def _exchange(
        self, client: socket.socket, server: socket.socket, first: bytes, fault: Fault
    ) -> None:
        if fault.phase is Phase.REQUEST:
            self._request(client, server, first, fault)
            return
        server.sendall(_message(client, first))
        answer = _message(server)
        if fault.rewrite is not None:
            answer = fault.rewrite(answer.partition(b"\r\n\r\n")[2])
        self.last_answer = answer
        starts = {Phase.BODY: answer.find(b"\r\n\r\n") + 4, Phase.AFTER: len(answer)}
        start = starts.get(fault.phase, 0) if fault.after >= 0 else len(answer)
        self._pass(answer, start + fault.after, fault, client, client)

    def _request(
        self, client: socket.socket, server: socket.socket, first: bytes, fault: Fault
    ) -> None:
        is_part = fault.after >= 0 and (fault.act in _ENDS or fault.rewrite is not None)
        request = _message(client, first, fault.after if is_part else None)
        if fault.rewrite is not None:
            client.sendall(fault.rewrite(b""))
            if fault.act is not None:
                self._end(client, fault.act)
            _message(client, request)
            return
        place = fault.after if fault.after >= 0 else len(request) + fault.after
        self._pass(request, place, fault, server, client)
        answer = _message(server)
        client.sendall(answer)
        if _LENGTH.search(answer) is None:
            # What ends with the connection, as the server's answer to nonsense does
            self._end(client, Act.CLOSE)

    def _pass(
        self, data: bytes, place: int, fault: Fault, to: socket.socket, client: socket.socket
    ) -> None:
        before = data[:place]
        rest = fault.insert + data[place : place + fault.repeat] + data[place:]
        if fault.act is Act.DRIP:
            to.sendall(before)
            for byte in rest:
                to.sendall(bytes([byte]))
                self._stopping.wait(fault.pause)
        elif fault.act is not None:
            to.sendall(before + fault.insert)
            self._end(client, fault.act)
        elif fault.pause:
            to.sendall(before)
            self._stopping.wait(fault.pause)
            to.sendall(rest)
        else:
            # In one segment, but over TLS in two records
            to.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            to.sendall(before)
            to.sendall(rest)
            to.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    def _end(self, client: socket.socket, act: Act) -> NoReturn:
        if act is Act.RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if act in {Act.RESET, Act.CLOSE}:
            client.close()
        elif act is Act.HALF_CLOSE:
            client.shutdown(socket.SHUT_WR)
        self.met += 1
        # So it stays open at this end until the client has closed it at its own.
        while client.fileno() >= 0 and client.recv(65536):
            pass
        raise _Over


def _message(source: socket.socket, begun: bytes = b"", enough: int | None = None) -> bytes:
    """A request or an answer, to its end, or as many of its first bytes as are enough."""
    message = bytearray(begun)
    while enough is None or len(message) < enough:
        head, blank, body = bytes(message).partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is not None and len(body) >= int(length[1]):
            break
        data = source.recv(65536 if enough is None else enough - len(message))
        if not data and (length is not None or not blank):
            raise _Over
        if not data:
            break
        message += data
    return bytes(message)
