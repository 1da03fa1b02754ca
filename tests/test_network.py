"""Real sockets on loopback: what a network does to a call, and what the caller is told."""

from __future__ import annotations

import asyncio
import gc
import gzip
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx
import pytest
import sniffio
import trustme

from dasp_async import (
    AttemptTimeout,
    CustomerApi,
    DaspError,
    HttpError,
    InvalidResponse,
    JobState,
    Schedule,
    SoapFault,
    SoapVersion,
    TransportError,
)
from dasp_async.testing import FakeClock
from tests.servers import (
    COMPLETED,
    SOAP_1_2,
    Behaviour,
    RawServer,
    Wire,
    answer,
    certified,
    is_silent,
    replies,
    replies_and_closes,
    sample,
    trusting,
)

KEY: Final = "NOT-A-REAL-KEY-0123-ABCD"
JOB: Final = "00000000-0000-0000-0000-000000000001"
MIB: Final = 1024 * 1024


def api(url: str, **options: Any) -> CustomerApi:
    """A client that tries once, with a time limit that no test means to reach."""
    settings: dict[str, Any] = {"attempts": 1, "attempt_timeout": 15.0, **options}
    return CustomerApi(KEY, endpoint=url, **settings)


async def failure(client: CustomerApi) -> DaspError:
    """The error of one call; one that must not be linked to any of the HTTP library's."""
    async with client:
        with pytest.raises(DaspError) as caught:
            await client.get_job_status(JOB)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the TLS server's certificate; trusted by nobody who isn't told to."""
    return trustme.CA()


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[RawServer]:
    """A server that answers over TLS."""
    with RawServer(replies(answer()), tls=certified(authority)) as server:
        yield server


# No connection


async def test_an_unknown_host_is_named_by_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_proxies(monkeypatch)

    error = await failure(api("https://dasp.invalid/1.0/customerapi.asmx"))

    assert isinstance(error, TransportError)
    assert (error.transient, error.maybe_sent) == (True, False)
    # Whatever the resolver says: that it knows no such name, or that it could not ask.
    assert str(error).startswith(
        "GetJobStatus: no answer from dasp.invalid: ConnectError: [Errno -"
    )
    assert error.operation == "GetJobStatus"


async def test_a_refused_connection_is_named_by_the_operating_system() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    error = await failure(api(f"http://127.0.0.1:{port}/"))

    assert isinstance(error, TransportError)
    assert (error.transient, error.maybe_sent) == (True, False)
    assert "ConnectError" in str(error)
    assert "refused" in str(error).lower() or "Connect call failed" in str(error)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_host_with_several_addresses_is_refused_with_a_reason_too(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    error = await failure(api(f"http://{host}:{port}/"))

    assert isinstance(error, TransportError)
    assert str(error).partition("ConnectError: ")[2] not in {"", "All connection attempts failed"}


# TLS


async def test_a_certificate_that_nobody_vouches_for_ends_the_call_for_good(
    tls_server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_proxies(monkeypatch)

    error = await failure(api(tls_server.url, attempts=3))

    assert isinstance(error, TransportError)
    assert (error.transient, error.maybe_sent) == (False, False)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert tls_server.connections == 1
    assert tls_server.requests == []


async def test_a_certificate_that_a_borrowed_client_trusts_is_good(
    tls_server: RawServer, authority: trustme.CA
) -> None:
    async with (
        httpx.AsyncClient(verify=trusting(authority), trust_env=False) as http,
        api(tls_server.url, http_client=http) as client,
    ):
        status = await client.get_job_status(JOB)

    assert status.state is JobState.DONE


async def test_a_server_that_speaks_no_tls_may_be_in_trouble_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _without_proxies(monkeypatch)
    with RawServer(lambda wire: wire.send(answer())) as server:
        error = await failure(api(server.url.replace("http:", "https:")))

    assert isinstance(error, TransportError)
    assert (error.transient, error.maybe_sent) == (True, False)


# httpcore leaves a connection cancelled in its handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_the_time_limit_holds_for_a_handshake_too(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_proxies(monkeypatch)
    with RawServer(is_silent) as server:
        error = await failure(api(server.url.replace("http:", "https:"), attempt_timeout=0.3))

        assert isinstance(error, AttemptTimeout)
        assert (error.transient, error.maybe_sent) == (True, True)
        gc.collect()
        assert await server.comes_to(lambda it: it.open_connections == 0)


# Broken off


def _resets_at_once(wire: Wire) -> None:
    wire.receive()
    wire.reset()


def _resets_in_the_middle(wire: Wire) -> None:
    wire.receive()
    wire.send(answer()[:-100])
    # Time for the client to take what was sent: a reset throws away what was not read.
    time.sleep(0.1)
    wire.reset()


BROKEN_OFF: Final[dict[str, tuple[Behaviour, str]]] = {
    "before an answer": (replies_and_closes(b""), "Server disconnected"),
    "in the headers": (replies_and_closes(answer()[:40]), "Server disconnected"),
    "in the body": (replies_and_closes(answer()[:-100]), "peer closed connection"),
    "a length that is not kept": (
        replies_and_closes(answer(length=len(COMPLETED) + 1)),
        "peer closed connection",
    ),
    "in a chunk": (
        replies_and_closes(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"ff\r\n<soap"
        ),
        "peer closed connection",
    ),
    "reset before an answer": (_resets_at_once, "reset by peer"),
    "reset in the body": (_resets_in_the_middle, "reset by peer"),
    "not HTTP": (replies_and_closes(b"220 mail.example ESMTP\r\n\r\n"), "illegal status line"),
}


@pytest.mark.parametrize("case", BROKEN_OFF)
async def test_an_answer_that_is_broken_off_may_have_had_an_effect(case: str) -> None:
    behaviour, words = BROKEN_OFF[case]
    with RawServer(behaviour) as server:
        error = await failure(api(server.url))

    assert type(error) is TransportError
    assert (error.transient, error.maybe_sent) == (True, True)
    assert words in str(error)


async def test_a_connection_that_went_stale_is_replaced_without_a_word() -> None:
    with RawServer(replies_and_closes(answer()), replies(answer())) as server:
        async with api(server.url) as client:
            await client.get_job_status(JOB)
            assert await server.comes_to(lambda it: it.open_connections == 0)
            status = await client.get_job_status(JOB)

        assert status.state is JobState.DONE
        assert server.connections == 2


async def test_a_read_recovers_from_a_connection_that_closes_under_it() -> None:
    def closes_on_the_second(wire: Wire) -> None:
        wire.receive()
        wire.send(answer())
        wire.receive()

    clock = FakeClock()
    with RawServer(closes_on_the_second, replies(answer())) as server:
        async with api(server.url, attempts=2, clock=clock) as client:
            await client.get_job_status(JOB)
            status = await client.get_job_status(JOB)

        assert status.state is JobState.DONE
        assert (server.connections, len(server.requests)) == (2, 3)
    assert 0 < clock.monotonic() <= 0.5


# Slow


def _sends_half(wire: Wire) -> None:
    wire.receive()
    wire.send(answer()[:-50])
    wire.wait_until_gone()


def _drips_the_body(wire: Wire) -> None:
    wire.receive()
    wire.send(answer(b"", length=100_000))
    wire.drip(b" ")


def _drips_the_headers(wire: Wire) -> None:
    wire.receive()
    wire.send(b"HTTP/1.1 200 OK\r\n")
    wire.drip(b"X: y\r\n")


def _drips_the_first_line(wire: Wire) -> None:
    wire.receive()
    wire.drip(b"H")


SLOW: Final[dict[str, Behaviour]] = {
    "silent": is_silent,
    "first line": _drips_the_first_line,
    "headers": _drips_the_headers,
    "body": _drips_the_body,
}


@pytest.mark.parametrize("case", SLOW)
async def test_the_time_limit_is_for_the_whole_attempt(case: str) -> None:
    with RawServer(SLOW[case]) as server:
        client = api(server.url, attempt_timeout=0.3)
        started = time.monotonic()
        error = await failure(client)
        elapsed = time.monotonic() - started

        assert isinstance(error, AttemptTimeout)
        assert isinstance(error, TimeoutError)
        assert (error.transient, error.maybe_sent) == (True, True)
        assert (
            str(error)
            == f"GetJobStatus: no whole answer from {urlsplit(server.url).netloc} within 0.3 s"
        )
        assert 0.25 < elapsed < 2.0
        assert await server.comes_to(lambda it: it.open_connections == 0)


# Long


# httpx leaves the generators inside its own to the garbage collector when it is stopped early.
@pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")
async def test_a_body_without_end_is_refused_at_the_cap_not_at_the_time_limit() -> None:
    def never_ends(wire: Wire) -> None:
        wire.receive()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
        while not wire.is_stopping:
            wire.send(b" " * 65536)

    with RawServer(never_ends) as server:
        started = time.monotonic()
        error = await failure(api(server.url, max_response_bytes=MIB))
        elapsed = time.monotonic() - started

        assert type(error) is InvalidResponse
        assert error.transient is False
        assert elapsed < 5.0
        assert await server.comes_to(lambda it: it.open_connections == 0)


async def test_a_gzip_bomb_is_refused_in_little_memory() -> None:
    cap = 256 * 1024
    bomb = gzip.compress(bytes(64 * MIB))
    assert len(bomb) < cap
    with RawServer(replies(answer(bomb, headers={"Content-Encoding": "gzip"}))) as server:
        async with api(server.url, max_response_bytes=cap) as client:
            # What is loaded at the first call does not count.
            with pytest.raises(InvalidResponse):
                await client.get_job_status(JOB)
            tracemalloc.start()
            try:
                with pytest.raises(InvalidResponse) as caught:
                    await client.get_job_status(JOB)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert caught.value.transient is False
    assert peak < 8 * cap


# Answers


async def test_a_foreign_address_gets_a_page_and_the_caller_a_hint() -> None:
    page = b"<html><head><title>403</title></head><body><h1>Forbidden:</h1> your IP</body></html>"
    with RawServer(
        replies(answer(page, status="403 Forbidden", content_type="text/html"))
    ) as server:
        error = await failure(api(server.url))

    assert isinstance(error, HttpError)
    assert error.status_code == 403
    assert error.content_type == "text/html"
    assert error.excerpt == "403 Forbidden: your IP"
    assert error.transient is False
    assert "white-listed in the control panel" in str(error)


@pytest.mark.parametrize("version", SoapVersion)
async def test_a_wrong_key_is_a_fault(version: SoapVersion) -> None:
    folder = f"soap{version.value.replace('.', '')}"
    reply = answer(
        sample(f"{folder}/wrong-key"),
        status="500 Internal Server Error",
        content_type=f"{version.media_type}; charset=utf-8",
    )
    with RawServer(replies(reply)) as server:
        error = await failure(api(server.url, version=version, attempts=3))
        sent = len(server.requests)

    assert isinstance(error, SoapFault)
    assert error.transient is False
    assert error.code.startswith(f"{{{version.namespace}}}")
    assert error.reason
    assert error.reason.split("\n")[0] in str(error)
    assert sent == 1


async def test_an_answer_in_the_other_soap_version_is_read() -> None:
    reply = answer(sample("soap12/completed"), content_type=SOAP_1_2)
    with RawServer(replies(reply)) as server:
        async with api(server.url, version="1.1") as client:
            status = await client.get_job_status(JOB)

        assert ("Content-Type", "text/xml; charset=utf-8") in server.requests[0].headers

    assert status.job_name == "Sql2012CreateBackup"


async def test_a_chunked_answer_is_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in COMPLETED) + b"0\r\n\r\n"
    with RawServer(replies(head + chunks)) as server:
        async with api(server.url) as client:
            status = await client.get_job_status(JOB)

    assert status.state is JobState.DONE


# What is on the wire


@pytest.mark.parametrize(
    ("version", "own_headers"),
    [
        (
            SoapVersion.SOAP_1_1,
            [
                ("Content-Type", "text/xml; charset=utf-8"),
                ("SOAPAction", '"http://api.discountasp.net/GetJobStatus"'),
            ],
        ),
        (SoapVersion.SOAP_1_2, [("Content-Type", "application/soap+xml; charset=utf-8")]),
    ],
)
async def test_these_are_all_the_bytes_before_the_envelope(
    version: SoapVersion, own_headers: list[tuple[str, str]]
) -> None:
    with RawServer(replies(answer())) as server:
        async with api(server.url, version=version) as client:
            await client.get_job_status(JOB)
        (request,) = server.requests

    assert request.line == "POST /1.0/customerapi.asmx HTTP/1.1"
    assert list(request.headers) == [
        ("Host", server.url.split("/")[2]),
        *own_headers,
        ("Accept-Encoding", "identity"),
        ("User-Agent", "dasp_async"),
        ("Content-Length", str(len(request.body))),
    ]
    assert f"<key>{KEY}</key>".encode() in request.body
    assert f"<jobId>{JOB}</jobId>".encode() in request.body


# Connections


async def test_calls_one_after_another_use_one_connection() -> None:
    with RawServer(replies(answer())) as server:
        async with api(server.url) as client:
            for _ in range(100):
                await client.get_job_status(JOB)

            assert (server.connections, len(server.requests)) == (1, 100)
            assert server.open_connections == 1
        assert await server.comes_to(lambda it: it.open_connections == 0)


async def test_calls_at_once_use_a_connection_each_at_most_and_keep_them() -> None:
    async def look(number: int) -> None:
        await client.get_job_status(f"00000000-0000-0000-0000-{number:012}")

    with RawServer(replies(answer())) as server:
        async with api(server.url) as client:
            for _ in range(5):
                async with anyio.create_task_group() as tasks:
                    for number in range(1, 21):
                        tasks.start_soon(look, number)

            assert len(server.requests) == 100
            assert server.connections <= 20
        assert await server.comes_to(lambda it: it.open_connections == 0)


async def test_closing_during_calls_ends_them_and_leaves_no_connection() -> None:
    outcomes: list[str] = []

    async def look() -> None:
        try:
            await client.get_job_status(JOB)
        except (TransportError, RuntimeError) as error:
            outcomes.append(type(error).__name__)

    with RawServer(_sends_half) as server:
        client = api(server.url)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look)
            assert await server.comes_to(lambda it: len(it.requests) == 1)
            await client.aclose()
        assert outcomes == ["TransportError"]
        assert await server.comes_to(lambda it: it.open_connections == 0)


# httpcore leaves a connection cancelled in its handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("is_borrowed", [False, True])
async def test_what_is_still_connecting_is_not_sent_once_the_client_is_closed(
    *, is_borrowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_proxies(monkeypatch)

    async def add() -> None:
        with pytest.raises(TransportError, match="the client was closed meanwhile") as caught:
            await client.sm_add_alias("a.example", "info", [])
        assert (caught.value.maybe_sent, caught.value.transient) == (True, False)

    # It takes the connection, and then not a step of the handshake.
    with RawServer(is_silent) as server:
        async with httpx.AsyncClient(trust_env=False) as http:
            client = api(
                server.url.replace("http:", "https:"), http_client=http if is_borrowed else None
            )
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(add)
                assert await server.comes_to(lambda it: it.open_connections == 1)
                await client.aclose()
        gc.collect()
        assert await server.comes_to(lambda it: it.open_connections == 0)


async def test_closing_while_the_first_calls_are_opening_leaves_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opening, go_on = threading.Event(), threading.Event()

    trusted = httpx.create_ssl_context

    def slow() -> ssl.SSLContext:
        opening.set()
        go_on.wait(10)
        return trusted()

    monkeypatch.setattr(httpx, "create_ssl_context", slow)
    outcomes: list[str] = []

    async def look(number: int) -> None:
        with pytest.raises(TransportError) as caught:
            await client.get_job_status(f"00000000-0000-0000-0000-{number:012}")
        outcomes.append(str(caught.value))

    with RawServer(replies(answer())) as server:
        client = api(server.url.replace("http:", "https:"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look, 1)
            tasks.start_soon(look, 2)
            assert await anyio.to_thread.run_sync(opening.wait, 10)
            await client.aclose()
            go_on.set()
        assert server.connections == 0

    reasons = (
        "the client was closed meanwhile",
        "RuntimeError: this client is closed; make a new one",
    )
    assert set(outcomes) <= {
        f"GetJobStatus: no answer from {urlsplit(server.url).netloc}: {reason}"
        for reason in reasons
    }
    assert len(outcomes) == 2


# Proxies of the environment

PROXY_PASSWORD: Final = "PROXY-PASSWORD"
PROXY_VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_VARIABLES, "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def _proxied(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    _without_proxies(monkeypatch)
    for name in PROXY_VARIABLES:
        monkeypatch.setenv(name, proxy)


def _as_proxy(server: RawServer) -> str:
    return f"http://alice:{PROXY_PASSWORD}@{server.url.split('/')[2]}"


async def test_no_proxy_sees_what_goes_over_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(replies(answer())) as server, RawServer(replies(answer())) as proxy:
        _proxied(monkeypatch, _as_proxy(proxy))
        async with api(server.url) as client:
            await client.get_job_status(JOB)

        assert (len(server.requests), proxy.connections) == (1, 0)


async def test_a_proxy_tunnels_to_https_and_sees_no_envelope(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with RawServer(replies_and_closes(b"HTTP/1.1 200 OK\r\n\r\nno TLS")) as proxy:
        _proxied(monkeypatch, _as_proxy(proxy))
        error = await failure(api("https://dasp.invalid/"))
        (request,) = proxy.requests

    assert request.line == "CONNECT dasp.invalid:443 HTTP/1.1"
    assert request.body == b""
    assert isinstance(error, TransportError)
    assert (error.transient, error.maybe_sent) == (True, False)


REFUSING_PROXIES: Final[dict[str, tuple[Behaviour, str, bool]]] = {
    "wrong password": (
        replies(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
        "ProxyError: the proxy answered 407",
        False,
    ),
    "no way to there": (
        replies(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        "ProxyError: the proxy answered 502",
        False,
    ),
    "hangs up": (replies_and_closes(b""), "Server disconnected", True),
}


@pytest.mark.parametrize("case", REFUSING_PROXIES)
async def test_a_proxy_s_password_is_in_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    behaviour, words, maybe_sent = REFUSING_PROXIES[case]
    caplog.set_level(1)
    with RawServer(behaviour) as proxy:
        _proxied(monkeypatch, _as_proxy(proxy))
        error = await failure(api("https://dasp.invalid/"))

    assert isinstance(error, TransportError)
    assert (error.transient, error.maybe_sent) == (True, maybe_sent)
    assert words in str(error)
    assert "httpcore" in caplog.text
    assert PROXY_PASSWORD not in f"{error!r}{caplog.text}"
    assert "alice" not in f"{error!r}{caplog.text}"


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://alice:{PROXY_PASSWORD}/x@127.0.0.1:1",
        f"http://alice:{PROXY_PASSWORD}@127.0.0.1:port",
        f"nonsense://alice:{PROXY_PASSWORD}@127.0.0.1:1",
    ],
)
async def test_a_proxy_s_password_is_in_no_error_about_its_url(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, proxy: str
) -> None:
    _proxied(monkeypatch, proxy)
    caplog.set_level(1)

    error = await failure(api("https://dasp.invalid/"))

    assert isinstance(error, TransportError)
    assert error.transient is False
    assert "URL" in str(error)
    assert PROXY_PASSWORD not in f"{error!r}{caplog.text}"
    assert "alice" not in f"{error!r}{caplog.text}"


# Cancellation


async def test_a_cancelled_call_frees_its_place_and_its_connection() -> None:
    with RawServer(is_silent, replies(answer())) as server:
        async with api(server.url, max_in_flight=1) as client:
            with anyio.move_on_after(0.1) as scope:
                await client.get_job_status(JOB)
            assert scope.cancelled_caught

            with anyio.fail_after(10):
                status = await client.get_job_status(JOB)
            assert status.state is JobState.DONE
            assert await server.comes_to(lambda it: it.open_connections == 1)


async def test_a_cancelled_call_in_the_body_frees_its_place_and_its_connection() -> None:
    with RawServer(_drips_the_body, replies(answer())) as server:
        async with api(server.url, max_in_flight=1) as client:
            with anyio.move_on_after(0.2) as scope:
                await client.get_job_status(JOB)
            assert scope.cancelled_caught

            with anyio.fail_after(10):
                status = await client.get_job_status(JOB)
            assert status.state is JobState.DONE
            assert await server.comes_to(lambda it: it.open_connections == 1)


async def test_a_call_in_a_scope_already_cancelled_sends_nothing() -> None:
    with RawServer(replies(answer())) as server:
        async with api(server.url) as client:
            with anyio.CancelScope() as scope:
                scope.cancel()
                await client.get_job_status(JOB)
            assert scope.cancelled_caught
            assert server.requests == []


async def test_a_cancelled_asyncio_task_is_cancelled_and_frees_its_place() -> None:
    _only_on_asyncio()
    with RawServer(is_silent, replies(answer())) as server:
        async with api(server.url, max_in_flight=1) as client:
            task = asyncio.ensure_future(client.get_job_status(JOB))
            assert await server.comes_to(lambda it: it.open_connections == 1)
            task.cancel("enough")
            with pytest.raises(asyncio.CancelledError):
                await task
            assert task.cancelled()

            async with asyncio.timeout(10):
                status = await client.get_job_status(JOB)
            assert status.state is JobState.DONE


async def test_the_time_limit_of_asyncio_ends_a_call_with_its_own_error() -> None:
    _only_on_asyncio()
    with RawServer(is_silent) as server:
        async with api(server.url) as client:
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.2):
                    await client.get_job_status(JOB)

    assert type(caught.value) is TimeoutError
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


# A wait


async def test_a_wait_looks_until_the_job_is_done() -> None:
    running, done = sample("soap11/progress-1"), sample("soap11/completed")
    looks = replies(answer(running), answer(sample("soap11/progress-2")), answer(done))
    seen: list[JobState] = []
    with RawServer(looks) as server:
        async with api(server.url, schedule=Schedule(initial=0.05)) as client:
            status = await client.poll_until_done(
                JOB, timeout=10, on_status=lambda it: seen.append(it.state)
            )
        assert (server.connections, len(server.requests)) == (1, 3)

    assert status.state is JobState.DONE
    assert seen == [JobState.RUNNING, JobState.RUNNING, JobState.DONE]


async def test_a_wait_rides_out_a_connection_that_breaks() -> None:
    running, done = answer(sample("soap11/progress-1")), answer()
    with RawServer(replies_and_closes(running), _resets_at_once, replies(done)) as server:
        async with api(server.url, clock=FakeClock()) as client:
            status = await client.poll_until_done(JOB)

    assert status.state is JobState.DONE


def _only_on_asyncio() -> None:
    if sniffio.current_async_library() != "asyncio":
        pytest.skip("asyncio's own")
