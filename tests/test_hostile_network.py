"""A table of what a hostile network does to a call, and what exactly comes of it."""

from __future__ import annotations

import gc
import ssl
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any, Final, NamedTuple
from uuid import UUID

import anyio
import httpx
import httpx2
import pytest
import trustme

from dasp_async import CustomerApi, DaspError, HttpError, MemoryBudget, TransportError
from dasp_async.testing import OPERATIONS, Account, FakeClock, FakeCustomerApi, Values
from tests.commands import KEY, served
from tests.fault_proxy import NONE, Act, Fault, FaultProxy, Phase
from tests.servers import SOAP_1_1, answer, certified, trusting

# Far below a test's own limit, and far above what an attempt takes on a busy machine
CELL_LIMIT: Final = 30.0
# Of an attempt where some are to be late, and still enough for those that are not
LATE_AFTER: Final = 2.0

# What comes of an attempt
RESULT: Final = "result"
BROKEN: Final = "TransportError: transient, maybe sent"
UNSENT: Final = "TransportError: transient, not sent"
LATE: Final = "AttemptTimeout: transient, maybe sent"
INVALID: Final = "InvalidResponse"


def http(status: int) -> str:
    return f"HttpError {status}"


class Row(NamedTuple):
    """A fault, what comes of the attempt that it befalls, and whether the service acted on it.

    leaves: whether more than the answer has come, which an own connection is not used after.
    """

    fault: Fault
    outcome: str
    acted: bool = True
    leaves: bool = False


def lie(head: str, body: Callable[[bytes], bytes] = lambda body: body) -> Fault:
    """An answer with this head, to the letter, but for its Content-Type."""
    first, *fields = head.split("\n")
    lines = [first, f"Content-Type: {SOAP_1_1}", *fields, "", ""]
    return Fault(rewrite=lambda true: "\r\n".join(lines).encode() + body(true))


def chunked(chunks: Callable[[bytes], bytes]) -> Fault:
    return lie("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", chunks)


def then(fault: Fault, act: Act) -> Fault:
    return replace(fault, act=act)


def ends(phase: Phase, after: int, *, acted: bool) -> dict[str, Row]:
    """The ways to end at one place before the answer's last byte."""
    return {
        f"{act.name} in the {phase.name} after {after}": Row(
            Fault(phase, after, act), LATE if act is Act.STALL else BROKEN, acted
        )
        for act in (Act.RESET, Act.CLOSE, Act.HALF_CLOSE, Act.STALL)
    }


CONNECT, REQUEST, HEAD, BODY, AFTER = Phase
UNAVAILABLE: Final = answer(b"", status="503 Unavailable", headers={"Connection": "close"})
GARBAGE: Final = b"\x00\xff\x16\x03garbage\r\n"

# On connections that are new
CONNECTING: Final[dict[str, Row]] = {
    "refused": Row(Fault(CONNECT, act=Act.REFUSE), UNSENT, acted=False),
    "accepted late": Row(Fault(CONNECT, pause=0.05), RESULT),
    # Nobody can take back what was sent: the service does it after all.
    "accepted too late": Row(Fault(CONNECT, pause=1.25 * LATE_AFTER), LATE),
    "closed at once": Row(Fault(CONNECT, act=Act.CLOSE), BROKEN, acted=False),
    "half closed at once": Row(Fault(CONNECT, act=Act.HALF_CLOSE), BROKEN, acted=False),
    "accepted, and no more": Row(Fault(CONNECT, act=Act.STALL), LATE, acted=False),
    "speaks first, and is no HTTP": Row(
        Fault(CONNECT, insert=b"220 mail.example ESMTP\r\n", act=Act.HALF_CLOSE), BROKEN, False
    ),
}

