"""A raw TCP server on loopback that does what a test scripts, byte for byte; TLS if wanted."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import anyio

if TYPE_CHECKING:
    import trustme

SAMPLES: Final = Path(__file__).parent / "samples"
SOAP_1_1: Final = "text/xml; charset=utf-8"
SOAP_1_2: Final = "application/soap+xml; charset=utf-8"

# Longer than any test means to wait: what hits it is a fault of the test.
PATIENCE: Final = 20.0


def sample(name: str) -> bytes:
    """The body of a captured answer, like `soap11/completed`."""
    return (SAMPLES / name / "body").read_bytes()


COMPLETED: Final = sample("soap11/completed")


def answer(
    body: bytes = COMPLETED,
    *,
    status: str = "200 OK",
    content_type: str = SOAP_1_1,
    length: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """An HTTP answer as bytes; `length` is the Content-Length claimed, if not the body's."""
    lines = {
        "Content-Type": content_type,
        "Content-Length": str(len(body) if length is None else length),
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def certified(authority: trustme.CA) -> ssl.SSLContext:
    """For a server on 127.0.0.1, with a certificate of an authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """For a client that trusts an authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
    return context


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it stood on the wire."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __repr__(self) -> str:
        return f"Received({self.line!r})"


class Wire:
    """One accepted connection, as a behaviour sees it."""

    def __init__(self, connection: socket.socket, server: RawServer) -> None:
        self._connection = connection
        self._server = server
        self._buffer = b""

    def receive(self) -> Received | None:
        """The next whole request; None once the client has gone."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        line, *fields = head.decode("ascii").split("\r\n")
        headers = tuple((name, value) for name, _, value in (f.partition(": ") for f in fields))
        length = next((int(value) for name, value in headers if name == "Content-Length"), 0)
        while len(self._buffer) < length:
            if not self._more():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        received = Received(line, headers, body)
        self._server.requests.append(received)
        return received

    def requests(self) -> Iterator[Received]:
        """Each request until the client has gone."""
        while (received := self.receive()) is not None:
            yield received

    def send(self, data: bytes) -> None:
        """Send all of it, unless the client goes."""
        self._connection.sendall(data)

    def drip(self, data: bytes, *, pause: float = 0.02) -> None:
        """Send it byte by byte, again and again, until the client goes or the server stops."""
        while True:
            for byte in data:
                self.send(bytes([byte]))
                if self._server.stopping.wait(pause):
                    return

    @property
    def is_stopping(self) -> bool:
        """Whether the server wants all behaviours to end."""
        return self._server.stopping.is_set()

    def reset(self) -> None:
        """Close with a TCP reset."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def wait_until_gone(self) -> None:
        """Send nothing, until the client closes the connection or the server stops."""
        while self._more():
            pass

    def pause(self) -> None:
        """A moment in which nothing is read."""
        self._server.stopping.wait(0.02)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on in TLS."""
        self._connection = context.wrap_socket(self._connection, server_side=True)

    def interrupt(self) -> None:
        """End what another thread is waiting for here."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _more(self) -> bool:
        data = self._connection.recv(65536)
        self._buffer += data
        return bool(data)


Behaviour = Callable[[Wire], None]


def replies(*data: bytes) -> Behaviour:
    """Answer the requests of a connection in turn, the last for all that follow; keep alive."""

    def behaviour(wire: Wire) -> None:
        for number, _ in enumerate(wire.requests()):
            wire.send(data[min(number, len(data) - 1)])

    return behaviour


def replies_and_closes(data: bytes) -> Behaviour:
    """Answer one request with these bytes, whole or not, then close the connection."""

    def behaviour(wire: Wire) -> None:
        wire.receive()
        wire.send(data)

    return behaviour


def is_silent(wire: Wire) -> None:
    """Take a request, and never answer."""
    wire.wait_until_gone()


class RawServer:
    """The server, in threads of its own, and so of no event loop.

    behaviours: what it does with its first, second, third connection; the last one's holds for
    all that follow. It counts: `connections` accepted, `open_connections` now, `requests`.
    """

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._behaviours = behaviours
        self._tls = tls
        self._lock = threading.Lock()
        self._wires: set[Wire] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        port = self._listener.getsockname()[1]
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{port}/1.0/customerapi.asmx"

    @property
    def open_connections(self) -> int:
        """The connections that neither side has closed."""
        return len(self._wires)

    async def comes_to(self, condition: Callable[[RawServer], bool]) -> bool:
        """Whether the condition comes true in good time."""
        with anyio.move_on_after(PATIENCE):
            while not condition(self):
                await anyio.sleep(0.005)
        return condition(self)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for wire in self._wires:
                wire.interrupt()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            wire = Wire(connection, self)
            with self._lock:
                self.connections += 1
                self._wires.add(wire)
            self._start(self._serve, wire, behaviour)

    def _serve(self, wire: Wire, behaviour: Behaviour) -> None:
        # The client going away in the middle is what many tests are about.
        with contextlib.suppress(OSError), contextlib.closing(wire):
            if self._tls is not None:
                wire.start_tls(self._tls)
            behaviour(wire)
        with self._lock:
            self._wires.discard(wire)
