"""The clients that `tests.bench.calls` measures, each in a process of its own.

`python -m tests.bench.clients NAME CALLERS SECONDS URL` prints a line of JSON: calls, seconds, CPU
seconds, peak memory, and percentiles of the time a call takes.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path
from runpy import run_path
from statistics import quantiles
from typing import Any, Final
from uuid import UUID

import anyio

from dasp_async import CustomerApi

KEY: Final = "test-key"
BODY: Final = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope '
    b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    b'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    b'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">\n  <soap:Body>\n'
    b'    <GetJobStatus xmlns="http://api.discountasp.net/">\n      <key>test-key</key>\n'
    b"      <jobId>00000000-0000-0000-0000-000000000001</jobId>\n    </GetJobStatus>\n"
    b"  </soap:Body>\n</soap:Envelope>"
)
HEADERS: Final = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": '"http://api.discountasp.net/GetJobStatus"',
}
# By each caller, before the clock starts
WARM_UP_CALLS: Final = 5

Ask = Callable[[int], Awaitable[object]]
Client = Callable[[str, int], AbstractAsyncContextManager[Ask]]


def job(caller: int) -> UUID:
    """A job for each caller, since looks at one job are shared."""
    return UUID(int=caller + 1)


@asynccontextmanager
async def dasp(url: str, callers: int, http_client: Any = None) -> AsyncGenerator[Ask]:
    """This package as it comes out of the box."""
    async with CustomerApi(
        KEY, endpoint=url, max_in_flight=callers, http_client=http_client
    ) as api:
        yield lambda caller: api.get_job_status(job(caller))


@asynccontextmanager
async def dasp_on_aiohttp(url: str, callers: int) -> AsyncGenerator[Ask]:
    """This package on aiohttp itself."""
    aiohttp = import_module("aiohttp")
    on_aiohttp = run_path(str(Path(__file__).parents[2] / "examples" / "on_aiohttp.py"))
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        ) as session,
        dasp(url, callers, on_aiohttp["AiohttpClient"](session)) as ask,
    ):
        yield ask


@asynccontextmanager
async def dasp_on_httpx_aiohttp(url: str, callers: int) -> AsyncGenerator[Ask]:
    """This package with a borrowed client of httpx that stands on aiohttp."""
    aiohttp, httpx = import_module("aiohttp"), import_module("httpx")
    transport = import_module("httpx_aiohttp").AiohttpTransport(
        client=lambda: aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    )
    async with httpx.AsyncClient(transport=transport) as http, dasp(url, callers, http) as ask:
        yield ask


def posting(http: Any, url: str) -> Ask:
    """Constant bytes, posted as anybody would."""

    async def ask(_: int) -> object:
        return await http.post(url, content=BODY, headers=HEADERS)

    return ask


def raw(library: str) -> Client:
    """Plain httpx or httpx2, its limits raised."""

    @asynccontextmanager
    async def client(url: str, callers: int) -> AsyncGenerator[Ask]:
        httpx = import_module(library)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=callers)
        async with httpx.AsyncClient(limits=limits, timeout=None) as http:
            yield posting(http, url)

    return client


@asynccontextmanager
async def httpx_on_ours(url: str, callers: int) -> AsyncGenerator[Ask]:
    """Raw httpx on the connections of this package's own client."""
    httpx = import_module("httpx")
    ours = import_module("dasp_async.transport.connections")
    transport = ours.Connections(httpx.create_ssl_context(), keep_alive=callers)
    async with httpx.AsyncClient(transport=transport, timeout=None) as http:
        yield posting(http, url)


@asynccontextmanager
async def aiohttp_raw(url: str, _callers: int) -> AsyncGenerator[Ask]:
    """Plain aiohttp, its limit raised."""
    aiohttp = import_module("aiohttp")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def ask(_: int) -> object:
            async with http.post(url, data=BODY, headers=HEADERS) as response:
                return await response.read()

        yield ask


@asynccontextmanager
async def zeep_async(url: str, callers: int) -> AsyncGenerator[Ask]:
    """The AsyncClient of zeep, the limits of its HTTP client raised."""
    httpx, zeep = import_module("httpx"), import_module("zeep")
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=callers)
    async with httpx.AsyncClient(limits=limits, timeout=None) as http:
        transport = import_module("zeep.transports").AsyncTransport(
            client=http, wsdl_client=httpx.Client()
        )
        client = zeep.AsyncClient(f"{url}?WSDL", transport=transport)
        yield lambda caller: client.service.GetJobStatus(key=KEY, jobId=str(job(caller)))