ROWS: Final[dict[str, Row]] = {
    # While the request is sent
    **ends(REQUEST, 0, acted=False),
    **ends(REQUEST, 100, acted=False),
    **ends(REQUEST, -1, acted=False),
    "the request byte by byte": Row(Fault(REQUEST, act=Act.DRIP), RESULT),
    "garbage in the request's head": Row(Fault(REQUEST, 20, insert=GARBAGE), http(400), False),
    "garbage in the request's body": Row(Fault(REQUEST, -9, insert=GARBAGE), http(400), False),
    "a part of the request's head twice": Row(Fault(REQUEST, 0, repeat=9), http(400), False),
    "a part of the request's body twice": Row(Fault(REQUEST, -9, repeat=5), http(400), False),
    "an answer before the request is whole": Row(
        Fault(REQUEST, 100, rewrite=lambda _: answer(b"", status="413 Content Too Large")),
        http(413),
        False,
    ),
    "such an answer, and no more": Row(
        Fault(REQUEST, 100, Act.HALF_CLOSE, rewrite=lambda _: UNAVAILABLE),
        "HttpError 503: transient",
        acted=False,
    ),
    # In the answer
    **ends(HEAD, 0, acted=True),
    **ends(HEAD, 20, acted=True),
    **ends(BODY, 0, acted=True),
    **ends(BODY, 100, acted=True),
    **ends(AFTER, -1, acted=True),
    "the answer byte by byte": Row(Fault(HEAD, act=Act.DRIP), RESULT),
    "the head dripping": Row(Fault(HEAD, act=Act.DRIP, pause=0.05), LATE),
    "the body dripping": Row(Fault(BODY, act=Act.DRIP, pause=0.05), LATE),
    "garbage before the head": Row(Fault(HEAD, insert=GARBAGE), BROKEN),
    "garbage in the head": Row(Fault(HEAD, 17, insert=GARBAGE), BROKEN),
    "garbage in the body": Row(Fault(BODY, 60, insert=GARBAGE), INVALID, leaves=True),
    "a part of the first line twice": Row(Fault(HEAD, 0, repeat=9), BROKEN),
    "a part of the body twice": Row(Fault(BODY, 60, repeat=30), INVALID, leaves=True),
    # After the answer
    "reset after it": Row(Fault(act=Act.RESET), RESULT),
    "closed after it": Row(Fault(act=Act.CLOSE), RESULT),
    "half closed after it": Row(Fault(act=Act.HALF_CLOSE), RESULT),
    "garbage after it": Row(Fault(insert=GARBAGE), RESULT, leaves=True),
    "garbage a while after it": Row(Fault(insert=GARBAGE, pause=0.05), RESULT),
    "the same answer once more": Row(Fault(HEAD, repeat=1_000_000), RESULT, leaves=True),
    "a blank line after it": Row(Fault(insert=b"\r\n"), RESULT, leaves=True),
    "half an answer after it": Row(
        Fault(insert=b"HTTP/1.1 200 OK\r\nX-Half: "), RESULT, leaves=True
    ),
    "an unasked 408 after it": Row(
        Fault(insert=b"HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n"), RESULT, leaves=True
    ),
    # A length that is a lie
    "longer than it says": Row(
        Fault(rewrite=lambda body: answer(body, length=99)), INVALID, leaves=True
    ),
    "longer than none": Row(
        Fault(rewrite=lambda body: answer(body, length=0)), INVALID, leaves=True
    ),
    "a byte longer than it says": Row(
        Fault(rewrite=lambda body: answer(body, length=len(body) - 1)), INVALID, leaves=True
    ),
    "shorter than it says": Row(
        Fault(rewrite=lambda body: answer(body, length=len(body) + 1), act=Act.STALL), LATE
    ),
    "shorter than it says, and closed": Row(
        Fault(rewrite=lambda body: answer(body, length=len(body) + 1), act=Act.HALF_CLOSE), BROKEN
    ),
    "a length of no number": Row(lie("HTTP/1.1 200 OK\nContent-Length: many"), BROKEN),
    "a length below zero": Row(lie("HTTP/1.1 200 OK\nContent-Length: -1"), BROKEN),
    "an endless length": Row(
        then(lie(f"HTTP/1.1 200 OK\nContent-Length: {10**19}"), Act.HALF_CLOSE), BROKEN
    ),
    "two lengths": Row(lie("HTTP/1.1 200 OK\nContent-Length: 9\nContent-Length: 8"), BROKEN),
    "a length, and chunks": Row(
        lie(
            "HTTP/1.1 200 OK\nContent-Length: 9\nTransfer-Encoding: chunked",
            lambda body: b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
        ),
        RESULT,
    ),
    "no body, it says, yet one": Row(lie("HTTP/1.1 204 No Content"), INVALID, leaves=True),
    "not modified, and a body": Row(lie("HTTP/1.1 304 Not Modified"), http(304), leaves=True),
    # Chunks
    "one chunk": Row(chunked(lambda body: b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)), RESULT),
    "chunks with extensions": Row(
        chunked(lambda body: b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(body), body)), RESULT
    ),
    "trailers": Row(
        chunked(lambda body: b"%x\r\n%b\r\n0\r\nX-After: yes\r\n\r\n" % (len(body), body)), RESULT
    ),
    "trailers that are garbage": Row(
        chunked(lambda body: b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, GARBAGE)), BROKEN
    ),
    "a chunk of no number": Row(chunked(lambda body: b"many\r\n" + body), BROKEN),
    "a chunk below zero": Row(chunked(lambda body: b"-1\r\n" + body), BROKEN),
    "a chunk longer than it says": Row(
        chunked(lambda body: b"%x\r\n%b\r\n0\r\n\r\n" % (len(body) - 1, body)), BROKEN
    ),
    "a chunk shorter than it says": Row(
        then(chunked(lambda body: b"%x\r\n%b" % (len(body) + 1, body)), Act.HALF_CLOSE), BROKEN
    ),
    "an endless chunk": Row(
        then(chunked(lambda body: b"FFFFFFFFFFFFFFFF\r\n" + body), Act.HALF_CLOSE), BROKEN
    ),
    "a chunk's size without end": Row(chunked(lambda _: b"F" * 200_000), BROKEN),
    "no last chunk, and closed": Row(
        then(chunked(lambda body: b"%x\r\n%b\r\n" % (len(body), body)), Act.HALF_CLOSE), BROKEN
    ),
    "no last chunk, and no more": Row(
        then(chunked(lambda body: b"%x\r\n%b\r\n" % (len(body), body)), Act.STALL), LATE
    ),
    "an empty chunk first": Row(
        chunked(lambda body: b"0\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)),
        INVALID,
        leaves=True,
    ),
    "an encoding that is none": Row(lie("HTTP/1.1 200 OK\nTransfer-Encoding: gzip"), BROKEN),
    # Before the answer
    "100 first": Row(
        Fault(rewrite=lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + answer(body)), RESULT
    ),
    "103 first": Row(
        Fault(rewrite=lambda body: b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + answer(body)),
        RESULT,
    ),
    "a thousand of 102 first": Row(
        Fault(rewrite=lambda body: b"HTTP/1.1 102 Processing\r\n\r\n" * 1000 + answer(body)), RESULT
    ),
    "100 and no more": Row(
        Fault(rewrite=lambda _: b"HTTP/1.1 100 Continue\r\n\r\n", act=Act.STALL), LATE
    ),
    "100 and closed": Row(
        Fault(rewrite=lambda _: b"HTTP/1.1 100 Continue\r\n\r\n", act=Act.HALF_CLOSE), BROKEN
    ),
    "101": Row(lie("HTTP/1.1 101 Switching Protocols\nUpgrade: x\nConnection: Upgrade"), BROKEN),
    # Other ends of the body, and other HTTP
    "1.0 without a length, closed": Row(then(lie("HTTP/1.0 200 OK"), Act.HALF_CLOSE), RESULT),
    "1.1 without a length, closed": Row(then(lie("HTTP/1.1 200 OK"), Act.HALF_CLOSE), RESULT),
    "1.0 without a length, cut": Row(
        then(lie("HTTP/1.0 200 OK", lambda body: body[:-1]), Act.HALF_CLOSE), INVALID
    ),
    "1.0 without a length or a body": Row(
        then(lie("HTTP/1.0 200 OK", lambda _: b""), Act.HALF_CLOSE), INVALID
    ),
    "1.0 without a length, reset": Row(then(lie("HTTP/1.0 200 OK"), Act.RESET), BROKEN),
    "1.0 without a length, open": Row(then(lie("HTTP/1.0 200 OK"), Act.STALL), LATE),
    "0.9": Row(Fault(rewrite=lambda body: body, act=Act.HALF_CLOSE), BROKEN),
    "2": Row(lie("HTTP/2 200 OK"), BROKEN),
    "a status of two digits": Row(lie("HTTP/1.1 20 OK"), BROKEN),
    "a page of a stranger": Row(
        Fault(rewrite=lambda _: answer(b"<html>Log in</html>", content_type="text/html")), http(200)
    ),
    "nothing with a length": Row(Fault(rewrite=lambda _: answer(b"")), INVALID),
    # Header bombs
    "a header of 90 KB": Row(
        Fault(rewrite=lambda body: answer(body, headers={"X-Long": "x" * 90_000})), RESULT
    ),
    "a header of 200 KB": Row(
        Fault(rewrite=lambda body: answer(body, headers={"X-Long": "x" * 200_000})), BROKEN
    ),
    "a header without end": Row(lie("HTTP/1.1 200 OK\nX: " + "x" * 200_000, lambda _: b""), BROKEN),
    "a thousand headers": Row(
        Fault(rewrite=lambda body: answer(body, headers={f"X-{n}": "x" for n in range(1000)})),
        RESULT,
    ),
    "20,000 headers": Row(
        Fault(rewrite=lambda body: answer(body, headers={f"X-{n}": "x" for n in range(20_000)})),
        BROKEN,
    ),
}

