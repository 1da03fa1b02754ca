"""The client on aiohttp that examples/ has, through the troubles that the own client is put to."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from runpy import run_path
from typing import Any, Final

import aiohttp
import anyio
import pytest
import trustme

from dasp_async import (
    AttemptTimeout,
    CustomerApi,
    HttpError,
    InvalidResponse,
    JobState,
    SoapFault,
    SoapVersion,
    TransportError,
)
from dasp_async.cli.fake import serving
from dasp_async.testing import FakeClock, FakeCustomerApi
from tests.servers import (
    Behaviour,
    RawServer,
    Wire,
    answer,
    certified,
    replies,
    replies_and_closes,
    sample,
    trusting,
)
from tests.test_network import BROKEN_OFF, SLOW

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "on_aiohttp.py"
AiohttpClient: Final[Any] = run_path(str(EXAMPLE))["AiohttpClient"]
KEY: Final = "test-key"
JOB: Final = "00000000-0000-0000-0000-000000000001"


# Without trio, which aiohttp does not know
@pytest.fixture(
    params=[("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@asynccontextmanager
async def api(
    url: str, *, context: ssl.SSLContext | bool = True, **options: Any
) -> AsyncGenerator[CustomerApi]:
    settings: dict[str, Any] = {"attempts": 1, "attempt_timeout": 15.0, **options}
    connector = aiohttp.TCPConnector(limit=0, ssl=context)
    async with (
        aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session,
        CustomerApi(KEY, endpoint=url, http_client=AiohttpClient(session), **settings) as client,
    ):
        yield client


async def failure(client: CustomerApi) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await client.get_job_status(JOB)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("case", BROKEN_OFF)
async def test_an_answer_that_is_broken_off_may_have_had_an_effect(case: str) -> None:
    with RawServer(BROKEN_OFF[case][0]) as server:
        async with api(server.url) as client:
            error = await failure(client)

    assert type(error) is TransportError
    assert (error.transient, error.maybe_sent) == (True, True)


# Its parser does not wait for the rest of a first line that can't become one.
@pytest.mark.parametrize("case", sorted(SLOW.keys() - {"first line"}))
async def test_the_time_limit_is_for_the_whole_attempt(case: str) -> None:
    with RawServer(SLOW[case]) as server:
        async with api(server.url, attempt_timeout=0.3) as client:
            error = await failure(client)

            assert isinstance(error, AttemptTimeout)
            assert (error.transient, error.maybe_sent) == (True, True)
            assert await server.comes_to(lambda it: it.open_connections == 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_refused_connection_sent_nothing(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    async with api(f"http://{host}:{port}/") as client:
        error = await failure(client)

    assert (error.transient, error.maybe_sent) == (True, False)
    assert "refused" in str(error).lower() or "Connect call failed" in str(error)


async def test_a_certificate_that_nobody_vouches_for_ends_the_call_for_good() -> None:
    authority = trustme.CA()
    with RawServer(replies(answer()), tls=certified(authority)) as server:
        async with api(server.url, attempts=3) as client:
            error = await failure(client)
        async with api(server.url, context=trusting(authority)) as client:
            status = await client.get_job_status(JOB)

    assert (error.transient, error.maybe_sent) == (False, False)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert status.state is JobState.DONE


async def test_a_read_recovers_from_a_connection_that_closes_under_it() -> None:
    def closes_on_the_second(wire: Wire) -> None:
        wire.receive()
        wire.send(answer())
        wire.receive()

    with RawServer(closes_on_the_second, replies(answer())) as server:
        async with api(server.url, attempts=2, clock=FakeClock()) as client:
            await client.get_job_status(JOB)
            status = await client.get_job_status(JOB)

        assert status.state is JobState.DONE
        assert (server.connections, len(server.requests)) == (2, 3)


async def test_a_write_is_not_sent_again() -> None:
    with RawServer(replies_and_closes(b""), replies(answer())) as server:
        async with api(server.url, attempts=3) as client:
            with pytest.raises(TransportError) as caught:
                await client.start_job("Sql2012CreateBackup", {"databaseName": "my-database"})

        assert caught.value.maybe_sent
        assert len(server.requests) == 1


LONG: Final[dict[str, Behaviour]] = {
    "plain": replies(answer(b" " * 100_000)),
    "gzip": replies(answer(gzip.compress(bytes(10_000_000)), headers={"Content-Encoding": "gzip"})),
}


@pytest.mark.parametrize("case", LONG)
async def test_a_body_is_refused_at_the_cap(case: str) -> None:
    with RawServer(LONG[case]) as server:
        async with api(server.url, max_response_bytes=50_000) as client:
            with pytest.raises(InvalidResponse):
                await client.get_job_status(JOB)


async def test_a_redirect_is_not_followed() -> None:
    with RawServer(replies(answer())) as elsewhere:
        moved = answer(status="307 Temporary Redirect", headers={"Location": elsewhere.url})
        with RawServer(replies(moved)) as server:
            async with api(server.url) as client:
                with pytest.raises(HttpError):
                    await client.get_job_status(JOB)
        assert elsewhere.connections == 0


@pytest.mark.parametrize("version", SoapVersion)
async def test_a_fault_is_one(version: SoapVersion) -> None:
    fault = answer(
        sample(f"soap{version.value.replace('.', '')}/wrong-key"),
        status="500 Internal Server Error",
        content_type=f"{version.media_type}; charset=utf-8",
    )
    with RawServer(replies(fault)) as server:
        async with api(server.url, version=version) as client:
            with pytest.raises(SoapFault):
                await client.get_job_status(JOB)


async def test_a_cancelled_call_leaves_no_connection() -> None:
    with RawServer(SLOW["body"]) as server:
        async with api(server.url) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(client.get_job_status, JOB)
                assert await server.comes_to(lambda it: len(it.requests) == 1)
                group.cancel_scope.cancel()
            assert await server.comes_to(lambda it: it.open_connections == 0)


async def test_calls_at_once_use_a_connection_each_at_most_and_keep_them() -> None:
    with RawServer(replies(answer())) as server:
        async with api(server.url, max_in_flight=20) as client:
            for _ in range(3):
                async with anyio.create_task_group() as group:
                    for number in range(1, 21):
                        group.start_soon(
                            client.get_job_status, f"00000000-0000-0000-0000-{number:012}"
                        )
        assert server.connections <= 20
        assert len(server.requests) == 60


def test_the_example_waits() -> None:
    fake = FakeCustomerApi(KEY)
    job_id = fake.add_job("Completed")
    with serving(fake) as endpoint:
        run = subprocess.run(  # noqa: S603 - our own interpreter and example
            [sys.executable, EXAMPLE, str(job_id)],
            env={**os.environ, "DASP_API_KEY": KEY, "DASP_ENDPOINT": endpoint},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (run.returncode, run.stdout, run.stderr) == (0, "Completed\n", "")
