"""Hundreds of thousands of calls over real sockets: nothing may grow, and nothing may be left.

Each error that the server caused must be met once: as the outcome of an operation, or in the log,
where it was tried again or a wait went on; and each good answer must be told to somebody.

Memory is judged by what is there at 50 % and at 100 % of the calls, all garbage collected and all
but one connection closed, as they are after five idle seconds: of memory blocks and of objects that
the collector tracks there may be one more for each 100 calls, of RSS 42 bytes for each call; in a
short run a thousand, and 4 MiB; on trio eight times that, which keeps up to a thousand time limits
that hold no more, those of naps say, for as long as they would have held.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import anyio
import httpx

from dasp_async import CustomerApi, DaspError, JobStatus, Schedule
from tests.soak.held import Held, comes_to, complaints, descriptors, held, run_on

ROOT: Final = Path(__file__).parents[2]
KEY: Final = "test-key"
IN_FLIGHT: Final = 40
# Longer than a busy machine keeps an answer waiting
ATTEMPT_TIMEOUT: Final = 4.0
# Longer than connections stay open that are idle
REST: Final = 5.5
SHARE: Final = 0.05
POINTS: Final = (0.1, 0.5, 1.0)
ERRORS: Final = {
    "never": "AttemptTimeout",
    "with_a_reset": "TransportError",
    "in_part": "TransportError",
    "busy": "HttpError",
    "with_a_fault": "SoapFault",
    "with_garbage": "InvalidResponse",
}
GOOD: Final = "good"


@dataclass(slots=True)
class Result:
    """What became of a run."""

    calls: int
    slack: int = 1000
    outcomes: Counter[str] = field(default_factory=Counter[str])
    met: Counter[str] = field(default_factory=Counter[str])
    caused: Counter[str] = field(default_factory=Counter[str])
    begin: Held | None = None
    points: list[Held] = field(default_factory=list[Held])
    end: Held | None = None
    complaints: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])

    def problems(self) -> list[str]:
        """What should not be."""
        assert self.begin is not None
        assert self.end is not None
        _, half, whole = self.points
        found = [*self.left, *self.complaints]
        if self.outcomes.total() != self.calls:
            found.append(f"{self.calls} calls, but {self.outcomes.total()} outcomes")
        if self.met != self.caused:
            found.append(f"met {dict(self.met)}, caused {dict(self.caused)}")
        more = max(self.slack, self.calls * (POINTS[2] - POINTS[1]) / 100)
        for name, least in (("blocks", 1), ("objects", 1), ("rss", 4194)):
            growth = getattr(whole, name) - getattr(half, name)
            if growth > more * least:
                found.append(f"{name} grew by {growth:,}")
        for name in ("tasks", "descriptors"):
            then, now = getattr(self.begin, name), getattr(self.end, name)
            if then != now:
                found.append(f"{name}: {then} before, {now} after")
        return found


@contextmanager
def service(result: Result, share: float) -> Generator[str]:
    """The address of the server; what it did is in the result then."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-m", "tests.soak.trouble", str(share)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/1.0/customerapi.asmx"
        answered, connections = json.loads(process.communicate()[0])
    for way, times in answered.items():
        result.caused[ERRORS.get(way, GOOD)] += times
    if connections:
        result.left.append(f"{connections} connections are open on the other side")


class Ear(logging.Handler):
    """Hears of errors after which an operation goes on."""

    def __init__(self, result: Result) -> None:
        super().__init__(logging.WARNING)
        self._result = result

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        error = record.args[0] if isinstance(record.args, tuple) else None
        self._result.met[type(error).__name__] += 1


class Soak:
    """Operations on one client, one after another in each of many tasks."""

    def __init__(self, api: CustomerApi, result: Result) -> None:
        self._api = api
        self._result = result

    async def up_to(self, last: int, tasks: int) -> None:
        """Go on until so many were made."""
        numbers = iter(range(self._result.outcomes.total(), last))

        async def work() -> None:
            for number in numbers:
                await self._one(number)

        async with anyio.create_task_group() as group:
            for _ in range(tasks):
                group.start_soon(work)

    async def _one(self, number: int) -> None:
        try:
            await self._operation(number)
        except DaspError as error:
            outcome = type(error).__name__
            self._result.met[outcome] += 1
        else:
            outcome = GOOD
        self._result.outcomes[outcome] += 1

    async def _operation(self, number: int) -> None:
        job_id = UUID(int=2 * number + 2)
        if number % 20 == 0:
            await self._api.sm_add_alias("a.example", "info", ["someone@b.example"])
            self._result.met[GOOD] += 1
        elif number % 20 == 1:
            await self._api.poll_until_done(job_id, timeout=None, on_status=self._told)
        elif number % 100 == 2:
            async with aclosing(self._api.watch(job_id, timeout=None, every=True)) as statuses:
                async for status in statuses:
                    self._told(status)
        elif number % 100 == 3:
            at_once = [UUID(int=job_id.int + 1)]
            async with self._api.poll_many(at_once, timeout=None) as outcomes:
                await self._read(outcomes)
        else:
            self._told(await self._api.get_job_status(UUID(int=job_id.int + 1)))

    async def _read(self, outcomes: AsyncIterator[Any]) -> None:
        async for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
            self._told(outcome.status)

    def _told(self, _: JobStatus) -> None:
        self._result.met[GOOD] += 1


@asynccontextmanager
async def client(url: str, in_flight: int, *, is_borrowed: bool) -> AsyncGenerator[CustomerApi]:
    """The client that is soaked."""
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        CustomerApi(
            KEY,
            endpoint=url,
            http_client=http if is_borrowed else None,
            attempt_timeout=ATTEMPT_TIMEOUT,
            max_in_flight=in_flight,
            schedule=Schedule(initial=0.01, maximum=0.01),
        ) as api,
    ):
        yield api


async def soak(url: str, result: Result, *, in_flight: int, rest: float, is_borrowed: bool) -> None:
    """Make the calls, and see what is held meanwhile."""
    result.begin = held()
    async with client(url, in_flight, is_borrowed=is_borrowed) as api:
        work = Soak(api, result)
        for point in POINTS:
            last = int(point * result.calls)
            await work.up_to(last - 1, 2 * in_flight)
            await anyio.sleep(rest)
            await work.up_to(last, 1)
            result.points.append(held())
    result.end = held()


def run(
    calls: int,
    *,
    backend: str,
    in_flight: int = IN_FLIGHT,
    rest: float = REST,
    share: float = SHARE,
    is_borrowed: bool = False,
) -> Result:
    """Make so many calls on an event loop of their own."""
    result = Result(calls, slack=8000 if backend == "trio" else 1000)
    ear, logger = Ear(result), logging.getLogger("dasp_async")
    threads = threading.active_count()
    logger.addHandler(ear)
    # Whoever else listens may keep what it hears.
    propagates, logger.propagate = logger.propagate, False
    try:
        with complaints() as result.complaints, service(result, share) as url:
            before = descriptors()
            run_on(
                backend,
                lambda: soak(url, result, in_flight=in_flight, rest=rest, is_borrowed=is_borrowed),
            )
            if descriptors() != before:
                result.left.append(f"descriptors: {before} before, {descriptors()} after")
            if not comes_to(lambda: threading.active_count() <= threads):
                result.left.append(f"threads: {threads} before, {threading.active_count()} after")
    finally:
        logger.removeHandler(ear)
        logger.propagate = propagates
    return result