# While a request is sent that is too long for one write
LONG: Final = {
    name: row
    for name, row in ROWS.items()
    if row.fault.phase is REQUEST and row.fault.after == 100 and row.outcome != LATE
}

# On TLS, where the connection is not there before a handshake
HANDSHAKE: Final[dict[str, Row]] = {
    "closed at once": Row(Fault(CONNECT, act=Act.CLOSE), UNSENT, acted=False),
    "half closed at once": Row(Fault(CONNECT, act=Act.HALF_CLOSE), UNSENT, acted=False),
    "speaks first, and is no TLS": Row(
        Fault(CONNECT, insert=b"220 mail.example ESMTP\r\n", act=Act.HALF_CLOSE), UNSENT, False
    ),
}


class Kind(NamedTuple):
    """A kind of call, how many exchanges the fault befalls, and whether one went well before.

    addresses: how many a write has in its request, of 30 bytes or so.
    """

    writes: bool
    faults: int
    is_warm: bool
    addresses: int = 1


KINDS: Final = {
    "write": Kind(writes=True, faults=3, is_warm=False),
    "read": Kind(writes=False, faults=1, is_warm=False),
    "read in vain": Kind(writes=False, faults=3, is_warm=False),
    "warm write": Kind(writes=True, faults=3, is_warm=True),
    "long write": Kind(writes=True, faults=3, is_warm=False, addresses=5_000),
    "warm read": Kind(writes=False, faults=1, is_warm=True),
}


