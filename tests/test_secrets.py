"""The key is in nothing that a failure leaves behind: errors, tracebacks, logs, warnings."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import gc
import io
import logging
import pickle
import pprint
import re
import socket
import sys
import traceback
import types
import warnings
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import anyio
import httpx
import pytest
import sniffio
import trustme
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from dasp_async import (
    AttemptTimeout,
    CustomerApi,
    DaspError,
    HttpError,
    InvalidResponse,
    JobFailed,
    PollTimeout,
    SoapFault,
    TransportError,
)
from dasp_async.testing import FakeClock
from tests.servers import (
    COMPLETED,
    Behaviour,
    RawServer,
    Wire,
    answer,
    certified,
    is_silent,
    replies,
    replies_and_closes,
    sample,
)

KEYS: Final = {
    "plain": "NOT-A-REAL-KEY-0123-ABCD",
    "with signs": "NOT<A>REAL&KEY \"0123' +/%",
}
KEY: Final = KEYS["plain"]
JOB: Final = "00000000-0000-0000-0000-000000000001"
TESTS: Final = str(Path(__file__).parent)
HTTP_LIBRARIES: Final = re.compile(r"[/\\](httpx2?|httpcore2?|h11|lxml)[/\\]")

Caught = list[BaseException]
Case = Callable[[str], Awaitable[Caught]]
ResultT = TypeVar("ResultT")

pytestmark = pytest.mark.filterwarnings(
    "ignore:Async generator 'http:ResourceWarning", "ignore:unclosed:ResourceWarning"
)


def spellings(key: str) -> set[str]:
    """All the ways in which a key could be seen."""
    plain = {key, escape(key), escape(key, {'"': "&quot;", "'": "&apos;"})}
    url = {quote(key), quote(key, safe=""), quote_plus(key)}
    encoded = base64.b64encode(key.encode()).decode().rstrip("=")
    shown = {repr(text)[1:-1] for text in plain} | {repr(text.encode())[2:-1] for text in plain}
    return plain | url | shown | {encoded, re.escape(key)}


def shows(text: str, key: str) -> list[str]:
    """The spellings of a key that a text shows; wrapped lines are joined."""
    joined = text + re.sub(r"[\s│]*\n[\s│]*", "", text)
    return [spelling for spelling in spellings(key) if spelling in joined]


# What a failure leaves behind


def linked(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it holds, and all that it came from."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__]
        waiting += [value for value in vars(link).values() if isinstance(value, BaseException)]
        if isinstance(link, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", link).exceptions


def remains(error: BaseException) -> Iterator[tuple[str, str]]:
    """All that a log, a debugger or an error tracker may make of an error: a name, a text."""
    for link in linked(error):
        name = type(link).__name__
        yield f"repr of {name}", repr(link)
        yield f"text of {name}", str(link)
        yield f"args of {name}", repr(link.args)
        yield f"attributes of {name}", repr(vars(link))
        if isinstance(link, DaspError):
            yield f"pickle of {name}", pickle.dumps(link).decode("latin-1")
            yield f"copy of {name}", repr(vars(copy.copy(link)))
        for frame, line in traceback.walk_tb(link.__traceback__):
            file = frame.f_code.co_filename
            if file.startswith(TESTS):
                continue
            for variable, value in frame.f_locals.items():
                place = f"{variable} in {file}:{line}"
                yield place, repr(value)
                yield f"what {place} consists of", pretty_repr(value)
    yield "format_exception", "".join(traceback.format_exception(error))
    yield "rich", _drawn_by_rich(error)


def _drawn_by_rich(error: BaseException) -> str:
    console = Console(file=io.StringIO(), width=1000, color_system=None)
    trace = Traceback.extract(
        type(error),
        error,
        error.__traceback__,
        show_locals=True,
        locals_max_string=sys.maxsize,
        locals_max_length=sys.maxsize,
        locals_hide_dunder=False,
    )
    for frame in (frame for stack in trace.stacks for frame in stack.frames):
        if frame.filename.startswith(TESTS):
            frame.locals = None
        # What has no file has no source to be coloured, which takes most of the time.
        frame.filename = f"<{frame.filename}>"
    console.print(Traceback(trace, width=1000, show_locals=True))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def captured_locals(error: BaseException) -> Iterator[tuple[str, str]]:
    """The same frames as the standard library captures them, the tests' own left out."""
    captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    waiting: list[traceback.TracebackException | None] = [captured]
    while waiting:
        link = waiting.pop()
        if link is None:
            continue
        for frame in link.stack:
            if not frame.filename.startswith(TESTS):
                yield f"{frame.filename}:{frame.lineno}", repr(frame.locals)
        waiting += [link.__cause__, link.__context__, *(link.exceptions or [])]


