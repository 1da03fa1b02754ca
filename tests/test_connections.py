"""What the own client's connections stand on, over real sockets."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from anyio.abc import ByteStream, SocketAttribute, SocketStream

from dasp_async import CustomerApi, HttpError, SoapVersion
from dasp_async.transport import connections
from dasp_async.transport.connections import Connections
from tests.servers import RawServer, Wire, answer, replies, replies_and_closes

KEY = "test-key"


def job(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


async def at_once(api: CustomerApi, count: int) -> None:
    async with anyio.create_task_group() as group:
        for number in range(1, count + 1):
            group.start_soon(api.get_job_status, job(number))


@asynccontextmanager
async def client_keeping(keep_alive: int) -> AsyncGenerator[httpx.AsyncClient]:
    transport = Connections(ssl.create_default_context(), keep_alive=keep_alive)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as http:
        yield http


async def test_the_connection_that_came_back_last_goes_out_first() -> None:
    with RawServer(replies(answer())) as server:
        async with client_keeping(10) as http:
            first = await http.send(http.build_request("GET", server.url), stream=True)
            second = await http.send(http.build_request("GET", server.url), stream=True)
            local = second.extensions["network_stream"].get_extra_info("client_addr")
            await first.aread()
            await first.aclose()
            await second.aread()
            await second.aclose()
            third = await http.get(server.url)
            assert third.extensions["network_stream"].get_extra_info("client_addr") == local
        assert server.connections == 2


async def test_no_more_than_asked_for_stay_open() -> None:
    with RawServer(replies(answer())) as server:
        async with CustomerApi(KEY, endpoint=server.url, max_in_flight=8) as api:
            await at_once(api, 8)
            assert server.open_connections == 8
        assert await server.comes_to(lambda it: it.open_connections == 0)
        async with client_keeping(3) as http:
            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(http.get, server.url)
            assert await server.comes_to(lambda it: it.open_connections == 3)


async def test_what_is_idle_for_too_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(replies(answer())) as server:
        async with client_keeping(10) as http:
            async with anyio.create_task_group() as group:
                for _ in range(4):
                    group.start_soon(http.get, server.url)
            assert server.open_connections == 4
            monkeypatch.setattr(connections, "KEEP_ALIVE_EXPIRY", -1.0)
            await http.get(server.url)
            assert await server.comes_to(lambda it: it.open_connections == 0)


async def test_a_connection_that_its_server_closed_is_replaced() -> None:
    with RawServer(replies_and_closes(answer()), replies(answer())) as server:
        async with CustomerApi(KEY, endpoint=server.url) as api:
            await api.get_job_status(job(1))
            assert await server.comes_to(lambda it: it.open_connections == 0)
            await api.get_job_status(job(1))
        assert (server.connections, len(server.requests)) == (2, 2)


async def test_what_fails_leaves_no_connection() -> None:
    def half(wire: Wire) -> None:
        wire.receive()
        wire.send(answer()[:200])

    with RawServer(half) as server:
        async with client_keeping(10) as http:
            for _ in range(3):
                with pytest.raises(httpx.RemoteProtocolError):
                    await http.get(server.url)
            assert await server.comes_to(lambda it: it.open_connections == 0)


async def test_a_body_that_is_not_read_leaves_no_connection() -> None:
    with RawServer(replies(answer(b"x" * 1_000_000))) as server:
        async with client_keeping(10) as http:
            response = await http.send(http.build_request("GET", server.url), stream=True)
            await response.aclose()
            assert await server.comes_to(lambda it: it.open_connections == 0)
            assert len((await http.get(server.url)).content) == 1_000_000


async def test_closing_twice_frees_a_connection_once() -> None:
    with RawServer(replies(answer())) as server:
        async with client_keeping(10) as http:
            response = await http.send(http.build_request("GET", server.url), stream=True)
            await response.stream.aclose()  # type: ignore[union-attr]
            await response.aclose()
            await http.get(server.url)
            await http.get(server.url)


async def test_hundreds_at_once_are_a_connection_each_and_then_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "KEEP_ALIVE_EXPIRY", 300.0)
    with RawServer(replies(answer())) as server:
        async with CustomerApi(
            KEY, endpoint=server.url, max_in_flight=300, version=SoapVersion.SOAP_1_2
        ) as api:
            for _ in range(3):
                await at_once(api, 300)
            assert server.connections <= 300
            assert len(server.requests) == 900
        assert await server.comes_to(lambda it: it.open_connections == 0)


async def test_head_and_body_leave_together() -> None:
    chunks: list[bytes] = []

    async def serve(stream: SocketStream) -> None:
        async with stream:
            chunks.append(await stream.receive())
            await stream.send(answer())

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as group,
    ):
        group.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - not Django's
        async with CustomerApi(KEY, endpoint=f"http://127.0.0.1:{port}/") as api:
            await api.get_job_status(job(1))
        group.cancel_scope.cancel()
    (request,) = chunks
    assert request.startswith(b"POST / ")
    assert request.endswith(b"</soap:Envelope>")


async def test_an_answer_counts_though_the_server_took_no_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Deaf(ByteStream):
        async def send(self, item: bytes) -> None:  # noqa: ARG002 - anyio's
            raise anyio.BrokenResourceError

        async def receive(self, max_bytes: int = 65536) -> bytes:  # noqa: ARG002 - anyio's
            return answer(status="413 Content Too Large")

        async def send_eof(self) -> None:
            raise AssertionError

        async def aclose(self) -> None:
            """Nothing is open."""

    async def connect_tcp(**_: object) -> ByteStream:
        return Deaf()

    monkeypatch.setattr(anyio, "connect_tcp", connect_tcp)
    async with CustomerApi(KEY, endpoint="http://127.0.0.1/") as api:
        with pytest.raises(HttpError) as caught:
            await api.get_job_status(job(1))
    assert caught.value.status_code == 413


async def test_no_cookie_is_kept() -> None:
    with RawServer(replies(answer(headers={"Set-Cookie": "a=b"}))) as server:
        async with CustomerApi(KEY, endpoint=server.url) as api:
            await api.get_job_status(job(1))
            await api.get_job_status(job(2))
    assert all("Cookie" not in dict(request.headers) for request in server.requests)
