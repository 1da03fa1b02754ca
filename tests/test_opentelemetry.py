"""OpenTelemetry on the client that is passed: each attempt is a span in its place, no key."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import anyio
import httpx
import httpx2
import pytest
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor, HTTPXClientInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from dasp_async import CustomerApi, DaspError, JobState, SoapFault
from dasp_async.cli.fake import serving
from dasp_async.testing import (
    DroppedConnection,
    FakeClock,
    FakeCustomerApi,
    Fault,
    RawAnswer,
    Trouble,
)
from tests.secrecy.search import JOB, KEY, found
from tests.servers import RawServer, Wire, answer

URL: Final = "https://dasp.invalid/1.0/customerapi.asmx"
STEPS: Final = ("Pending", "Running", "Completed")
WELL: Final = (200, StatusCode.UNSET)


class Traces:
    """Spans, kept in memory."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @contextmanager
    def span(self, name: str) -> Generator[None]:
        """A span of the caller's own."""
        with self.provider.get_tracer("tests").start_as_current_span(name):
            yield

    @property
    def finished(self) -> tuple[ReadableSpan, ...]:
        """All spans, in the order in which they ended."""
        return self._exporter.get_finished_spans()

    @property
    def attempts(self) -> list[ReadableSpan]:
        """Those of HTTP."""
        return [span for span in self.finished if span.kind is SpanKind.CLIENT]

    def parents(self) -> list[str | None]:
        """The name of the span that each attempt is a child of; None for none."""
        names = {
            (span.context.trace_id, span.context.span_id): span.name
            for span in self.finished
            if span.context is not None
        }
        return [
            None if span.parent is None else names[span.parent.trace_id, span.parent.span_id]
            for span in self.attempts
        ]

    def ends(self) -> list[tuple[Any, StatusCode]]:
        """How each attempt ended: the HTTP status if there was one, and the span's own."""
        return [
            ((span.attributes or {}).get("http.status_code"), span.status.status_code)
            for span in self.attempts
        ]

    def headers(self) -> list[str]:
        """The `traceparent` of each attempt (W3C Trace Context section 3.2)."""
        contexts = [span.context for span in self.attempts if span.context is not None]
        return [
            f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
            for context in contexts
        ]


@pytest.fixture
def traces() -> Traces:
    return Traces()


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> Any:
    return request.param


def traced(library: Any, traces: Traces, **options: Any) -> Any:
    """An HTTP client of the caller's own."""
    client = library.AsyncClient(**options)
    instrumentor = HTTPXClientInstrumentor if library is httpx else HTTPX2ClientInstrumentor
    instrumentor.instrument_client(client, tracer_provider=traces.provider)
    return client


@pytest.fixture
def fake() -> FakeCustomerApi:
    return FakeCustomerApi(KEY, clock=FakeClock())


@pytest.fixture
def api(library: Any, traces: Traces, fake: FakeCustomerApi) -> CustomerApi:
    transport = library.ASGITransport(app=fake)
    http = traced(library, traces, transport=transport)
    return CustomerApi(KEY, endpoint=URL, http_client=http, clock=FakeClock())


async def waited(api: CustomerApi, job: Any) -> None:
    await api.poll_until_done(job)


async def watched(api: CustomerApi, job: Any) -> None:
    assert [status.status async for status in api.watch(job)] == list(STEPS)


async def asked(api: CustomerApi, job: Any) -> None:
    for _ in STEPS:
        await api.get_job_status(job)


@pytest.mark.parametrize("call", [waited, watched, asked])
async def test_each_look_is_a_span_under_the_callers(
    call: Any, api: CustomerApi, fake: FakeCustomerApi, traces: Traces
) -> None:
    job = fake.add_job(*STEPS)
    with traces.span("caller"):
        await call(api, job)
    assert [dict(span.attributes or {}) for span in traces.attempts] == 3 * [
        {"http.method": "POST", "http.url": URL, "http.status_code": 200}
    ]
    assert traces.parents() == 3 * ["caller"]
    assert traces.ends() == 3 * [WELL]
    # Each with its own, so that the service's side could go on with the trace.
    assert [each.headers["traceparent"] for each in fake.calls] == traces.headers()
    assert len(set(traces.headers())) == 3


async def test_looks_of_poll_many_are_under_the_span_in_which_its_block_was_entered(
    api: CustomerApi, fake: FakeCustomerApi, traces: Traces
) -> None:
    jobs = [fake.add_job(*STEPS) for _ in range(3)]
    with traces.span("entering"):
        async with api.poll_many(jobs, concurrency=2) as outcomes:
            with traces.span("reading"):
                assert [outcome.error async for outcome in outcomes] == [None] * 3
    assert traces.parents() == 9 * ["entering"]


