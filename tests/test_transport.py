"""One attempt in memory: what is sent, which answers are taken, and what each error becomes."""

from __future__ import annotations

import gzip
import random
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any, Final, Self

import httpx
import httpx2
import pytest
from pytest_httpx import HTTPXMock
from pytest_httpx2 import HTTPXMock as HTTPX2Mock

from dasp_async import (
    AttemptTimeout,
    CustomerApi,
    DaspError,
    HttpError,
    InvalidResponse,
    JobState,
    SoapVersion,
    TransportError,
)
from dasp_async.transport.body import plain
from tests.servers import COMPLETED, SOAP_1_1

KEY: Final = "NOT-A-REAL-KEY-0123-ABCD"
JOB: Final = "00000000-0000-0000-0000-000000000001"
URL: Final = "https://api.discountasp.net/1.0/customerapi.asmx"
CAP: Final = 4096

# httpx leaves the generators inside its own to the garbage collector when it is stopped early.
pytestmark = pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")

HEADERS: Final[dict[SoapVersion, dict[str, str | None]]] = {
    SoapVersion.SOAP_1_1: {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": '"http://api.discountasp.net/GetJobStatus"',
        "Accept-Encoding": "identity",
    },
    SoapVersion.SOAP_1_2: {
        "Content-Type": "application/soap+xml; charset=utf-8",
        "SOAPAction": None,
        "Accept-Encoding": "identity",
    },
}


# Before the reason, whoever the server is
NO_ANSWER: Final = "GetJobStatus: no answer from api.discountasp.net"


def api(**options: Any) -> CustomerApi:
    """A client that tries once."""
    settings: dict[str, Any] = {"attempts": 1, "max_response_bytes": CAP, **options}
    return CustomerApi(KEY, **settings)


async def failure(client: CustomerApi) -> DaspError:
    """The error of one call; one that must not be linked to any of the HTTP library's."""
    async with client:
        with pytest.raises(DaspError) as caught:
            await client.get_job_status(JOB)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert caught.value.operation == "GetJobStatus"
    return caught.value


