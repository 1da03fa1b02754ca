"""One attempt: one POST, one time limit, one size cap, the HTTP library's errors mapped."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import ssl
import zlib
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, cast
from urllib.parse import SplitResult, urlsplit

import anyio
import anyio.to_thread

from dasp_async.errors import AttemptTimeout, DaspError, HttpError, TransportError
from dasp_async.messages import HttpAnswer

if TYPE_CHECKING:
    from dasp_async.messages import SoapRequest
    from dasp_async.secret import Mask

# Asked for plain, so that what arrives is what counts against the cap.
_PLAIN: Final[Mapping[str, str]] = {"Accept-Encoding": "identity"}
_NOT_ENCODED: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_WBITS: Final = 16 + zlib.MAX_WBITS

# Raised by httpx, httpx2 and what builds on them before a byte of the request is written.
_NOT_SENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "InvalidURL",
    }
)
_PASSING: Final = frozenset({"TransportError", "OSError"})
# Blanks and controls, which `urlsplit` lets pass, and what browsers take for a slash
_NOT_URL: Final = re.compile(r"[\s\x00-\x1f\x7f\\]")
_USERINFO: Final = re.compile(r"(?<=://)[^/@\s]*@")
_REASON_LENGTH: Final = 200


class HttpClient(Protocol):
    """What a client that is passed in must have; httpx's and httpx2's `AsyncClient` fit."""

    def build_request(
        self,
        method: str,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        timeout: None,
    ) -> Any:
        """A request with the client's own defaults in it."""
        ...

    async def send(self, request: Any, *, stream: bool, follow_redirects: bool) -> Any:
        """Send it; the response's body is read from `response.aiter_raw()`."""
        ...


class Transport:
    """The way to one endpoint, through an HTTP client that is its own or borrowed."""

    def __init__(
        self,
        endpoint: str,
        *,
        http_client: HttpClient | None,
        allow_http: bool,
        attempt_timeout: float | None,
        max_response_bytes: int,
        keep_alive: int,
        mask: Mask,
    ) -> None:
        self._trusts_environment = _checked(endpoint, allow_http=allow_http).scheme == "https"
        self._endpoint = endpoint
        self._borrowed = http_client
        self._own: _OwnClient | None = None
        self._opening = anyio.Lock()
        self._closed = False
        self._attempt_timeout = attempt_timeout
        self._max_response_bytes = max_response_bytes
        self._keep_alive = keep_alive
        self._mask = mask

    async def post(self, request: SoapRequest) -> HttpAnswer:
        """The answer to a request, whatever its status.

        Raises `TransportError` if none came, `AttemptTimeout` if it took too long, and
        `HttpError` if it is compressed in a way that was not asked for.
        """
        self._refuse_if_closed()
        outcome: HttpAnswer | DaspError | None = None
        with anyio.move_on_after(self._attempt_timeout):
            try:
                outcome = await self._exchange(request)
            except Exception as error:  # noqa: BLE001 - none of the HTTP library's may escape
                outcome = _mapped(error, request.operation, self._mask)
            except BaseException as stop:  # noqa: BLE001 - raised again, bare
                _reraise_bare(stop)
        if isinstance(outcome, HttpAnswer):
            return outcome
        # Raised out here, where no foreign error, whose frames hold the body, becomes its context.
        raise outcome or AttemptTimeout(
            f"{request.operation}: no whole answer within {self._attempt_timeout} s",
            operation=request.operation,
        )

    async def aclose(self) -> None:
        """Close the client's own connections; a borrowed client stays open."""
        self._closed = True
        if self._own is not None:
            await self._own.http.aclose()
            self._own = None

    async def _exchange(self, request: SoapRequest) -> HttpAnswer | HttpError:
        if self._borrowed is not None:
            http: HttpClient = self._borrowed
            http_request = http.build_request(
                "POST",
                self._endpoint,
                content=request.body,
                headers={**request.headers, **_PLAIN},
                timeout=None,
            )
        else:
            own = await self._opened()
            http, http_request = own.http, own.request(request)
        response = await http.send(http_request, stream=True, follow_redirects=False)
        try:
            return await self._read(request.operation, response)
        finally:
            await response.aclose()

    async def _opened(self) -> _OwnClient:
        if self._own is None:
            async with self._opening:
                self._own = self._own or await self._open()
        return self._own

    async def _open(self) -> _OwnClient:
        self._refuse_if_closed()
        # In a thread, since loading the certificates takes tens of milliseconds.
        own = await anyio.to_thread.run_sync(
            partial(
                _OwnClient,
                self._endpoint,
                keep_alive=self._keep_alive,
                trust_env=self._trusts_environment,
            )
        )
        # If it was closed meanwhile, nobody would close what this call connects to.
        self._refuse_if_closed()
        return own

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise RuntimeError("this client is closed; make a new one")

    async def _read(self, operation: str, response: Any) -> HttpAnswer | HttpError:
        cap = self._max_response_bytes
        content: tuple[bytes, bool] | None
        if response.is_stream_consumed:
            # A borrowed client's hook, or a test's mock, has read and decoded it already.
            content = response.content[:cap], len(response.content) <= cap
        else:
            content = _decoded(
                await _raw(response, cap), response.headers.get("content-encoding", ""), cap
            )
        # Masked here already, since an answer shows them, and they can echo what was sent.
        content_type = self._mask(response.headers.get("content-type", ""))
        retry_after = self._mask(response.headers.get("retry-after", "")) or None
        if content is None:
            return HttpError(
                f"{operation}: HTTP {response.status_code}, a body in an encoding that was not "
                "asked for and can't be read",
                operation=operation,
                status_code=response.status_code,
                content_type=content_type,
                excerpt="",
            )
        return HttpAnswer(response.status_code, content_type, retry_after, *content)