def zeep_in_threads(url: str) -> Callable[[int], object]:
    """The client of zeep, called from threads."""
    requests, zeep = import_module("requests"), import_module("zeep")
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=1000))
    client = zeep.Client(f"{url}?WSDL", transport=zeep.Transport(session=session))
    return lambda caller: client.service.GetJobStatus(key=KEY, jobId=str(job(caller)))


def suds_in_threads(url: str) -> Callable[[int], object]:
    """The client of suds-community, called from threads."""
    client = import_module("suds.client").Client(f"{url}?WSDL", location=url, cache=None)
    return lambda caller: client.service.GetJobStatus(KEY, str(job(caller)))


CLIENTS: Final[dict[str, Client]] = {
    "httpx": raw("httpx"),
    "httpx with sniffio": raw("httpx"),
    "httpx on our connections": httpx_on_ours,
    "dasp_async": dasp,
    "dasp_async on aiohttp": dasp_on_aiohttp,
    "dasp_async on httpx-aiohttp": dasp_on_httpx_aiohttp,
    "httpx2": raw("httpx2"),
    "aiohttp": aiohttp_raw,
    "zeep": zeep_async,
}
IN_THREADS: Final = {"zeep in threads": zeep_in_threads, "suds in threads": suds_in_threads}
WITHOUT_SNIFFIO: Final = {"httpx"}
ON_UVLOOP: Final = {"dasp_async on aiohttp", "dasp_async on httpx-aiohttp"}


class Measured:
    """What calls take, once every caller has made a few."""

    def __init__(self, callers: int, seconds: float) -> None:
        self._cold = callers * WARM_UP_CALLS
        self._seconds = seconds
        self._begins = self._ends = math.inf
        self._cpu = 0.0
        self._latencies: list[float] = []

    def done(self, began: float) -> bool:
        """Note a call; whether it was the last."""
        now = time.perf_counter()
        if began >= self._begins:
            self._latencies.append(now - began)
        self._cold -= 1
        if self._cold == 0:
            self._begins, self._ends = now, now + self._seconds
            self._cpu = time.process_time()
        return now >= self._ends

    def report(self) -> str:
        """The line of JSON."""
        ended, cpu = time.perf_counter(), time.process_time()
        hundredths = quantiles(self._latencies, n=100)
        return json.dumps(
            {
                "calls": len(self._latencies),
                "seconds": ended - self._begins,
                "cpu": cpu - self._cpu,
                "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
                "p50": hundredths[49],
                "p99": hundredths[98],
            }
        )


async def measure(name: str, callers: int, seconds: float, url: str) -> None:
    """Call from so many tasks, and print the report."""
    async with CLIENTS[name](url, callers) as ask:
        measured = Measured(callers, seconds)

        async def call_on_and_on(caller: int) -> None:
            is_over = False
            while not is_over:
                began = time.perf_counter()
                await ask(caller)
                is_over = measured.done(began)

        async with anyio.create_task_group() as group:
            for caller in range(callers):
                group.start_soon(call_on_and_on, caller)
        print(measured.report())


def measure_in_threads(name: str, callers: int, seconds: float, url: str) -> None:
    """Call from so many threads, and print the report."""
    ask = IN_THREADS[name](url)
    measured = Measured(callers, seconds)

    def call_on_and_on(caller: int) -> None:
        is_over = False
        while not is_over:
            began = time.perf_counter()
            ask(caller)
            is_over = measured.done(began)

    threads = [threading.Thread(target=call_on_and_on, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(measured.report())


def main() -> None:
    """Measure the client that the command line names."""
    _, name, callers, seconds, url = sys.argv
    if name in IN_THREADS:
        measure_in_threads(name, int(callers), float(seconds), url)
    else:
        options = {"use_uvloop": True} if name in ON_UVLOOP else {}
        anyio.run(measure, name, int(callers), float(seconds), url, backend_options=options)


if __name__ == "__main__":
    main()