def answering(
    *,
    content: bytes = COMPLETED,
    status: int = 200,
    stream: httpx.AsyncByteStream | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.AsyncClient:
    """A client that gets this answer, as a stream of raw bytes, to whatever it asks."""

    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(
            status,
            headers={"Content-Type": SOAP_1_1, **(headers or {})},
            stream=Chunks([content]) if stream is None else stream,
        )

    return httpx.AsyncClient(transport=httpx.MockTransport(handler))


class Chunks(httpx.AsyncByteStream, AsyncIterator[bytes]):
    """A body in pieces; it counts those that were taken."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.taken = 0
        self.is_closed = False
        self._pieces = pieces

    # No generator, which trio would miss the end of when it is left early.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self.taken == len(self._pieces):
            raise StopAsyncIteration
        self.taken += 1
        return self._pieces[self.taken - 1]

    async def aclose(self) -> None:
        self.is_closed = True


# What is sent


@pytest.mark.parametrize("version", SoapVersion)
async def test_own_client_posts_the_envelope_with_the_version_s_headers(
    httpx_mock: HTTPXMock, version: SoapVersion
) -> None:
    httpx_mock.add_response(content=COMPLETED, headers={"Content-Type": SOAP_1_1})

    async with api(version=version) as client:
        status = await client.get_job_status(JOB)

    (request,) = httpx_mock.get_requests()
    assert (request.method, str(request.url)) == ("POST", URL)
    assert {name: request.headers.get(name) for name in HEADERS[version]} == HEADERS[version]
    assert set(request.headers) == {
        name.lower() for name, value in HEADERS[version].items() if value is not None
    } | {"host", "content-length", "user-agent"}
    assert f"<key>{KEY}</key>".encode() in request.content
    # Only the attempt's own limit counts.
    assert set(request.extensions.get("timeout", {}).values()) <= {None}
    assert status.state is JobState.DONE


@pytest.mark.parametrize("version", SoapVersion)
async def test_borrowed_client_adds_its_own_headers_and_stays_as_it_was(
    httpx2_mock: HTTPX2Mock, version: SoapVersion
) -> None:
    httpx2_mock.add_response(content=COMPLETED, headers={"Content-Type": SOAP_1_1})
    async with httpx2.AsyncClient(
        headers={"X-Ours": "kept", "Accept-Encoding": "br", "Content-Type": "application/json"},
        cookies={"session": "1"},
        auth=("user", "password"),
        base_url="https://elsewhere.example/",
        params={"tenant": "7"},
        timeout=7,
        follow_redirects=True,
    ) as http:
        before = _state(http)
        async with api(version=version, http_client=http) as client:
            status = await client.get_job_status(JOB)

        assert _state(http) == before
        assert not http.is_closed

    (request,) = httpx2_mock.get_requests()
    assert (request.method, str(request.url)) == ("POST", f"{URL}?tenant=7")
    assert {name: request.headers.get(name) for name in HEADERS[version]} == HEADERS[version]
    assert request.headers["X-Ours"] == "kept"
    assert request.headers["Cookie"] == "session=1"
    assert request.headers["Authorization"].startswith("Basic ")
    # Only the attempt's own limit counts.
    assert set(request.extensions["timeout"].values()) == {None}
    assert status.state is JobState.DONE


def _state(http: httpx2.AsyncClient) -> tuple[object, ...]:
    return (
        dict(http.headers),
        dict(http.cookies),
        http.auth,
        http.base_url,
        http.params,
        http.timeout,
        http.follow_redirects,
        http.event_hooks,
        http.trust_env,
    )


async def test_cookies_that_are_set_are_not_sent_back_by_the_own_client(
    httpx_mock: HTTPXMock,
) -> None:
    headers = {"Content-Type": SOAP_1_1, "Set-Cookie": "session=1"}
    httpx_mock.add_response(content=COMPLETED, headers=headers, is_reusable=True)

    async with api() as client:
        await client.get_job_status(JOB)
        await client.get_job_status(JOB)

    assert ["cookie" in request.headers for request in httpx_mock.get_requests()] == [False] * 2


# Closing


async def test_a_call_after_closing_is_the_caller_s_mistake(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=COMPLETED, headers={"Content-Type": SOAP_1_1})
    client = api()
    await client.get_job_status(JOB)

    await client.aclose()
    await client.aclose()

    with pytest.raises(RuntimeError, match="this client is closed; make a new one"):
        await client.get_job_status(JOB)
    assert len(httpx_mock.get_requests()) == 1


async def test_a_call_after_closing_is_a_mistake_with_a_borrowed_client_too() -> None:
    async with answering() as http:
        client = api(http_client=http)
        await client.aclose()

        with pytest.raises(RuntimeError, match="closed"):
            await client.get_job_status(JOB)
        assert not http.is_closed


async def test_closing_what_was_never_used_is_nothing() -> None:
    await api().aclose()


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_borrowed_client_that_follows_redirects_does_not_follow_these(
    httpx2_mock: HTTPX2Mock, status: int
) -> None:
    httpx2_mock.add_response(status_code=status, headers={"Location": "https://elsewhere.example/"})

    async with httpx2.AsyncClient(follow_redirects=True) as http:
        error = await failure(api(http_client=http))

    assert isinstance(error, HttpError)
    assert (error.status_code, error.transient) == (status, False)
    assert "redirects are never followed" in str(error)
    assert [str(request.url) for request in httpx2_mock.get_requests()] == [URL]


async def test_the_own_client_does_not_follow_redirects(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=302, headers={"Location": URL})

    error = await failure(api())

    assert isinstance(error, HttpError)
    assert error.status_code == 302
    assert len(httpx_mock.get_requests()) == 1


# The HTTP library's errors

# Whether it is transient, and whether anything may have been sent
MAPPED: Final = {
    "CloseError": (True, True),
    "ConnectError": (True, False),
    "ConnectTimeout": (True, False),
    "CookieConflict": (False, True),
    "DecodingError": (False, True),
    "HTTPError": (False, True),
    "HTTPStatusError": (False, True),
    "InvalidURL": (False, False),
    "LocalProtocolError": (True, True),
    "NetworkError": (True, True),
    "PoolTimeout": (True, False),
    "ProtocolError": (True, True),
    "ProxyError": (True, False),
    "ReadError": (True, True),
    "ReadTimeout": (True, True),
    "RemoteProtocolError": (True, True),
    "RequestError": (False, True),
    "RequestNotRead": (False, True),
    "ResponseNotRead": (False, True),
    "SSEError": (True, True),
    "StreamClosed": (False, True),
    "StreamConsumed": (False, True),
    "StreamError": (False, True),
    "TimeoutException": (True, True),
    "TooManyRedirects": (False, True),
    "TransportError": (True, True),
    "UnsupportedProtocol": (True, False),
    "WriteError": (True, True),
    "WriteTimeout": (True, True),
}


def _kinds(library: ModuleType) -> dict[str, type[Exception]]:
    """All exceptions that a library defines, by their names."""

    def below(kind: type[Exception]) -> Iterator[type[Exception]]:
        yield kind
        for subclass in kind.__subclasses__():
            yield from below(subclass)

    roots = (library.HTTPError, library.StreamError, library.InvalidURL, library.CookieConflict)
    kinds = [kind for root in roots for kind in below(root)]
    return {k.__name__: k for k in kinds if k.__module__.split(".")[0] == library.__name__}


KINDS: Final = {library.__name__: _kinds(library) for library in (httpx, httpx2)}


def _made(kind: type[Exception], *text: str) -> Exception:
    # Some take other arguments than a text, and some take none.
    error = kind.__new__(kind, *text)
    error.args = text
    return error


def test_no_error_of_the_libraries_is_forgotten() -> None:
    assert set(KINDS["httpx2"]) == set(MAPPED)
    assert set(KINDS["httpx"]) == set(MAPPED) - {"SSEError"}
    for library in (httpx, httpx2):
        public = {
            name
            for name, kind in vars(library).items()
            if isinstance(kind, type) and issubclass(kind, Exception)
        }
        assert public <= set(MAPPED)


@pytest.mark.parametrize("name", KINDS["httpx"])
async def test_each_error_of_httpx_becomes_ours(httpx_mock: HTTPXMock, name: str) -> None:
    httpx_mock.add_exception(_made(KINDS["httpx"][name], "what happened"))

    _assert_mapped(await failure(api()), name)


@pytest.mark.parametrize("name", KINDS["httpx2"])
async def test_each_error_of_httpx2_becomes_ours(httpx2_mock: HTTPX2Mock, name: str) -> None:
    httpx2_mock.add_exception(_made(KINDS["httpx2"][name], "what happened"))

    async with httpx2.AsyncClient() as http:
        _assert_mapped(await failure(api(http_client=http)), name)


def _assert_mapped(error: DaspError, name: str) -> None:
    assert type(error) is TransportError
    assert (error.transient, error.maybe_sent) == MAPPED[name]
    # Of these the words may quote a password.
    reasons = {
        "InvalidURL": "the endpoint's URL or a proxy's can't be read",
        "ProxyError": "the proxy refused it",
    }
    assert str(error) == f"{NO_ANSWER}: {name}: {reasons.get(name, 'what happened')}"


class _OfSomeone(Exception):
    """An error of a hook's author."""


@pytest.mark.parametrize(
    ("raised", "transient"),
    [
        (_OfSomeone("what happened"), False),
        (ValueError("what happened"), False),
        (KeyError("what happened"), False),
        (OSError("what happened"), True),
        (ConnectionResetError(104, "what happened"), True),
        (ExceptionGroup("what happened", [ValueError("inside")]), False),
        (httpx.HTTPError("what happened"), False),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, Exception) else "",
)
@pytest.mark.parametrize("hook", ["request", "response"])
async def test_whatever_a_hook_raises_becomes_ours(
    raised: Exception, hook: str, *, transient: bool
) -> None:
    async def raises(_: object) -> None:
        raise raised

    async with answering() as http:
        http.event_hooks = {hook: [raises]}
        error = await failure(api(http_client=http))

    assert type(error) is TransportError
    assert (error.transient, error.maybe_sent) == (transient, True)
    assert type(raised).__name__ in str(error)
    assert "what happened" in str(error)


async def test_an_error_in_the_body_is_mapped_and_the_answer_closed() -> None:
    class Breaks(Chunks):
        async def __anext__(self) -> bytes:
            if self.taken:
                raise httpx.ReadError("what happened")
            return await super().__anext__()

    body = Breaks([b"<soap"])
    async with answering(stream=body) as http:
        error = await failure(api(http_client=http))

    assert isinstance(error, TransportError)
    assert (error.transient, error.maybe_sent) == (True, True)
    assert body.is_closed


@pytest.mark.parametrize(
    ("cause", "transient"),
    [
        (ssl.SSLCertVerificationError(1, "what happened"), False),
        (ssl.SSLError(1, "what happened"), True),
        (ConnectionRefusedError(111, "what happened"), True),
        (ExceptionGroup("", [OSError(111, "what happened"), OSError(101, "other")]), True),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, Exception) else "",
)
async def test_the_reason_is_the_operating_system_s(
    httpx_mock: HTTPXMock, cause: Exception, *, transient: bool
) -> None:
    between = OSError("All connection attempts failed")
    between.__context__ = cause
    outermost = httpx.ConnectError("All connection attempts failed")
    outermost.__cause__ = between
    # Errors can be linked in a ring, and to themselves by way of a group.
    cause.__context__ = outermost
    httpx_mock.add_exception(outermost)

    error = await failure(api())

    assert isinstance(error, TransportError)
    assert (error.transient, error.maybe_sent) == (transient, False)
    assert "what happened" in str(error)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "ReadError"),
        (" \n ", "ReadError"),
        ("in\r\ntwo   lines", "in two lines"),
        ("x" * 300, "x" * 200),
        ("http://alice:secret@proxy:80 is bad", "http://proxy:80 is bad"),
        ("http://alice@proxy:80 is bad", "http://proxy:80 is bad"),
        ("write to a@example.org", "write to a@example.org"),
        (f"bad bytes <key>{KEY}</key>", "bad bytes <key>***</key>"),
        ("x" * 190 + KEY, "x" * 190 + "***"),
    ],
)
async def test_the_reason_is_one_line_without_secrets(
    httpx_mock: HTTPXMock, text: str, shown: str
) -> None:
    httpx_mock.add_exception(httpx.ReadError(text))

    assert str(await failure(api())) == f"{NO_ANSWER}: ReadError: {shown}"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)], ids=["ctrl-c", "exit"])
