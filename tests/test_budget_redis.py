"""What only a `RedisBudget` can do, or can get into, on a real server."""

from __future__ import annotations

import math
import signal
import socket
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread
import pytest
import redis
import redis.asyncio

from dasp_async import RedisBudget
from dasp_async.budget import (
    Admission,
    Admitted,
    Caller,
    Verdict,
    Waiting,
)
from dasp_async.errors import CallRefused
from dasp_async.testing import FakeClock
from tests.redis_server import PROGRAM, WHY_NOT, RedisServer

KEY: Final = "a-key-that-must-not-be-stored"
CALLER: Final = Caller.of(KEY, "https://site.invalid/that-must-not-be-stored")
ANY_ADVICE: Final = (
    "see to it that it is a Redis server of version 5 or newer, whose user may use the keys "
    "{dasp_async}:* and the commands @read, @write, @scripting and time"
)
PASSWORD: Final = "swordfish-in-an-address"


async def prove(budget: RedisBudget) -> None:
    answer = await budget.admit(CALLER, None)
    assert isinstance(answer, Admitted)
    await budget.settle(CALLER, answer.call, Verdict.GOOD)


async def refusal(budget: RedisBudget) -> str:
    """Why no call is let out; the error holds nothing of the client's."""
    with pytest.raises(CallRefused) as caught:
        await budget.admit(CALLER, None)
    assert caught.value.__context__ is None
    return str(caught.value)