def expected(row: Row, kind: Kind) -> str:
    """What a call of that kind must come to, and the one after it."""
    is_retried = "transient" in row.outcome and not kind.writes
    if not is_retried:
        return f"{row.outcome}; 0 retries, acted on {int(row.acted)} times"
    if kind.faults == 1:
        return f"{RESULT}; 1 retries, acted on {row.acted + 1} times"
    return f"{row.outcome}; 2 retries, acted on {3 * row.acted} times"


class Service:
    """The real fake service on a socket, which counts what it does."""

    def __init__(self) -> None:
        self.acted: Counter[object] = Counter()
        self.fake = FakeCustomerApi(
            KEY,
            # So that answers differ in no length
            clock=FakeClock(),
            operations=[
                self._counting("GetJobStatus", "jobId"),
                self._counting("SMAddAlias", "aliasName"),
            ],
        )
        self.endpoint = ""

    def acted_on(self, number: int) -> int:
        """How often it did what the call of this number asked for."""
        return self.acted[f"alias-{number}"] + self.acted[UUID(int=number)]

    def _counting(self, name: str, key: str) -> Any:
        operation = OPERATIONS[name]

        def counted(account: Account, values: Values) -> Any:
            self.acted[values[key]] += 1
            return operation.answer(account, values)

        return replace(operation, answer=counted)


class RetryClock(FakeClock):
    """Takes no time to wait for a retry, and tells the proxy and the test of it."""

    def __init__(self, proxy: FaultProxy) -> None:
        super().__init__()
        self._proxy = proxy
        self.retries = 0

    async def sleep(self, seconds: float) -> None:
        self.retries += 1
        self._proxy.move_on()
        await super().sleep(seconds)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    with served(service.fake) as at:
        service.endpoint = at.endpoint
        yield service


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


NUMBERS: Final = count(1)


