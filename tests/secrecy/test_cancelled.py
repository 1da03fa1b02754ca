"""No cancelled call, and no time limit around one, shows the key."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncGenerator, Callable
from typing import Final

import anyio
import httpx
import pytest
import sniffio

from dasp_async import CustomerApi
from tests.secrecy.calls import Notes, api
from tests.secrecy.faults import sends_half
from tests.secrecy.remains import assert_hidden
from tests.secrecy.search import JOB, KEY
from tests.servers import Behaviour, RawServer, Wire, is_silent

pytestmark = [
    pytest.mark.usefixtures("no_proxies"),
    pytest.mark.filterwarnings(
        "ignore:Async generator 'http:ResourceWarning", "ignore:unclosed:ResourceWarning"
    ),
]


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
    "in the body": (sends_half, None, "http"),
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
    phase: str, left_behind: Callable[..., list[str]]
) -> None:
    notes = Notes()
    async with _to_be_stopped(phase) as client:
        with pytest.raises(TimeoutError) as caught:
            with anyio.fail_after(0.15):
                await notes.passing(client.get_job_status(JOB))

    assert len(notes.caught) == 1
    assert not isinstance(notes.caught[0], Exception)
    assert_hidden(notes.caught[0], KEY)
    assert_hidden(caught.value, KEY)
    assert left_behind(KEY) == []


@pytest.mark.parametrize("phase", STOPPED)
async def test_no_time_limit_of_asyncio_shows_the_key(
    phase: str, left_behind: Callable[..., list[str]]
) -> None:
    _only_on_asyncio()
    async with _to_be_stopped(phase) as client:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.15):
                await client.get_job_status(JOB)
        with pytest.raises(TimeoutError) as in_a_task:
            await asyncio.wait_for(client.poll_until_done(JOB), 0.15)

    for error in (caught.value, in_a_task.value):
        assert isinstance(error.__cause__, asyncio.CancelledError)
        assert_hidden(error, KEY)
    assert left_behind(KEY) == []


async def test_no_cancelled_task_of_asyncio_shows_the_key(
    left_behind: Callable[..., list[str]],
) -> None:
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
    assert left_behind(KEY) == []


async def test_a_cancelled_wait_for_others_shows_no_key(
    left_behind: Callable[..., list[str]],
) -> None:
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
    assert left_behind(KEY) == []


def _only_on_asyncio() -> None:
    if sniffio.current_async_library() != "asyncio":
        pytest.skip("asyncio's own")