async def test_what_ends_a_program_is_not_ours_and_has_nothing_in_tow(
    httpx_mock: HTTPXMock, error: BaseException
) -> None:
    error.__cause__ = httpx.ReadError("what happened")

    def stops(_: httpx.Request) -> httpx.Response:
        raise error

    httpx_mock.add_callback(stops)
    async with api() as client:
        with pytest.raises(type(error)) as caught:
            await client.get_job_status(JOB)

    assert caught.value is error
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_a_time_limit_that_is_a_hook_s_is_not_the_attempt_s(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(TimeoutError("what happened"))

    error = await failure(api())

    assert not isinstance(error, AttemptTimeout)
    assert isinstance(error, TransportError)
    assert (error.transient, error.maybe_sent) == (True, True)


# Answers that were read before


async def test_a_hook_may_have_read_the_body() -> None:
    async def reads(response: httpx.Response) -> None:
        await response.aread()

    async with answering() as http:
        http.event_hooks = {"response": [reads]}
        async with api(http_client=http) as client:
            status = await client.get_job_status(JOB)

    assert status.state is JobState.DONE


async def test_a_hook_may_have_read_and_decoded_the_body() -> None:
    async def reads(response: httpx.Response) -> None:
        await response.aread()

    deflated = zlib.compress(COMPLETED)
    async with answering(content=deflated, headers={"Content-Encoding": "deflate"}) as http:
        http.event_hooks = {"response": [reads]}
        async with api(http_client=http) as client:
            status = await client.get_job_status(JOB)

    assert status.state is JobState.DONE


@pytest.mark.parametrize(("size", "fits"), [(CAP, True), (CAP + 1, False)])
async def test_the_cap_holds_for_a_body_that_a_hook_has_read(size: int, *, fits: bool) -> None:
    async def reads(response: httpx.Response) -> None:
        await response.aread()

    async with answering(content=COMPLETED.ljust(size)) as http:
        http.event_hooks = {"response": [reads]}
        async with api(http_client=http) as client:
            await _assert_fits(client, fits=fits)


async def test_a_hook_that_has_thrown_the_body_away_is_a_clear_error() -> None:
    async def takes(response: httpx.Response) -> None:
        async for _ in response.aiter_raw():
            pass

    async with answering() as http:
        http.event_hooks = {"response": [takes]}
        error = await failure(api(http_client=http))

    assert isinstance(error, TransportError)
    assert (error.transient, error.maybe_sent) == (False, True)
    assert "ResponseNotRead" in str(error)


# Encodings

NONSENSE: Final = random.Random(7).randbytes(2 * CAP)
# With no time in it, since a short piece of it is part of a test's name
ZIPPED: Final = gzip.compress(COMPLETED, mtime=0)


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        (None, COMPLETED),
        ("", COMPLETED),
        ("identity", COMPLETED),
        (" Identity ", COMPLETED),
        ("gzip", ZIPPED),
        ("GZIP", ZIPPED),
        ("x-gzip", ZIPPED),
        (" gzip ", ZIPPED),
    ],
)
async def test_none_and_one_gzip_are_read(encoding: str | None, content: bytes) -> None:
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    async with (
        answering(content=content, headers=headers) as http,
        api(http_client=http) as client,
    ):
        status = await client.get_job_status(JOB)

    assert status.state is JobState.DONE


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("br", COMPLETED),
        ("deflate", zlib.compress(COMPLETED)),
        ("zstd", COMPLETED),
        ("gzip, gzip", gzip.compress(ZIPPED)),
        ("identity, gzip", ZIPPED),
        ("gzip;q=1", ZIPPED),
        ("gzip", COMPLETED),
        ("gzip", ZIPPED[:5]),
        ("gzip", ZIPPED[:-1]),
        ("gzip", ZIPPED[:-9] + b"\0" + ZIPPED[-8:]),
        ("gzip", ZIPPED[:-4] + b"\0\0\0\0"),
        ("gzip", ZIPPED + b"\0"),
        ("gzip", ZIPPED + ZIPPED),
        ("gzip", zlib.compress(COMPLETED)),
    ],
)
@pytest.mark.parametrize(("status", "transient"), [(200, False), (503, True)])
async def test_any_other_encoding_is_no_answer(
    encoding: str, content: bytes, status: int, *, transient: bool
) -> None:
    headers = {"Content-Encoding": encoding}
    async with answering(content=content, status=status, headers=headers) as http:
        error = await failure(api(http_client=http))

    assert isinstance(error, HttpError)
    assert (error.status_code, error.content_type) == (status, SOAP_1_1)
    assert (error.excerpt, error.transient) == ("", transient)
    assert f"HTTP {status}, {SOAP_1_1}, a body in an encoding that was not asked for" in str(error)