async def called(api: CustomerApi, service: Service, number: int, kind: Kind) -> str:
    """A call that nobody else makes, and what comes of it, in the table's words."""
    try:
        if kind.writes:
            addresses = ["b@a.example"] * kind.addresses
            await api.sm_add_alias("a.example", f"alias-{number}", addresses)
        else:
            job = UUID(int=number)
            service.fake.add_job("Completed", job_id=job, name=f"job {number:09}")
            status = await api.get_job_status(job)
            assert status.job_name == f"job {number:09}", "another call's answer"
    except DaspError as error:
        return told(error)
    return RESULT


def told(error: DaspError) -> str:
    """An error in the table's words."""
    assert error.__cause__ is None
    assert error.__context__ is None
    name = type(error).__name__
    if isinstance(error, HttpError):
        name += f" {error.status_code}"
    flags = ["transient"] * error.transient
    if isinstance(error, TransportError):
        flags.append("maybe sent" if error.maybe_sent else "not sent")
    return f"{name}: {', '.join(flags)}" if flags else name


class Setting(NamedTuple):
    """What the cells of a table stand on; library: httpx or httpx2, None for own connections."""

    service: Service
    library: Any
    trust: ssl.SSLContext
    tls: ssl.SSLContext | None = None


@asynccontextmanager
async def client(
    setting: Setting, proxy: FaultProxy, attempt_timeout: float, **options: Any
) -> AsyncGenerator[tuple[CustomerApi, RetryClock]]:
    clock = RetryClock(proxy)
    settings: dict[str, Any] = {
        "endpoint": proxy.url,
        "attempt_timeout": attempt_timeout,
        # So that a place that is not given back is missed
        "max_in_flight": 1,
        "clock": clock,
        **options,
    }
    async with AsyncExitStack() as stack:
        if setting.library is not None:
            settings["http_client"] = await stack.enter_async_context(
                setting.library.AsyncClient(verify=setting.trust, trust_env=False)
            )
        yield await stack.enter_async_context(CustomerApi(KEY, **settings)), clock


async def outcome_of(row: Row, kind: Kind, setting: Setting) -> str:
    """What the call of a cell comes to; the one after it must be well."""
    service = setting.service
    faults = [NONE] * kind.is_warm + [row.fault] * kind.faults
    before, number, after = (next(NUMBERS) for _ in range(3))
    with FaultProxy(service.endpoint, faults, tls=setting.tls) as proxy:
        attempt_timeout = LATE_AFTER if row.outcome == LATE else CELL_LIMIT
        async with client(setting, proxy, attempt_timeout) as (api, clock):
            if kind.is_warm:
                assert await called(api, service, before, kind) == RESULT
            outcome = await called(api, service, number, kind)
            retries = clock.retries
            if outcome == row.outcome and outcome not in {BROKEN, UNSENT, LATE}:
                assert await proxy.has_met(kind.is_warm + retries + 1)
            proxy.befall()
            # httpcore's own pool does go on with a connection on which more is left.
            if not row.leaves or setting.library is None:
                assert await called(api, service, after, kind) == RESULT
                assert clock.retries == retries
                assert service.acted_on(after) == 1
            assert await proxy.has_open(1)
        assert await proxy.has_open(0)
    return f"{outcome}; {retries} retries, acted on {service.acted_on(number)} times"


async def check(rows: dict[str, Row], kinds: Iterable[str], setting: Setting) -> None:
    """All cells at once, but of those that need no waiting a few at a time."""
    cells = {
        f"{kind}: {name}": (row, KINDS[kind])
        for name, row in rows.items()
        for kind in kinds
        # Of what is not tried again the other kinds tell, and of what takes long "read" is enough.
        if kind != "read in vain" or ("transient" in row.outcome and row.outcome != LATE)
    }
    outcomes: dict[str, str] = {}
    a_few, many = anyio.CapacityLimiter(6), anyio.CapacityLimiter(len(cells))

    async def play(name: str, row: Row, kind: Kind) -> None:
        async with many if row.outcome == LATE else a_few:
            outcomes[name] = "hangs"
            with anyio.move_on_after(CELL_LIMIT):
                try:
                    outcomes[name] = await outcome_of(row, kind, setting)
                except AssertionError as wrong:
                    outcomes[name] = str(wrong)

    async with anyio.create_task_group() as tasks:
        for name, (row, kind) in cells.items():
            tasks.start_soon(play, name, row, kind)
    # What nobody closed is a warning, and so an error.
    gc.collect()
    assert [
        f"{name}: {outcomes[name]}, not: {expected(row, kind)}"
        for name, (row, kind) in cells.items()
        if outcomes[name] != expected(row, kind)
    ] == []


