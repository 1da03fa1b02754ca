"""What trackers make of a client shows no secret: Sentry, OpenTelemetry, asyncio's debug mode."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import pickle
import subprocess
import sys
from typing import Any, Final

import httpx
import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dasp_async import CustomerApi, DaspError, Outcome, to_python
from dasp_async.testing import FakeCustomerApi, JobRecord
from tests.conftest import BACKENDS
from tests.secrecy.calls import CALLS, ECHOED, Notes, api
from tests.secrecy.conftest import SERVERS_OWN_WORDS
from tests.secrecy.faults import CAP, FAULTS
from tests.secrecy.remains import assert_hidden, holders, walked
from tests.secrecy.search import JOB, KEY, KEYS, PASSWORD, found
from tests.servers import RawServer, answer, replies

PATH: Final = "/1.0/customerapi.asmx"
SECRETS: Final = [KEYS["with signs"], PASSWORD]
NOT_HTTP: Final = {
    "not HTTP",
    "a status that is none",
    "a header that is none",
    "a chunk that is none",
}
asyncio_only = pytest.mark.parametrize("anyio_backend", BACKENDS[:1], indirect=True)


def test_no_event_of_sentry_shows_a_secret() -> None:
    # In a process of its own, since Sentry changes the libraries that it watches.
    app = subprocess.run(
        [sys.executable, "-m", "tests.secrecy.sentry_app"],
        stdout=subprocess.PIPE,
        timeout=50,
        check=True,
    )
    told: dict[str, tuple[int, list[str]]] = json.loads(app.stdout)
    assert len(told) == len(FAULTS) * len(ECHOED)
    assert min(length for length, _ in told.values()) > 5000
    leaks = {call for call, (_, pieces) in told.items() if pieces}
    # One that is known, see test_faults
    assert {call for call in leaks if not call.startswith("cut in the key")} == set()


@asyncio_only
async def test_no_span_of_opentelemetry_shows_a_secret() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    key, spans, leaks = KEYS["with signs"], 0, set[str]()
    for fault, row in FAULTS.items():
        with RawServer(row.serve([key, PASSWORD]), **row.server()) as server:
            # What trusts nobody is made in no time.
            async with httpx.AsyncClient(verify=False, auth=("user", PASSWORD)) as http:  # noqa: S501
                HTTPXClientInstrumentor.instrument_client(http, tracer_provider=provider)
                for name in ("sm_add_user",):
                    # A limit, since it trusts the server of "no trust", which is silent.
                    limits = {"max_response_bytes": CAP, "attempt_timeout": 0.5}
                    options = {**limits, **row.options, "http_client": http}
                    with pytest.raises(DaspError):
                        await CALLS[name](api(key, server.url, **options))
        told = "\n".join(span.to_json() for span in exporter.get_finished_spans())
        spans += len(exporter.get_finished_spans())
        exporter.clear()
        leaks |= {fault} if found(told, SECRETS) else set()
    # Where the borrowed client's own error quotes what was no HTTP, which is not ours to clean
    assert leaks <= NOT_HTTP
    assert spans == len(FAULTS)


@asyncio_only
async def test_no_log_of_asyncios_debug_mode_shows_a_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(1)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    # Everything is slow, and so is logged.
    loop.slow_callback_duration = 0.0
    key = KEYS["with signs"]
    for fault in ("a fault", "a text", "closed", "silent"):
        row = FAULTS[fault]
        with RawServer(row.serve([key, PASSWORD])) as server:
            async with api(key, server.url, **row.options) as client:
                for name in ECHOED:
                    with pytest.raises(DaspError):
                        await CALLS[name](client)
    told = [record.getMessage() for record in caplog.records]
    assert any(text.startswith("Executing <") for text in told)
    ours = [text for text in told if not text.startswith(SERVERS_OWN_WORDS)]
    assert found("\n".join(ours), SECRETS) == []


async def test_no_result_shows_a_secret() -> None:
    fake = FakeCustomerApi(KEY)
    failed = fake.add_job(JobRecord(status="Failed", job_name=KEY, error_message=f"no key {KEY}"))
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(fake)) as http,
        CustomerApi(KEY, endpoint=f"http://127.0.0.1{PATH}", http_client=http) as client,
    ):
        await CALLS["sm_add_user"](client)
        results: list[Any] = [await client.get_job_status(failed), fake.calls, client]
        async with client.poll_many([failed]) as outcomes:
            results += [outcome async for outcome in outcomes]
    for result in results:
        assert found("\n".join(walked(result, set())), [KEY, PASSWORD]) == []
    status, *_, outcome = results
    assert isinstance(outcome, Outcome)
    for result in (status, outcome):
        assert found(pickle.dumps(result).decode("utf-8", "replace"), [KEY]) == []
        assert holders(result, [KEY]) == set()


@asyncio_only
async def test_no_element_of_an_answer_shows_a_secret() -> None:
    key = KEYS["with signs"]
    echoed = answer(
        b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>"
        b"<XResponse xmlns='http://api.discountasp.net/'><XResult a='%s'>"
        b"NOT&lt;A>REAL&amp;KEY \"0123' +/%%\xc3\xa9\\</XResult></XResponse></s:Body></s:Envelope>"
        % html.escape(PASSWORD).encode()
    )
    with RawServer(replies(echoed)) as server:
        async with api(key, server.url) as client:
            element = await client.call("X", {"password": PASSWORD})
    shown = f"{to_python(element)!r} {dict(element[0].attrib)!r}"
    assert "***" in shown
    assert found(shown, [key, PASSWORD]) == []


@pytest.mark.parametrize(
    "status",
    ["407 no", "407 ECHO"],
)
async def test_no_error_shows_the_password_of_a_proxy(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxy refuses, and says what it was sent."""
    quoted, notes = "pass-of-a-proxy-0123", Notes()
    basic = base64.b64encode(f"user:{quoted}".encode()).decode()
    head = f"HTTP/1.1 {status.replace('ECHO', f'{quoted} {basic}')}\r\n\r\n".encode()
    with RawServer(replies(head)) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url.replace("//", f"//user:{quoted}@"))
        async with api(KEY, "https://dasp.invalid/") as client:
            for name in ECHOED:
                with pytest.raises(DaspError):
                    await notes.passing(CALLS[name](client))
            shown = [repr(client), *walked(client, set())]
        assert server.requests[0].line.startswith("CONNECT")
    assert found("\n".join(shown), [quoted]) == []
    for error in notes.caught:
        assert_hidden(error, quoted, KEY, PASSWORD)


