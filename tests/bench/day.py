"""A day of waiting, simulated: what each way of polling uses up, and how late it sees the ends.

`python -m tests.bench.day` prints a table: the package's own waits, through `CustomerApi` and its
budget on a clock that jumps, against the habits of other pollers, played by a loop of their own.
The service allows 1000 calls in any 24 hours and refuses the rest, which it does not count. The
others look on through refusals until two days after the last job has ended; most of them would in
truth end with an error. Nobody's waits have a timeout. Four processes are four clients on one
`MemoryBudget`, whose steps are those of all budgets.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from random import Random
from statistics import median, quantiles
from typing import Final
from uuid import UUID

import anyio
import httpx

from dasp_async import CustomerApi, MemoryBudget, Schedule
from dasp_async.testing import FakeClock

DAY: Final = 86_400.0
LIMIT: Final = 1000
KEY: Final = "test-key"

# Log-normal lengths: a median of 4 minutes, and one job in a hundred longer than 2 hours.
MEDIAN: Final = 240.0
SIGMA: Final = math.log(7200 / MEDIAN) / 2.326


@dataclass(frozen=True, slots=True)
class Job:
    """A job, in seconds since the simulation began."""

    begins: float
    length: float

    @property
    def ends(self) -> float:
        """When it is over."""
        return self.begins + self.length


@dataclass(frozen=True, slots=True)
class Scenario:
    """Jobs, and how many processes share them."""

    name: str
    jobs: list[Job]
    processes: int = 1


def _length(chance: Random) -> float:
    return MEDIAN * math.exp(SIGMA * chance.gauss())


def _over_a_day(count: int, chance: Random) -> list[Job]:
    return sorted(
        (Job(chance.random() * DAY, _length(chance)) for _ in range(count)),
        key=lambda job: job.begins,
    )


def _at_once(count: int, chance: Random) -> list[Job]:
    return [Job(0.0, _length(chance)) for _ in range(count)]


SCENARIOS: Final = [
    Scenario("300 over a day", _over_a_day(300, Random(1))),
    Scenario("50 at once", _at_once(50, Random(2))),
    Scenario("2000 at once", _at_once(2000, Random(3))),
    Scenario("one of 20 hours", [Job(0.0, 72_000.0)]),
    Scenario("300 over a day, 4 processes", _over_a_day(300, Random(5)), processes=4),
]


@dataclass(slots=True)
class Result:
    """What became of a scenario: calls answered, calls refused, and the ends that were seen."""

    used: int = 0
    refused: int = 0
    seen: dict[int, float] = field(default_factory=dict[int, float])

    def delays(self, scenario: Scenario) -> dict[int, float]:
        """By how many seconds the end of each job was seen late, as far as it was seen."""
        return {number: at - scenario.jobs[number].ends for number, at in self.seen.items()}


class Allowance:
    """The service's own count: so many calls in any 24 hours."""

    def __init__(self) -> None:
        self._calls: deque[float] = deque()

    def free_at(self, now: float) -> float:
        """The first moment from now on at which a call is answered."""
        while self._calls and self._calls[0] <= now - DAY:
            self._calls.popleft()
        return now if len(self._calls) < LIMIT else self._calls[0] + DAY

    def take(self, now: float) -> None:
        """A call is answered."""
        self._calls.append(now)


# -- the package

ANSWER: Final = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<GetJobStatusResponse xmlns="http://api.discountasp.net/"><GetJobStatusResult>'
    "<JobName>Backup</JobName><Status>{}</Status></GetJobStatusResult></GetJobStatusResponse>"
    "</soap:Body></soap:Envelope>"
)
FAULT: Final = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
    "<faultcode>soap:Server</faultcode><faultstring>Daily limit reached.</faultstring></soap:Fault>"
    "</soap:Body></soap:Envelope>"
)
SOAP: Final = {"Content-Type": "text/xml; charset=utf-8"}