async def test_an_answer_that_cannot_be_decoded_still_says_when_to_come_again() -> None:
    headers = {"Content-Encoding": "br", "Retry-After": "7"}
    async with answering(content=COMPLETED, status=503, headers=headers) as http:
        assert (await failure(api(http_client=http))).retry_after == 7


async def test_an_empty_body_is_in_no_encoding() -> None:
    headers = {"Content-Encoding": "gzip"}
    async with answering(content=b"", status=500, headers=headers) as http:
        assert "empty body" in str(await failure(api(http_client=http)))


async def test_two_content_encodings_in_two_headers_are_two() -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        twice = [("Content-Type", SOAP_1_1), *[("Content-Encoding", "gzip")] * 2]
        return httpx.Response(200, headers=twice, stream=Chunks([gzip.compress(ZIPPED)]))

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        assert isinstance(await failure(api(http_client=http)), HttpError)


# The cap


async def _assert_fits(client: CustomerApi, *, fits: bool) -> None:
    if fits:
        assert (await client.get_job_status(JOB)).state is JobState.DONE
    else:
        error = await failure(client)
        assert type(error) is InvalidResponse
        assert error.transient is False


CAP_CASES: Final[dict[str, tuple[Callable[[bytes], bytes], str]]] = {
    "plain": (bytes, "identity"),
    "gzip": (gzip.compress, "gzip"),
}