@pytest.mark.parametrize(
    "proxy", ["http://user:{}@127.0.0.1:1", "socks9://user:{}@x", "http://u:{}@:x"]
)
async def test_no_proxy_that_fails_shows_its_password(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quoted, notes = "pass-of-a-proxy-0123", Notes()
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(quoted))
    async with api(KEY, "https://dasp.invalid/") as client:
        with pytest.raises(DaspError):
            await notes.passing(client.get_job_status(JOB))
    assert_hidden(notes.caught[0], quoted, KEY)


async def _hook(response: httpx.Response) -> None:
    sent = response.request.content.decode()
    # Not all of it, since of a long text only the beginning is told.
    raise ValueError([sent.partition(begin)[2][:70] for begin in ("<key>", "assword>")])


@pytest.mark.parametrize(
    "name",
    ["get_job_status", "sm_add_user", "call, nested"],
)
async def test_no_hook_of_a_borrowed_client_shows_what_was_sent(name: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    notes = Notes()
    async with (
        httpx.AsyncClient(
            transport=transport, event_hooks={"response": [_hook]}, auth=("user", PASSWORD)
        ) as http,
        api(KEY, "https://dasp.invalid/", http_client=http) as client,
    ):
        with pytest.raises(DaspError):
            await notes.passing(CALLS[name](client))
    assert_hidden(notes.caught[0], KEY, PASSWORD)
