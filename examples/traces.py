"""A wait as a trace of OpenTelemetry, on the console: `python traces.py JOB_ID`.

    pip install dasp_async opentelemetry-sdk opentelemetry-instrumentation-httpx

The API key is in DASP_API_KEY. It stands in the bodies of requests, and those are in no span.
"""

from __future__ import annotations

import argparse

import anyio
import httpx
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from dasp_async import CustomerApi

tracer = trace.get_tracer("traces")


async def main(job_id: str) -> None:
    """Wait for the job; each look is a child of the span that is current where the wait begins."""
    async with (
        httpx.AsyncClient() as http,
        CustomerApi.from_env(http_client=http) as api,
    ):
        # Of httpx2 it is `HTTPX2ClientInstrumentor` for an `httpx2.AsyncClient`.
        HTTPXClientInstrumentor.instrument_client(http)
        with tracer.start_as_current_span("wait", attributes={"job.id": job_id}) as span:
            status = await api.poll_until_done(job_id)
            span.set_attribute("job.status", status.status or "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job_id", metavar="JOB_ID")
    arguments = parser.parse_args()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
    trace.set_tracer_provider(provider)
    anyio.run(main, arguments.job_id)