@pytest.mark.parametrize("case", CAP_CASES)
@pytest.mark.parametrize(("size", "fits"), [(CAP - 1, True), (CAP, True), (CAP + 1, False)])
async def test_the_cap_is_the_longest_body_that_passes(case: str, size: int, *, fits: bool) -> None:
    encode, encoding = CAP_CASES[case]
    content = encode(COMPLETED.ljust(size))
    async with (
        answering(content=content, headers={"Content-Encoding": encoding}) as http,
        api(http_client=http) as client,
    ):
        await _assert_fits(client, fits=fits)


async def test_a_gzip_longer_than_the_cap_is_too_long_whatever_is_in_it() -> None:
    content = gzip.compress(NONSENSE[:CAP])
    assert len(content) > CAP
    async with answering(content=content, headers={"Content-Encoding": "gzip"}) as http:
        await _assert_fits(api(http_client=http), fits=False)


@pytest.mark.parametrize(("status", "transient"), [(503, True), (404, False)])
async def test_too_long_a_page_is_the_error_of_its_status(status: int, *, transient: bool) -> None:
    page = b"<h1>Service Unavailable</h1>".ljust(CAP + 1)
    headers = {"Content-Type": "text/html", "Retry-After": "7"}
    async with answering(content=page, status=status, headers=headers) as http:
        error = await failure(api(http_client=http))

    assert isinstance(error, HttpError)
    assert (error.status_code, error.transient, error.retry_after) == (status, transient, 7.0)
    assert error.excerpt == "Service Unavailable"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_long_body_is_given_up_at_the_cap(encoding: str) -> None:
    body = Chunks([NONSENSE[:1024]] * 1000)
    async with answering(stream=body, headers={"Content-Encoding": encoding}) as http:
        await failure(api(http_client=http))

    assert body.taken == CAP // 1024 + 1
    assert body.is_closed


