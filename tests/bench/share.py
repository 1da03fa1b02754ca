"""What one `get_job_status` costs beside the HTTP library, measured against lxml's bare parser.

`python -m tests.bench.share` prints the ratio to `lxml.etree.fromstring` on the same answer: slices
of both take turns in one process, and the figure is the median of the slices' ratios. The HTTP
client is a stand-in that answers at once; what that costs is measured too, and taken off.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median
from typing import Any, Final
from uuid import UUID

import anyio
from lxml import etree

from dasp_async import CustomerApi
from tests.servers import COMPLETED, SOAP_1_1

SLICES: Final = 60
CALLS: Final = 200
JOB: Final = UUID(int=1)


class Stream:
    """A request's stream, of the kind that httpx has."""

    def __init__(self, body: bytes = b"") -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter((self._body,))


class Request:
    """A request that goes nowhere."""

    def __init__(self) -> None:
        self.stream = Stream()


class Headers:
    """The headers of every answer."""

    raw: Final = [(b"Content-Type", SOAP_1_1.encode())]


class Response:
    """The answer to everything, its body read already."""

    status_code = 200
    headers = Headers
    is_stream_consumed = True
    content = COMPLETED

    async def aclose(self) -> None:
        """Nothing is open."""


class Answering:
    """An HTTP client that answers without asking."""

    def build_request(self, *_arguments: object, **_options: object) -> Request:
        """The least that a request is."""
        return Request()

    async def send(self, *_arguments: object, **_options: object) -> Response:
        """The answer."""
        return Response()

    async def aclose(self) -> None:
        """Nothing is open."""


async def slices(ask: Callable[[], Awaitable[object]]) -> float:
    """Seconds for some calls."""
    began = time.perf_counter()
    for _ in range(CALLS):
        await ask()
    return time.perf_counter() - began


async def main() -> None:
    """Print the ratio."""
    http = Answering()
    # It has what a client needs, though not as its types have it.
    client: Any = http
    api = CustomerApi("a-key-of-some-length", endpoint="http://127.0.0.1/", http_client=client)

    async def bare() -> None:
        http.build_request()
        await http.send()

    ratios: list[float] = []
    for number in range(SLICES):
        began = time.perf_counter()
        for _ in range(CALLS):
            etree.fromstring(COMPLETED)
        parsed = time.perf_counter() - began
        called = await slices(lambda: api.get_job_status(JOB)) - await slices(bare)
        if number >= SLICES // 10:
            ratios.append(called / parsed)
    print(
        f"one get_job_status beside HTTP: {median(ratios):.1f} times lxml.etree.fromstring "
        f"on its answer ({min(ratios):.1f} to {max(ratios):.1f})"
    )


if __name__ == "__main__":
    anyio.run(main)