async def test_a_shared_look_is_under_the_span_of_the_wait_that_makes_it(
    api: CustomerApi, fake: FakeCustomerApi, traces: Traces
) -> None:
    job = fake.add_job(*STEPS)

    async def wait(name: str) -> None:
        with traces.span(name):
            await api.poll_until_done(job)

    async with anyio.create_task_group() as group:
        for name in ("one", "another"):
            group.start_soon(wait, name)
    assert len(traces.attempts) == len(fake.calls) == 3
    assert set(traces.parents()) <= {"one", "another"}


@pytest.mark.parametrize(
    ("trouble", "end", "events"),
    [
        (RawAnswer("busy", status=503), (503, StatusCode.ERROR), 0),
        (DroppedConnection(), (None, StatusCode.ERROR), 1),
    ],
    ids=["503", "dropped"],
)
async def test_what_is_ridden_out_is_a_span_in_error(
    *,
    trouble: Trouble,
    end: tuple[int | None, StatusCode],
    events: int,
    api: CustomerApi,
    fake: FakeCustomerApi,
    traces: Traces,
) -> None:
    job = fake.add_job("Completed")
    fake.trouble(trouble)
    with traces.span("caller"):
        assert (await api.poll_until_done(job)).state is JobState.DONE
    assert traces.ends() == [end, WELL]
    assert traces.parents() == ["caller", "caller"]
    assert [len(span.events) for span in traces.finished] == [events, 0, 0]


async def test_a_fault_is_a_span_in_error(
    api: CustomerApi, fake: FakeCustomerApi, traces: Traces
) -> None:
    job = fake.add_job(Fault(reason="Deadlock."))
    with pytest.raises(SoapFault), traces.span("caller"):
        await api.get_job_status(job)
    assert traces.ends() == [(500, StatusCode.ERROR)]
    [event] = traces.finished[-1].events
    assert "Deadlock." in str((event.attributes or {})["exception.message"])


def echoes(wire: Wire) -> None:
    """Answer by a fault, and show the key wherever an answer has room for it."""
    wire.receive()
    body = (
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><s:Fault>"
        f"<faultcode>s:Server</faultcode><faultstring>No job for {KEY}</faultstring>"
        "</s:Fault></s:Body></s:Envelope>"
    )
    headers = {"Connection": "close", "X-Key": KEY}
    wire.send(answer(body.encode(), status=f"500 no {KEY}", headers=headers))


def hangs_up(wire: Wire) -> None:
    wire.receive()
    wire.reset()


def breaks_off(wire: Wire) -> None:
    wire.receive()
    wire.send(answer(KEY.encode(), length=1000))


def says_nothing(wire: Wire) -> None:
    wire.receive()
    wire.wait_until_gone()


async def test_the_key_is_in_no_span_and_no_header(library: Any, traces: Traces) -> None:
    behaviours = (echoes, hangs_up, breaks_off, says_nothing)
    with RawServer(*behaviours) as server:
        async with (
            traced(library, traces) as http,
            CustomerApi(
                KEY, endpoint=server.url, http_client=http, attempts=1, attempt_timeout=0.5
            ) as api,
        ):
            for _ in behaviours:
                with suppress(DaspError), traces.span("caller"):
                    await api.get_job_status(JOB)
        sent = [dict(request.headers) for request in server.requests]
    told = "\n".join(span.to_json() for span in traces.finished)
    assert len(traces.attempts) == len(sent) == len(behaviours)
    # What was echoed and what went wrong has come so far, and our errors are in the callers' spans.
    assert "No job for ***" in told
    assert told.count('"exception.stacktrace"') == len(behaviours) + 1
    assert found(told, [KEY]) == []
    assert [headers["traceparent"] for headers in sent] == traces.headers()
    assert found(str(sent), [KEY]) == []


@pytest.fixture
def _all_of_httpx_is_traced(traces: Traces) -> Iterator[None]:
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=traces.provider)
    yield
    instrumentor.uninstrument()


@pytest.fixture
def served(fake: FakeCustomerApi) -> Iterator[str]:
    with serving(fake) as endpoint:
        yield endpoint


@pytest.mark.usefixtures("_all_of_httpx_is_traced")
async def test_an_own_client_has_spans_if_all_of_httpx_has(
    served: str, fake: FakeCustomerApi, traces: Traces
) -> None:
    job = fake.add_job(*STEPS)
    async with CustomerApi(KEY, endpoint=served) as api:
        with traces.span("caller"):
            await asked(api, job)
    assert traces.ends() == 3 * [WELL]
    assert traces.parents() == 3 * ["caller"]
    assert [each.headers["traceparent"] for each in fake.calls] == traces.headers()