async def told(server: RedisServer, *words: str) -> Any:
    """What a server answers to a command."""
    return await anyio.to_thread.run_sync(server.ask, *words)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that a test may stop."""
    if PROGRAM is None:
        pytest.skip(WHY_NOT)
    with RedisServer(tmp_path) as server:
        yield server


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# -- arguments


@pytest.mark.parametrize(
    ("server", "error"),
    [
        (f"http://:{PASSWORD}@host", ValueError),
        (f"redis://:{PASSWORD}@host:{PASSWORD}/0", ValueError),
        (f"redis://[{PASSWORD}", ValueError),
        ("", ValueError),
        (None, TypeError),
        (3, TypeError),
        (redis.asyncio.Redis(), TypeError),
        (redis.Redis, TypeError),
    ],
)
def test_what_is_no_server(server: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"client_or_url must be (an address|a redis\.Redis)") as caught:
        RedisBudget(server)
    lines = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    # The frame of this test holds it, of course.
    ours = [line for line in lines if __file__ not in line]
    assert PASSWORD not in "".join(ours)


class Revealing(redis.asyncio.Redis):
    """A client whose repr shows its password, as that of redis 6 does."""

    def __repr__(self) -> str:
        return PASSWORD


@pytest.mark.parametrize("settings", [{}, {"limit": 0}])
def test_no_traceback_shows_a_client_that_was_passed_in(settings: dict[str, Any]) -> None:
    untyped: Any = Revealing
    with pytest.raises((TypeError, ValueError)) as caught:
        RedisBudget(untyped(), **settings)
    trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert PASSWORD not in "".join(trace.stack[-1].locals or {})
    assert PASSWORD not in str(trace.stack[-1].locals)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        return None

    monkeypatch.setattr("dasp_async.budget.redis.find_spec", missing)
    with pytest.raises(ImportError, match=r'pip install "dasp_async\[redis\]"'):
        RedisBudget("redis://127.0.0.1")


async def test_constructing_opens_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        budget = RedisBudget(f"redis://:{PASSWORD}@127.0.0.1:{server.getsockname()[1]}/0")
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert PASSWORD not in repr(budget)


@pytest.mark.parametrize("decode", [False, True])
async def test_a_client_that_is_passed_in(redis_server: RedisServer, decode: bool) -> None:
    untyped: Any = redis.Redis
    with untyped.from_url(redis_server.url, decode_responses=decode) as client:
        budget = RedisBudget(client, limit=3)
        await prove(budget)
        assert await RedisBudget(redis_server.url, limit=3).remaining(KEY) == 2
        assert await budget.remaining() == 2
        await anyio.to_thread.run_sync(client.ping)


# -- what is on the server


async def test_only_hashes_are_on_the_server_and_most_of_it_not_for_long(
    redis_server: RedisServer,
) -> None:
    budget = RedisBudget(redis_server.url, limit=100, window=100.0)
    answer = await budget.admit(CALLER, Waiting("process", 1))
    assert isinstance(answer, Admitted)
    await budget.settle(CALLER, answer.call, Verdict.FAULT)
    await budget.admit(CALLER, Waiting("process", 1))
    names = [name.decode() for name in await told(redis_server, "KEYS", "*")]
    assert all(name.startswith("{dasp_async}:") for name in names)
    dumps = [await told(redis_server, "DUMP", name) for name in names]
    written = "".join(names).encode() + b"".join(dumps)
    lasting = {
        name.partition(":")[2] for name in names if await told(redis_server, "TTL", name) == -1
    }
    assert CALLER.account.encode() in written
    assert not [text for text in (KEY, "must-not-be-stored") if text.encode() in written]
    assert lasting == {"standings", "marks", "sequence"}


async def test_the_server_keeps_no_more_than_a_window(
    redis_server: RedisServer,
) -> None:
    clock = FakeClock()
    budget = RedisBudget(redis_server.url, limit=100, window=100.0, clock=clock)
    await prove(budget)
    for _ in range(300):
        clock.advance(1)
        assert isinstance(await budget.admit(CALLER, None), Admitted)
    calls = await told(redis_server, "ZCARD", f"{{dasp_async}}:calls:{CALLER.account}")
    marks = await told(redis_server, "ZCARD", "{dasp_async}:marks")
    assert (calls, marks) == (100, 0)


async def test_the_clock_is_the_servers(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = RedisBudget(redis_server.url, limit=10)
    await prove(budget)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 400 * 86_400)
    await prove(budget)
    assert await budget.remaining(KEY) == 8


# -- trouble


async def test_a_server_that_is_not_there() -> None:
    text = await refusal(RedisBudget(f"redis://:{PASSWORD}@127.0.0.1:{unused_port()}/0"))
    assert text.startswith("no call without its count, and Redis can't keep it: Error")
    assert text.endswith("start it, or give the address of one that runs")
    assert PASSWORD not in text


async def test_a_server_that_goes_and_comes_back_counts_on(own_server: RedisServer) -> None:
    budget = RedisBudget(own_server.url, limit=10)
    await prove(budget)
    await anyio.to_thread.run_sync(own_server.stop)
    for _ in range(2):
        with pytest.raises(CallRefused, match="start it, or give the address") as caught:
            await budget.admit(CALLER, None)
        assert caught.value.transient
    await anyio.to_thread.run_sync(own_server.start)
    assert isinstance(await budget.admit(CALLER, None), Admitted)
    assert await budget.remaining(KEY) == 8


@pytest.mark.parametrize(
    ("spoil", "advice"),
    [
        ("REPLICAOF 127.0.0.1 1", "give the address of the primary server"),
        ("CONFIG SET requirepass secret", "mend the user's name and password in its address"),
        (
            "ACL SETUSER default -@scripting",
            ANY_ADVICE,
        ),
        (
            "ACL SETUSER default -time",
            ANY_ADVICE,
        ),
        (
            "SET {dasp_async}:standings text",
            ANY_ADVICE,
        ),
    ],
)
async def test_a_server_that_can_not_keep_the_count(
    own_server: RedisServer, spoil: str, advice: str
) -> None:
    await told(own_server, *spoil.split())
    assert (await refusal(RedisBudget(own_server.url))).endswith("; " + advice)


async def test_a_full_server_counts_on(own_server: RedisServer) -> None:
    await told(own_server, "CONFIG", "SET", "maxmemory", "1")
    budget = RedisBudget(own_server.url)
    for _ in range(3):
        await prove(budget)
    assert await budget.remaining() == 1000 - 3


async def test_the_loop_runs_on_while_the_server_is_stuck(own_server: RedisServer) -> None:
    budget = RedisBudget(own_server.url)
    await prove(budget)
    answers: list[Admission] = []

    async def ask() -> None:
        answers.append(await budget.admit(CALLER, None))

    own_server.signal(signal.SIGSTOP)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(ask)
        for _ in range(1000):
            await anyio.lowlevel.checkpoint()
        assert answers == []
        own_server.signal(signal.SIGCONT)
    assert answers == [Admitted(0)] * 20
    assert await budget.remaining() == 1000 - 21


async def test_processes_that_are_silent_are_forgotten(redis_server: RedisServer) -> None:
    clock = FakeClock()
    budget = RedisBudget(redis_server.url, limit=math.inf, clock=clock)
    await prove(budget)
    for number in range(5):
        await budget.admit(CALLER, Waiting(f"process {number}", 1))
        clock.advance(601)
    assert await told(redis_server, "HLEN", f"{{dasp_async}}:waits:{CALLER.account}") == 1


async def test_what_python_says_of_an_address_is_not_told() -> None:
    text = await refusal(RedisBudget(f"redis://:1?{PASSWORD}=x@host/0"))
    assert PASSWORD not in text


async def test_without_a_limit_nothing_is_counted(redis_server: RedisServer) -> None:
    budget = RedisBudget(redis_server.url, limit=math.inf)
    await prove(budget)
    names = await told(redis_server, "KEYS", "*")
    assert {name.partition(b":")[2] for name in names} <= {b"standings", b"sequence"}