@pytest.fixture(scope="module")
def nobody() -> ssl.SSLContext:
    """Trusts nobody, which is quickly made."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def test_own_connections(service: Service, nobody: ssl.SSLContext) -> None:
    setting = Setting(service, None, nobody)

    await check(CONNECTING | ROWS, ["write", "read", "read in vain"], setting)
    await check(ROWS, ["warm write", "warm read"], setting)
    await check(LONG, ["long write"], setting)


async def test_a_borrowed_client_of_httpx(service: Service, nobody: ssl.SSLContext) -> None:
    setting = Setting(service, httpx, nobody)

    await check(CONNECTING | ROWS, ["write", "read"], setting)
    await check(ROWS, ["warm write"], setting)


async def test_a_borrowed_client_of_httpx2(service: Service, nobody: ssl.SSLContext) -> None:
    await check(CONNECTING | ROWS, ["write"], Setting(service, httpx2, nobody))


async def test_tls(
    service: Service, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = trusting(authority)
    monkeypatch.setattr(httpx, "create_ssl_context", lambda: trusted)
    setting = Setting(service, None, trusted, certified(authority))

    await check(HANDSHAKE | ROWS, ["write"], setting)


# Every byte


def without_length(fault: Fault) -> Fault:
    return replace(fault, rewrite=lie("HTTP/1.0 200 OK").rewrite)


def in_chunks(fault: Fault) -> Fault:
    return replace(
        fault,
        rewrite=chunked(
            lambda body: b"9\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:9], len(body) - 9, body[9:])
        ).rewrite,
    )


WALKS: Final[dict[str, tuple[str, Act, Callable[[Fault], Fault], float]]] = {
    "write, reset": ("write", Act.RESET, lambda fault: fault, CELL_LIMIT),
    "write, closed": ("write", Act.HALF_CLOSE, lambda fault: fault, CELL_LIMIT),
    "write, closed in chunks": ("write", Act.HALF_CLOSE, in_chunks, CELL_LIMIT),
    "write, closed without a length": ("write", Act.HALF_CLOSE, without_length, CELL_LIMIT),
    "write, stalled": ("write", Act.STALL, lambda fault: fault, 0.3),
    "read, closed": ("read", Act.CLOSE, lambda fault: fault, CELL_LIMIT),
}


@pytest.mark.parametrize("walk", WALKS)
async def test_every_byte(service: Service, nobody: ssl.SSLContext, walk: str) -> None:
    name, act, rewritten, attempt_timeout = WALKS[walk]
    kind = KINDS[name]
    setting = Setting(service, None, nobody)
    outcomes: Counter[str] = Counter()
    # A key that has proven good may be used by many at once.
    budget = MemoryBudget(limit=1_000_000)

    with FaultProxy(service.endpoint, [rewritten(Fault(act=Act.HALF_CLOSE))]) as proxy:
        async with client(setting, proxy, CELL_LIMIT, budget=budget) as (api, _):
            assert await called(api, service, next(NUMBERS), kind) == RESULT
        head, _, body = proxy.last_answer.partition(b"\r\n\r\n")
        numbers = [next(NUMBERS) for _ in range(len(head) + 4 + len(body))]
        proxy.befall(rewritten(Fault(HEAD, after, act)) for after in range(len(numbers)))
        async with client(
            setting, proxy, attempt_timeout, budget=budget, attempts=1, max_in_flight=100
        ) as (api, _):

            async def call(number: int) -> None:
                outcomes[await called(api, service, number, kind)] += 1

            async with anyio.create_task_group() as tasks:
                for number in numbers:
                    tasks.start_soon(call, number)
            if act is not Act.STALL:
                assert await called(api, service, next(NUMBERS), kind) == RESULT
        assert await proxy.has_open(0)

    acted = {service.acted_on(number) for number in numbers}
    if act is Act.STALL:
        assert outcomes == {LATE: len(numbers)}
        assert acted <= {0, 1}
    else:
        # Without a length the body's end is where the envelope ends.
        broken = len(head) + 4 if walk.endswith("without a length") else len(numbers)
        assert outcomes == Counter({BROKEN: broken, INVALID: len(numbers) - broken})
        assert acted == {1}