def assert_hidden(error: BaseException, key: str) -> None:
    """The key is in nothing that an error leaves behind, nor is a frame of the HTTP library's."""
    for what, text in [*remains(error), *captured_locals(error)]:
        assert shows(text, key) == [], what
    for link in linked(error):
        for frame, _ in traceback.walk_tb(link.__traceback__):
            assert not HTTP_LIBRARIES.search(frame.f_code.co_filename)


# What fails


def api(key: str, url: str, **options: Any) -> CustomerApi:
    """A client that tries once."""
    settings: dict[str, Any] = {"attempts": 1, "attempt_timeout": 10.0, **options}
    return CustomerApi(key, endpoint=url, **settings)


class Notes:
    """The errors that passed by, cancellations too."""

    def __init__(self) -> None:
        self.caught: Caught = []

    async def passing(self, call: Awaitable[ResultT]) -> ResultT:
        try:
            return await call
        except BaseException as error:
            self.caught.append(error)
            raise


def _echoes(status: str, content_type: str, page: bytes, **headers: str) -> Behaviour:
    """Answer with the request's own body where the page says BODY."""

    def behaviour(wire: Wire) -> None:
        for request in wire.requests():
            (sent,) = re.findall(b"<key>(.*)</key>", request.body, re.DOTALL)
            wire.send(
                answer(
                    page.replace(b"BODY", request.body.partition(b"\n")[2])
                    .replace(b"KEY", sent)
                    .replace(b"BASE64", base64.b64encode(_unescaped(sent))),
                    status=status,
                    content_type=content_type.replace("KEY", _unescaped(sent).decode()),
                    headers={
                        n: v.replace("KEY", _unescaped(sent).decode()) for n, v in headers.items()
                    },
                )
            )

    return behaviour


def _unescaped(text: bytes) -> bytes:
    return text.replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&amp;", b"&")


def _sends_half(wire: Wire) -> None:
    wire.receive()
    wire.send(answer()[:-50])
    wire.wait_until_gone()