def ours(scenario: Scenario) -> Result:
    """The package's own waits, through its public face."""
    clock, result, allowance = FakeClock(), Result(), Allowance()

    def answer(request: httpx.Request) -> httpx.Response:
        now = clock.monotonic()
        if allowance.free_at(now) > now:
            result.refused += 1
            return httpx.Response(500, headers=SOAP, text=FAULT)
        allowance.take(now)
        result.used += 1
        asked = re.search(rb"jobId>([^<]+)<", request.content)
        assert asked is not None
        job = scenario.jobs[UUID(asked[1].decode()).int - 1]
        word = "Completed" if job.ends <= now else "Running"
        return httpx.Response(200, headers=SOAP, text=ANSWER.format(word))

    async def coming(process: int) -> AsyncGenerator[UUID]:
        for number in range(process, len(scenario.jobs), scenario.processes):
            wait = scenario.jobs[number].begins - clock.monotonic()
            if wait > 0:
                await clock.sleep(wait)
            yield UUID(int=number + 1)

    async def one_process(process: int, http: httpx.AsyncClient, budget: MemoryBudget) -> None:
        api = CustomerApi(KEY, http_client=http, clock=clock, budget=budget)
        async with api.poll_many(coming(process), timeout=None) as outcomes:
            async for outcome in outcomes:
                assert outcome.status is not None, outcome.error
                result.seen[outcome.job_id.int - 1] = clock.monotonic()

    async def run() -> None:
        budget = MemoryBudget(limit=LIMIT, clock=clock)
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http,
            anyio.create_task_group() as group,
        ):
            for process in range(scenario.processes):
                group.start_soon(one_process, process, http, budget)

    anyio.run(run)
    return result


# -- the habits of others

Pauses = Callable[[int], float]


def habit(pauses: Pauses) -> Callable[[Scenario], Result]:
    """A poller that looks at once and then pauses so long after its first, second, third look."""

    def policy(scenario: Scenario) -> Result:
        result, allowance = Result(), Allowance()
        horizon = max(job.ends for job in scenario.jobs) + 2 * DAY
        looks = [(job.begins, number, 0) for number, job in enumerate(scenario.jobs)]
        heapq.heapify(looks)
        while looks and looks[0][0] < horizon:
            now, number, step = heapq.heappop(looks)
            free = allowance.free_at(now)
            if free > now:
                # As many looks as come before a call is free again are refused, one by one.
                pause = pauses(step)
                times = max(1, math.ceil((min(free, horizon) - now) / pause))
                result.refused += times
                heapq.heappush(looks, (now + times * pause, number, step + times))
                continue
            allowance.take(now)
            result.used += 1
            if scenario.jobs[number].ends <= now:
                result.seen[number] = now
            else:
                heapq.heappush(looks, (now + pauses(step), number, step + 1))
        return result

    return policy


def growing(schedule: Schedule) -> Pauses:
    """The pauses of a schedule."""
    chance = Random(0)
    return lambda step: schedule.delay(step, chance.random())


COLUMNS: Final = [
    "jobs",
    "policy",
    "calls",
    "refused",
    "late s, median",
    "p95",
    "days",
]

POLICIES: Final[dict[str, Callable[[Scenario], Result]]] = {
    "dasp_async": ours,
    "every 5 s": habit(lambda _: 5.0),
    "every 15 s (botocore's habit)": habit(lambda _: 15.0),
    "every 30 s (azure-core)": habit(lambda _: 30.0),
    "2 s to 60 s, no budget": habit(growing(Schedule())),
}


def p95(values: list[float]) -> float:
    """The value that one in twenty is above."""
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def short(value: float) -> str:
    """A figure of the table."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def row(scenario: Scenario, name: str, result: Result) -> str:
    """A line of the table."""
    late = list(result.delays(scenario).values())
    cells = [
        scenario.name,
        name,
        f"{result.used:,}",
        f"{result.refused:,}",
        short(median(late)),
        short(p95(late)),
        f"{max(result.seen.values()) / DAY:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table, line by line."""
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    for scenario in SCENARIOS:
        for name, policy in POLICIES.items():
            print(row(scenario, name, policy(scenario)), flush=True)


if __name__ == "__main__":
    main()
