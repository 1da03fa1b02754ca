"""One attempt: one request, one time limit, one size cap, the HTTP library's errors mapped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from dasp_async.errors import AttemptTimeout, TransportError
from dasp_async.messages import WSDL_REQUEST, HttpAnswer
from dasp_async.transport.body import PLAIN, decoded, plain, raw
from dasp_async.transport.trouble import mapped, reraise_bare

if TYPE_CHECKING:
    from dasp_async.messages import HttpRequest
    from dasp_async.secret import Mask
    from dasp_async.transport.own import OwnClient

_READ: Final = frozenset({b"content-type", b"content-encoding", b"retry-after", b"date"})


class HttpClient(Protocol):
    """What a client that is passed in must have; httpx's and httpx2's `AsyncClient` fit.

    An `aclose()` too, by which it is told from a synchronous one; it is not called.
    """

    def build_request(
        self,
        method: str,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        timeout: None,
    ) -> Any:
        """A request with the client's own defaults in it; `send` gets it back.

        If it has a `stream`, that is replaced by one that is no async generator.
        """
        ...

    async def send(self, request: Any, *, stream: bool, follow_redirects: bool) -> Any:
        """Send it, and return the response once its headers are there.

        It has `status_code`; `headers.raw`, pairs of bytes; `is_stream_consumed`, by which its
        body is either `content`, bytes, or read from `stream`, an asynchronous generator or a like
        iterable; and `aclose()`, which is always awaited. Errors are told by their names: one of
        httpx's `ConnectError`, `ConnectTimeout`, `PoolTimeout`, `ProxyError`,
        `UnsupportedProtocol` and `InvalidURL` says that nothing was sent, and any other
        `TransportError` or `OSError` that a read may be sent again.
        """
        ...


class Transport:
    """The way to one endpoint, through an HTTP client that is its own or borrowed.

    endpoint: one that `problem_with_endpoint` finds nothing wrong with.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        http_client: HttpClient | None,
        attempt_timeout: float | None,
        max_response_bytes: int,
        keep_alive: int,
    ) -> None:
        parts = urlsplit(endpoint)
        self._uses_tls = parts.scheme == "https"
        self._host = parts.netloc
        described = parts._replace(query=WSDL_REQUEST.query or "", fragment="")
        self._urls = {None: endpoint, WSDL_REQUEST.query: described.geturl()}
        self._borrowed = http_client
        self._own: OwnClient | None = None
        self._opening = anyio.Lock()
        self._closed = False
        self._under_way: set[anyio.CancelScope] = set()
        self._attempt_timeout = attempt_timeout
        self._max_response_bytes = max_response_bytes
        self._keep_alive = keep_alive

    async def send(self, request: HttpRequest, mask: Mask) -> HttpAnswer:
        """The answer to a request, whatever its status.

        mask: strikes the request's secrets out of what is said of the answer or of an error.
        Raises `TransportError` if none came, and `AttemptTimeout` if it took too long.
        """
        self.refuse_if_closed()
        outcome: HttpAnswer | TransportError | None = None
        with anyio.move_on_after(self._attempt_timeout) as scope:
            self._under_way.add(scope)
            try:
                outcome = await self._exchange(request, mask)
            except Exception as error:  # noqa: BLE001 - none of the HTTP library's may escape
                outcome = mapped(error, request.operation, self._host, mask)
            except BaseException as stop:  # noqa: BLE001 - raised again, bare
                reraise_bare(stop)
            finally:
                self._under_way.discard(scope)
        if isinstance(outcome, HttpAnswer):
            return outcome
        # Raised out here, where no foreign error, whose frames hold the body, becomes its context.
        if self._closed:
            # Whatever the HTTP library made of it, a read error say: it is not tried again.
            outcome = TransportError(
                f"{request.operation}: no answer from {self._host}: the client was closed "
                "meanwhile",
                operation=request.operation,
                transient=False,
                maybe_sent=outcome is None or outcome.maybe_sent,
            )
        raise outcome or AttemptTimeout(
            f"{request.operation}: no whole answer from {self._host} "
            f"within {self._attempt_timeout} s",
            operation=request.operation,
        )

    async def aclose(self) -> None:
        """End the calls under way, and close own connections; a borrowed client stays open."""
        self._closed = True
        # Else one that is still connecting would be sent all the same.
        for scope in self._under_way:
            scope.cancel()
        if self._own is not None:
            await self._own.http.aclose()
            self._own = None

    async def _exchange(self, request: HttpRequest, mask: Mask) -> HttpAnswer:
        if self._borrowed is not None:
            http: HttpClient = self._borrowed
            http_request = http.build_request(
                request.method,
                self._urls[request.query],
                content=request.body,
                headers={**request.headers, **PLAIN},
                timeout=None,
            )
            if hasattr(http_request, "stream"):
                http_request.stream = plain(http_request.stream)
        else:
            own = await self._opened()
            http, http_request = own.http, own.request(request)
        response = await http.send(http_request, stream=True, follow_redirects=False)
        try:
            return await self._read(response, mask)
        finally:
            await response.aclose()

    async def _opened(self) -> OwnClient:
        if self._own is None:
            async with self._opening:
                self._own = self._own or await self._open()
        return self._own

    async def _open(self) -> OwnClient:
        self.refuse_if_closed()
        # In a thread: importing httpx and loading the certificates takes tens of milliseconds.
        own = await anyio.to_thread.run_sync(self._own_client)
        # If it was closed meanwhile, nobody would close what this call connects to.
        self.refuse_if_closed()
        return own

    def _own_client(self) -> OwnClient:
        from dasp_async.transport.own import OwnClient  # noqa: PLC0415 - brings httpx and ssl

        return OwnClient(self._urls, keep_alive=self._keep_alive, uses_tls=self._uses_tls)

    def refuse_if_closed(self) -> None:
        """Raise `RuntimeError` if nothing can be sent any more."""
        if self._closed:
            raise RuntimeError("this client is closed; make a new one")

    async def _read(self, response: Any, mask: Mask) -> HttpAnswer:
        cap = self._max_response_bytes
        headers = _headers(response.headers.raw)
        content: tuple[bytes, bool] | None
        if response.is_stream_consumed:
            # A borrowed client's hook, or a test's mock, has read and decoded it already.
            content = response.content[:cap], len(response.content) <= cap
        else:
            content = decoded(await raw(response, cap), headers.get(b"content-encoding", ""), cap)
        # Masked here already, since an answer shows them, and they can echo what was sent.
        content_type = mask(headers.get(b"content-type", ""))
        retry_after = headers.get(b"retry-after")
        body, whole = content or (b"", True)
        return HttpAnswer(
            response.status_code,
            content_type,
            retry_after=retry_after and mask(retry_after),
            date=headers.get(b"date"),
            body=body,
            whole=whole,
            readable=content is not None,
        )


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    """Those that are read; httpx goes through all of an answer's for each that is asked for."""
    headers: dict[bytes, str] = {}
    for name, value in raw:
        key = name.lower()
        if key in _READ:
            text = value.decode("latin-1")
            # RFC 9110 section 5.3: of several they make a list.
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
