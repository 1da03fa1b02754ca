"""Programs that tests run as processes of their own, on one budget: a file or a Redis server."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio

from dasp_async import CallBudget, RedisBudget, SqliteBudget
from dasp_async.budget import (
    Admission,
    Admitted,
    Caller,
    NotYet,
    Verdict,
)
from dasp_async.errors import CallRefused
from dasp_async.testing import FakeClock

CALLER: Final = Caller.of("test-key", "https://test.invalid/")
DAY: Final = 86_400.0
NOBODY: Final = 65_534


class Log:
    """Stands for the service: one byte for each call that it got."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def send(self) -> None:
        os.write(self._file, b".")


def budget_of(store: str, **settings: Any) -> CallBudget:
    """The budget on a Redis server if that is its address, else in a file."""
    kind = RedisBudget if store.startswith("redis://") else SqliteBudget
    return kind(store, **settings)


async def call(budget: CallBudget, service: Log | None = None) -> Admission:
    """Make a call, if it is admitted."""
    answer = await budget.admit(CALLER, None)
    if isinstance(answer, Admitted) and service:
        service.send()
    return answer


async def refusal(budget: CallBudget, service: Log | None = None) -> str:
    """Why a budget lets no call out."""
    try:
        return str(await call(budget, service))
    except CallRefused as error:
        return str(error)


def hammer(store: str, log: str, limit: str, verdict: str) -> None:
    """Make calls that all end with a verdict, until one is refused for longer than a moment."""

    async def run() -> None:
        budget, service = budget_of(store, limit=int(limit)), Log(log)
        while isinstance(answer := await call(budget, service), Admitted | NotYet):
            if isinstance(answer, Admitted):
                await budget.settle(CALLER, answer.call, Verdict(verdict))

    anyio.run(run)


def crash(store: str, log: str, moment: float) -> None:
    """Make one call and die before its answer."""

    async def run() -> None:
        await call(budget_of(store, clock=FakeClock(moment)), Log(log))
        os._exit(9)

    anyio.run(run)


def restart(store: str, log: str, times: str) -> None:
    """Crash so many times in the course of a day."""
    for number in range(int(times)):
        moment = 1e9 + DAY * number / int(times)
        assert in_child(partial(crash, store, log, moment)) == 9


def fork(store: str) -> None:
    """Use a budget before and after a fork, on both sides."""
    budget = budget_of(store)
    anyio.run(call, budget)
    assert in_child(lambda: anyio.run(call, budget, backend="trio")) == 0
    anyio.run(call, budget)


def in_child(work: Callable[[], object]) -> int:
    """Do something in a forked process; how that ended."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def full(path: str, log: str) -> None:
    """Use a budget on a disk that gets full and then has room again."""
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def run() -> None:
        budget, service = SqliteBudget(path, limit=100_000), Log(log)
        answer = await call(budget, service)
        assert isinstance(answer, Admitted)
        await budget.settle(CALLER, answer.call, Verdict.GOOD)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, unlimited[1]))
        while (reason := await refusal(budget, service)) == str(Admitted(0)):
            pass
        sys.stdout.write(reason)
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        await call(budget, service)

    anyio.run(run)


def read_only(path: str) -> None:
    """Use a budget whose file and folder belong to another user."""
    budget = SqliteBudget(path)
    anyio.run(budget.remaining)
    Path(path).chmod(0o444)
    Path(path).parent.chmod(0o555)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    sys.stdout.write(anyio.run(refusal, SqliteBudget(path)))


PROGRAMS: Final[dict[str, Callable[..., None]]] = {
    program.__name__: program for program in (hammer, restart, fork, full, read_only)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