FAULT_11: Final = b"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>
<faultcode>KEY</faultcode><faultstring>no key KEY or BASE64</faultstring>
<faultactor>KEY</faultactor><detail><sent>BODY</sent></detail>
</s:Fault></s:Body></s:Envelope>"""
FAILED: Final = sample("soap11/failed").replace(b"<Status>", b"<Status>KEY ", 1)
XML: Final = "text/xml; charset=utf-8"
SERVER_ERROR: Final = "500 Internal Server Error"

ANSWERS: Final[dict[str, tuple[type[DaspError], Behaviour]]] = {
    "closed": (TransportError, replies_and_closes(b"")),
    "cut": (TransportError, replies_and_closes(answer()[:-50])),
    "not HTTP": (TransportError, replies_and_closes(b"220 mail.example ESMTP\r\n\r\n")),
    "silent": (AttemptTimeout, is_silent),
    "stuck in the body": (AttemptTimeout, _sends_half),
    "fault": (SoapFault, _echoes(SERVER_ERROR, XML, FAULT_11)),
    "page": (HttpError, _echoes("403 Forbidden", "text/html; KEY", b"<b>KEY</b> BASE64 BODY")),
    "text": (
        HttpError,
        _echoes("200 OK", "text/plain; KEY", b"KEY BASE64", **{"Retry-After": "KEY"}),
    ),
    "encoding": (
        HttpError,
        _echoes("200 OK", "text/plain; KEY", b"KEY", **{"Content-Encoding": "KEY"}),
    ),
    "echo": (InvalidResponse, _echoes("200 OK", XML, b"BODY")),
    "malformed": (InvalidResponse, _echoes("200 OK", XML, b"<KEY BODY")),
    "too long": (InvalidResponse, _echoes("200 OK", XML, b"KEY BODY".ljust(70_000))),
}


def _answered(expected: type[DaspError], behaviour: Behaviour) -> Case:
    async def case(key: str) -> Caught:
        notes = Notes()
        with RawServer(behaviour) as server:
            options = {"attempt_timeout": 0.2} if expected is AttemptTimeout else {}
            async with api(key, server.url, max_response_bytes=65536, **options) as client:
                with pytest.raises(expected):
                    await notes.passing(client.get_job_status(JOB))
        return notes.caught

    return case


async def _fails_and_retries(key: str) -> Caught:
    notes = Notes()
    with RawServer(replies_and_closes(b""), _echoes(SERVER_ERROR, XML, FAULT_11)) as server:
        async with api(key, server.url, attempts=3, clock=FakeClock()) as client:
            with pytest.raises(SoapFault):
                await notes.passing(client.get_job_status(JOB))
    return notes.caught


async def _wait_ends(key: str, expected: type[DaspError], behaviour: Behaviour) -> Caught:
    notes = Notes()
    with RawServer(behaviour) as server:
        async with api(key, server.url, clock=FakeClock()) as client:
            with pytest.raises(expected):
                await notes.passing(client.poll_until_done(JOB, timeout=100))
    return notes.caught


async def _job_failed(key: str) -> Caught:
    return await _wait_ends(key, JobFailed, _echoes("200 OK", XML, FAILED))


async def _wait_of_transients(key: str) -> Caught:
    return await _wait_ends(key, HttpError, _echoes("503 Busy", "text/html", b"KEY BODY"))


async def _wait_times_out(key: str) -> Caught:
    running = sample("soap11/progress-1").replace(b"<Status>", b"<Status>KEY ", 1)

    def behaviour(wire: Wire) -> None:
        answered = False
        for request in wire.requests():
            (sent,) = re.findall(b"<key>(.*)</key>", request.body, re.DOTALL)
            busy = answer(sent, status="503 Busy", content_type="text/plain")
            wire.send(busy if answered else answer(running.replace(b"KEY", sent)))
            answered = True

    return await _wait_ends(key, PollTimeout, behaviour)


async def _no_connection(key: str) -> Caught:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    notes = Notes()
    async with api(key, f"http://127.0.0.1:{port}/") as client:
        with pytest.raises(TransportError):
            await notes.passing(client.get_job_status(JOB))
    return notes.caught


async def _no_trust(key: str) -> Caught:
    notes = Notes()
    with RawServer(replies(answer()), tls=certified(trustme.CA())) as server:
        async with api(key, server.url) as client:
            with pytest.raises(TransportError):
                await notes.passing(client.get_job_status(JOB))
    return notes.caught


async def _hook_raises(key: str) -> Caught:
    async def raises(response: httpx.Response) -> None:
        raise ValueError(f"what was sent: {response.request.content.decode()}")

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=COMPLETED))
    notes = Notes()
    async with (
        httpx.AsyncClient(transport=transport, event_hooks={"response": [raises]}) as http,
        api(key, "https://dasp.invalid/", http_client=http) as client,
    ):
        with pytest.raises(TransportError):
            await notes.passing(client.get_job_status(JOB))
    return notes.caught


async def _closed(key: str) -> Caught:
    notes = Notes()
    client = api(key, "https://dasp.invalid/")
    await client.aclose()
    with pytest.raises(RuntimeError):
        await notes.passing(client.get_job_status(JOB))
    return notes.caught


async def _bad_job_id(key: str) -> Caught:
    notes = Notes()
    async with api(key, "https://dasp.invalid/") as client:
        with pytest.raises(ValueError, match="job_id"):
            await notes.passing(client.get_job_status("not a guid"))
        with pytest.raises(ValueError, match="job_id"):
            await notes.passing(client.poll_until_done("not a guid"))
    return notes.caught


CASES: Final[dict[str, Case]] = {
    **{name: _answered(*row) for name, row in ANSWERS.items()},
    "a retry": _fails_and_retries,
    "a job that failed": _job_failed,
    "a wait of transient errors": _wait_of_transients,
    "a wait that times out": _wait_times_out,
    "no connection": _no_connection,
    "no trust": _no_trust,
    "a hook that shows the body": _hook_raises,
    "closed": _closed,
    "a bad job id": _bad_job_id,
}


@pytest.fixture
def left_behind(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """What was logged, at any level, and warned of, as one text."""
    caplog.set_level(1)

    def text() -> str:
        # What is young; all of it would take most of the tests' time.
        gc.collect(1)
        records = [
            f"{record.getMessage()} {vars(record)!r}"
            for record in caplog.records
            # An answer's headers, which are the server's own words.
            if not record.getMessage().startswith("receive_response_headers.complete")
        ]
        return "\n".join([*records, *(f"{vars(it)!r}" for it in warned)])

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield text


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("case", CASES)
async def test_no_failure_shows_the_key(
    case: str, key: str, left_behind: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ALL_PROXY", "HTTPS_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)

    caught = await CASES[case](KEYS[key])

    assert caught
    for error in caught:
        assert_hidden(error, KEYS[key])
    assert shows(left_behind(), KEYS[key]) == []


# Cancellation


def _does_not_read(wire: Wire) -> None:
    while not wire.is_stopping:
        wire.pause()


class HoldsTheBody(httpx.AsyncBaseTransport):
    """A transport that has the body in a variable while it waits."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        await anyio.sleep_forever()
        raise AssertionError(body)