# Endpoints


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.discountasp.net/1.0/customerapi.asmx",
        "HTTPS://api.discountasp.net:8443",
        "http://127.0.0.1:8000/",
        "http://127.8.8.8/",
        "http://[::1]:8000/",
        "http://localhost/",
        "http://LOCALHOST:1/",
    ],
)
def test_https_and_loopback_are_endpoints(endpoint: str) -> None:
    assert endpoint in repr(api(endpoint=endpoint))


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://api.discountasp.net/1.0/customerapi.asmx",
        "http://10.0.0.1/",
        "http://[::2]/",
        "http://128.0.0.1/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "http://0.0.0.0/",
    ],
)
def test_http_elsewhere_must_be_asked_for(endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint must be https"):
        api(endpoint=endpoint)

    assert endpoint in repr(api(endpoint=endpoint, allow_http=True))


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("", "must be a URL like"),
        ("api.discountasp.net", "must be a URL like"),
        ("/1.0/customerapi.asmx", "must be a URL like"),
        ("https://", "must be a URL like"),
        ("https:///1.0/customerapi.asmx", "must be a URL like"),
        ("https://:443/", "must be a URL like"),
        ("ftp://api.discountasp.net/", "must be a URL like"),
        ("file:///etc/hosts", "must be a URL like"),
        ("ws://api.discountasp.net/", "must be a URL like"),
        (" https://api.discountasp.net/", "must be a URL like"),
        ("https://api.discountasp.net/ ", "must be a URL like"),
        ("https://api.discountasp.net/a b", "must be a URL like"),
        ("https://api.discount\nasp.net/", "must be a URL like"),
        ("https://api.discountasp.net/\t", "must be a URL like"),
        ("https://api.discountasp.net\x00/", "must be a URL like"),
        ("https://api.discountasp.net/\x7f", "must be a URL like"),
        ("http://localhost\\@example.org/", "must be a URL like"),
        ("https://user:password@api.discountasp.net/", "user name or password"),
        ("https://user@api.discountasp.net/", "user name or password"),
        ("https://@api.discountasp.net/", "user name or password"),
        ("http://127.0.0.1@example.org/", "user name or password"),
        ("https://api.discountasp.net:port/", "is not a URL"),
        ("https://api.discountasp.net:65536/", "is not a URL"),
        ("https://user:pass/word@api.discountasp.net/", "is not a URL"),
        ("https://[::1/", "is not a URL"),
        ("https://[nonsense]/", "is not a URL"),
    ],
)
def test_what_is_no_endpoint_is_refused_at_once(endpoint: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        api(endpoint=endpoint, allow_http=True)

    assert "pass" not in str(caught.value).replace("password", "")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("endpoint", [None, 7, URL.encode(), httpx.URL(URL)])
def test_an_endpoint_is_text(endpoint: Any) -> None:
    with pytest.raises(TypeError, match="endpoint must be text, not "):
        api(endpoint=endpoint)


# What a request leaves behind


async def test_a_request_s_body_is_read_by_no_async_generator() -> None:
    stream = plain(httpx.ByteStream(b"body"))
    assert isinstance(stream, httpx.ByteStream)
    assert not isinstance(aiter(stream), AsyncGenerator)
    for _ in range(2):
        assert [chunk async for chunk in stream] == [b"body"]
    chunks = aiter(stream)
    assert aiter(chunks) is chunks
    # httpx's is of both kinds, and a transport that is passed in may go by either.
    assert list(stream) == [b"body"]


async def test_a_group_that_passes_through_leaves_its_members_frames_behind() -> None:
    def stop() -> None:
        raise SystemExit(3)

    def handler(_: httpx.Request) -> httpx.Response:
        try:
            stop()
        except SystemExit as error:
            raise BaseExceptionGroup("a group", [error]) from error
        raise AssertionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        with pytest.raises(BaseExceptionGroup) as caught:
            await api(http_client=http).get_job_status(JOB)
    (member,) = caught.value.exceptions
    assert isinstance(member, SystemExit)
    assert (member.__traceback__, member.__context__, caught.value.__cause__) == (None, None, None)
