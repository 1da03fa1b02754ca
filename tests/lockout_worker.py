"""Programs that tests run as processes of their own: clients with a wrong key, on one budget."""

from __future__ import annotations

import json
import math
import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import Final
from uuid import UUID

import anyio

from dasp_async import CustomerApi, DaspError, SqliteBudget
from dasp_async.clock import SystemClock

DAY: Final = 86_400.0
WAITS_OF_A_START: Final = 20


class Clock(SystemClock):
    """The computer's own clock, set forward."""

    __slots__ = ("_ahead",)

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    def time(self) -> float:
        return super().time() + self._ahead


async def ends(path: str, endpoint: str, job_ids: range, clock: Clock) -> Counter[str]:
    """How the waits of one new client end, a task each; by the names of their errors."""
    # Without a limit, so that it is the guard alone that holds calls back.
    budget = SqliteBudget(path, limit=math.inf, clock=clock)
    results = Counter[str]()

    async def one(api: CustomerApi, job_id: UUID) -> None:
        try:
            await api.poll_until_done(job_id)
        except DaspError as error:
            results[type(error).__name__] += 1

    async with (
        CustomerApi("wrong-key", endpoint=endpoint, clock=clock, budget=budget) as api,
        anyio.create_task_group() as group,
    ):
        for number in job_ids:
            group.start_soon(one, api, UUID(int=number))
    return results


def wait(path: str, endpoint: str, first: str, waits: str) -> None:
    """Wait for so many jobs at once, from the word given on."""
    job_ids = range(int(first), int(first) + int(waits))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    results = anyio.run(ends, path, endpoint, job_ids, Clock(0))
    sys.stdout.write(json.dumps(results))


def restart(path: str, endpoint: str, times: str) -> None:
    """Start anew so many times in the course of a day."""
    for number in range(int(times)):
        # A fork is a process of its own, without half a second of imports.
        child = os.fork()
        if child == 0:
            clock = Clock(number * DAY / int(times))
            results = anyio.run(ends, path, endpoint, range(1, 1 + WAITS_OF_A_START), clock)
            os._exit(0 if results.total() == WAITS_OF_A_START else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


PROGRAMS: Final[dict[str, Callable[..., None]]] = {
    program.__name__: program for program in (wait, restart)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