def _with_small_buffers() -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)])


TransportMaker = Callable[[], httpx.AsyncBaseTransport]

STOPPED: Final[dict[str, tuple[Behaviour, TransportMaker | None, str]]] = {
    "before the answer": (is_silent, None, "http"),
    "in the body": (_sends_half, None, "http"),
    "in the handshake": (is_silent, None, "https"),
    "while it is written": (_does_not_read, _with_small_buffers, "http"),
    "in a transport that holds the body": (is_silent, HoldsTheBody, "http"),
}


@contextlib.asynccontextmanager
async def _to_be_stopped(phase: str) -> AsyncGenerator[CustomerApi]:
    behaviour, transport, scheme = STOPPED[phase]
    # More than the buffers on the way hold, where the writing is to be stopped.
    key = KEY + "A" * 300_000 if phase == "while it is written" else KEY
    async with contextlib.AsyncExitStack() as stack:
        url = stack.enter_context(RawServer(behaviour)).url.replace("http:", f"{scheme}:")
        http = None
        if transport is not None:
            http = await stack.enter_async_context(httpx.AsyncClient(transport=transport()))
        yield await stack.enter_async_context(api(key, url, http_client=http))
    # httpcore leaves a connection cancelled in its handshake to the collector: let it be now.
    gc.collect()