class _OwnClient:
    """An `httpx.AsyncClient` of our own, and the requests for it, built without its detours."""

    def __init__(self, endpoint: str, *, keep_alive: int, trust_env: bool) -> None:
        import httpx  # noqa: PLC0415 - the slowest of all imports, and not needed with a borrowed client

        # Without limits on connections, since the client limits its calls; without a time
        # limit, since httpx's is for each read, which a dripping server stretches at will.
        self.http = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=keep_alive),
            timeout=None,  # noqa: S113 - see above
            trust_env=trust_env,
        )
        self._request = httpx.Request
        self._url = httpx.URL(endpoint)
        self._headers = {**_PLAIN, "User-Agent": "dasp_async"}

    def request(self, request: SoapRequest) -> Any:
        return self._request(
            "POST",
            self._url,
            headers={**request.headers, **self._headers},
            content=request.body,
        )


def _checked(endpoint: object, *, allow_http: bool) -> SplitResult:
    """The endpoint's parts; raises `ValueError` if the key must not be sent there."""
    if not isinstance(endpoint, str):
        raise TypeError(f"endpoint must be text, not {type(endpoint).__name__}")
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        # What `urlsplit` says may quote a password.
        raise ValueError("endpoint is not a URL: its host or port can't be read") from None
    if parts.scheme not in {"http", "https"} or not host or _NOT_URL.search(endpoint):
        raise ValueError(
            "endpoint must be a URL like https://api.discountasp.net/1.0/customerapi.asmx"
        )
    if "@" in parts.netloc:
        raise ValueError("endpoint must not hold a user name or password")
    if parts.scheme == "http" and not allow_http and not _is_loopback(host):
        raise ValueError(
            "endpoint must be https, since each request carries the key; http is for loopback, "
            "or say allow_http=True"
        )
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _raw(response: Any, cap: int) -> bytes:
    """The body as it comes off the wire, up to one byte past the cap."""
    received = bytearray()
    async with aclosing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            received += chunk
            if len(received) > cap:
                break
    return bytes(received[: cap + 1])


def _decoded(raw: bytes, encoding: str, cap: int) -> tuple[bytes, bool] | None:
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


def _reraise_bare(stop: BaseException) -> NoReturn:
    # A cancellation becomes the cause of what the caller sees, a TimeoutError say, and the
    # frames it has passed through hold the body, and so the key.
    stop.__cause__ = stop.__context__ = None
    raise stop.with_traceback(None)


def _mapped(error: Exception, operation: str, mask: Mask) -> TransportError:
    """Our error for one of the HTTP library's, told by the class names that it goes by."""
    names = {kind.__name__ for kind in type(error).__mro__}
    chain = _chain(error)
    untrusted = any(isinstance(link, ssl.SSLCertVerificationError) for link in chain)
    return TransportError(
        f"{operation}: no answer: {type(error).__name__}: {_reason(chain, mask)}",
        operation=operation,
        transient=not untrusted and not names.isdisjoint(_PASSING),
        maybe_sent=names.isdisjoint(_NOT_SENT),
    )


def _chain(error: BaseException) -> list[BaseException]:
    """An error and what it came from, outermost first."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = _first_of_group(link) or link.__cause__ or link.__context__
    return chain


def _first_of_group(error: BaseException) -> BaseException | None:
    """One of the errors of a connection tried at several addresses."""
    if not isinstance(error, BaseExceptionGroup):
        return None
    return cast("BaseExceptionGroup[BaseException]", error).exceptions[0]


def _reason(chain: list[BaseException], mask: Mask) -> str:
    """What the operating system said, where it did; proxies' passwords and the key left out."""
    if type(chain[0]).__name__ == "InvalidURL":
        # Its text may quote a proxy's password.
        return "the endpoint's URL or a proxy's can't be read"
    root = next((link for link in reversed(chain) if isinstance(link, OSError)), chain[0])
    text = _USERINFO.sub("", mask(" ".join(str(root).split())))[:_REASON_LENGTH]
    meaning = _meaning(root)
    if meaning in text:
        return text or type(root).__name__
    return f"{meaning} ({text})"


def _meaning(error: BaseException) -> str:
    """The system's words for its error number, which asyncio at times replaces by its own."""
    number = getattr(error, "errno", None) or 0
    known = number in errno.errorcode and not isinstance(error, ssl.SSLError)
    return os.strerror(number) if known else ""