@pytest.mark.parametrize("phase", STOPPED)
async def test_no_cancelled_call_shows_the_key(
    phase: str, left_behind: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ALL_PROXY", "HTTPS_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    notes = Notes()
    async with _to_be_stopped(phase) as client:
        with pytest.raises(TimeoutError) as caught:
            with anyio.fail_after(0.15):
                await notes.passing(client.get_job_status(JOB))

    assert len(notes.caught) == 1
    assert not isinstance(notes.caught[0], Exception)
    assert_hidden(notes.caught[0], KEY)
    assert_hidden(caught.value, KEY)
    assert shows(left_behind(), KEY) == []


@pytest.mark.parametrize("phase", STOPPED)
async def test_no_time_limit_of_asyncio_shows_the_key(
    phase: str, left_behind: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _only_on_asyncio()
    for name in ("ALL_PROXY", "HTTPS_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with _to_be_stopped(phase) as client:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.15):
                await client.get_job_status(JOB)
        with pytest.raises(TimeoutError) as in_a_task:
            await asyncio.wait_for(client.poll_until_done(JOB), 0.15)

    for error in (caught.value, in_a_task.value):
        assert isinstance(error.__cause__, asyncio.CancelledError)
        assert_hidden(error, KEY)
    assert shows(left_behind(), KEY) == []


async def test_no_cancelled_task_of_asyncio_shows_the_key(left_behind: Callable[[], str]) -> None:
    _only_on_asyncio()
    with RawServer(is_silent) as server:
        async with api(KEY, server.url) as client:
            task = asyncio.ensure_future(client.get_job_status(JOB))
            assert await server.comes_to(lambda it: it.connections == 1)
            await anyio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task

    assert_hidden(caught.value, KEY)
    assert shows(left_behind(), KEY) == []


async def test_a_cancelled_wait_for_others_shows_no_key(left_behind: Callable[[], str]) -> None:
    notes = Notes()
    with RawServer(is_silent) as server:
        async with api(KEY, server.url, max_in_flight=1) as client:
            with anyio.move_on_after(0.25):
                async with anyio.create_task_group() as tasks:
                    for job in (JOB, JOB, JOB.replace("1", "2")):
                        tasks.start_soon(notes.passing, client.get_job_status(job))

    assert len(notes.caught) == 3
    for error in notes.caught:
        assert_hidden(error, KEY)
    assert shows(left_behind(), KEY) == []


# Construction

OPTIONS: Final[list[dict[str, Any]]] = [
    {"endpoint": "http://api.discountasp.net/"},
    {"endpoint": "https://user:password@api.discountasp.net/"},
    {"endpoint": "https://api.discountasp.net:port/"},
    {"endpoint": "nonsense"},
    {"endpoint": 7},
    {"version": "1.3"},
    {"attempts": 0},
    {"attempts": "3"},
    {"attempt_timeout": -1},
    {"attempt_timeout": "30"},
    {"max_in_flight": 0},
    {"max_response_bytes": 0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("key", KEYS)
def test_no_bad_argument_shows_the_key(options: dict[str, Any], key: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        CustomerApi(KEYS[key], **options)

    assert_hidden(caught.value, KEYS[key])


@pytest.mark.parametrize("bad", [f"{KEY}\0", f"\ud800{KEY}", KEY.encode(), [KEY], bytearray(10)])
def test_no_bad_key_is_shown(bad: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="key ") as caught:
        CustomerApi(bad)

    assert_hidden(caught.value, KEY)


@pytest.mark.parametrize("name", ["DASP_API_KEY", "DASP_ENDPOINT", "DASP_SOAP_VERSION"])
def test_no_bad_variable_of_the_environment_shows_the_key(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASP_API_KEY", KEY)
    monkeypatch.setenv(name, f"{KEY}\x07" if name == "DASP_API_KEY" else "nonsense")

    with pytest.raises(ValueError) as caught:
        CustomerApi.from_env()

    assert_hidden(caught.value, KEY)


# The client itself


@pytest.mark.parametrize("key", KEYS)
async def test_a_client_shows_no_key(key: str, left_behind: Callable[[], str]) -> None:
    with RawServer(replies(answer())) as server:
        async with api(KEYS[key], server.url) as client:
            await client.get_job_status(JOB)
            shown = [*_attributes(client), repr(client), str(client), f"{client}"]
            shown += [pprint.pformat(vars(client)), pretty_repr(client), pretty_repr(vars(client))]
            found = _reachable(client, KEYS[key])

    # The walk went as deep as the HTTP library's connections.
    assert any("HTTP11Connection" in text for text in shown)
    for text in shown:
        assert shows(text, KEYS[key]) == []
    # In what hides it, and in the pattern that strikes it out, but in no request left over.
    assert {kind.split(" ")[0] for kind in found} <= {"Secret", "Mask"}
    assert "dasp_async" in left_behind()
    assert shows(left_behind(), KEYS[key]) == []


def _attributes(value: object, seen: set[int] | None = None) -> Iterator[str]:
    """The reprs of all that an object's attributes hold, deeper and deeper."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, (type, types.ModuleType, types.FunctionType)):
        return
    seen.add(id(value))
    yield repr(value)
    inside: list[object] = list(vars(value).values()) if hasattr(value, "__dict__") else []
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        inside += list(value)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, dict):
        inside += [*value, *value.values()]  # pyright: ignore[reportUnknownArgumentType]
    for held in inside:
        yield from _attributes(held, seen)


def _reachable(root: object, key: str) -> list[str]:
    """What holds the key in memory, by the classes on the way to it."""
    leads = (type, types.ModuleType, types.CodeType, types.FrameType, logging.Logger)
    found: list[str] = []
    seen: set[int] = set()
    waiting: list[tuple[object, str]] = [(root, "")]
    while waiting:
        value, holder = waiting.pop()
        if id(value) in seen or isinstance(value, leads):
            continue
        seen.add(id(value))
        if isinstance(value, (str, bytes, bytearray)):
            text = value if isinstance(value, str) else value.decode("latin-1")
            if shows(text, key):
                found.append(holder)
            continue
        if isinstance(value, types.FunctionType):
            inside: list[object] = [*(value.__closure__ or ()), *(value.__defaults__ or ())]
        else:
            inside = gc.get_referents(value)
        name = type(value).__name__
        holder = name if name in {"Secret", "Mask"} else holder
        waiting += [(held, holder) for held in inside]
    return found


async def test_a_client_is_not_pickled() -> None:
    async with api(KEY, "https://dasp.invalid/") as client:
        with pytest.raises(TypeError) as caught:
            pickle.dumps(client)

    assert_hidden(caught.value, KEY)


def test_the_search_finds_what_it_looks_for() -> None:
    encoded = base64.b64encode(f"{KEY}".encode()).decode()
    for text in (KEY, f"<key>{KEY}</key>", f"NOT-A-REAL\n    -KEY-0123-ABCD {encoded}", encoded):
        assert shows(text, KEY)
    assert not shows("NOT-A-REAL-KEY", KEY)

    def leaks(body: bytes) -> None:
        raise ValueError(len(body))

    code = leaks.__code__.replace(co_filename="elsewhere.py")
    with pytest.raises(ValueError, match="56") as caught:
        types.FunctionType(code, {})(f"<envelope><key>{KEY}</key></envelope>".encode())
    with pytest.raises(AssertionError, match=r"body in elsewhere\.py"):
        assert_hidden(caught.value, KEY)


def _only_on_asyncio() -> None:
    if sniffio.current_async_library() != "asyncio":
        pytest.skip("asyncio's own")
