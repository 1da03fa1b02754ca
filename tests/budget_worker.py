"""Programs that tests run as processes of their own, on one `SqliteBudget` file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import anyio

from dasp_async.budget import Admitted, Caller, NotYet, SqliteBudget, Verdict
from dasp_async.errors import CallRefused
from dasp_async.testing import FakeClock

CALLER: Final = Caller.of("test-key", "https://test.invalid/")
DAY: Final = 86_400.0


class Log:
    """Stands for the service: one byte for each call that it got."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def send(self) -> None:
        os.write(self._file, b".")


async def hammer(path: str, log: str, limit: str, verdict: str) -> None:
    """Make calls that all end with a verdict, until one is refused for longer than a moment."""
    budget, service = SqliteBudget(path, limit=int(limit)), Log(log)
    while True:
        answer = await budget.admit(CALLER, None)
        if isinstance(answer, Admitted):
            service.send()
            await budget.settle(CALLER, answer.call, Verdict(verdict))
        elif not isinstance(answer, NotYet):
            return


async def crash(path: str, log: str, moment: float) -> None:
    """Make one call and die before its answer."""
    answer = await SqliteBudget(path, clock=FakeClock(moment)).admit(CALLER, None)
    if isinstance(answer, Admitted):
        Log(log).send()
    os._exit(9)


async def restart(path: str, log: str, times: str) -> None:
    """Crash so many times in the course of a day."""
    for number in range(int(times)):
        moment = 1e9 + DAY * number / int(times)
        assert in_child(partial(anyio.run, crash, path, log, moment)) == 9


async def fork(path: str) -> None:
    """Use a budget before and after a fork, on both sides."""
    budget = SqliteBudget(path)

    async def call() -> None:
        assert isinstance(await budget.admit(CALLER, None), Admitted)

    await call()
    assert in_child(partial(anyio.run, call, backend="trio")) == 0
    await call()


def in_child(work: Callable[[], object]) -> int:
    """Do something in a forked process; how that ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


async def full(path: str, log: str) -> None:
    """Use a budget on a disk that gets full and then has room again."""
    import resource

    budget, service = SqliteBudget(path, limit=100_000), Log(log)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def call() -> None:
        answer = await budget.admit(CALLER, None)
        assert isinstance(answer, Admitted)
        service.send()
        await budget.settle(CALLER, answer.call, Verdict.GOOD)

    await call()
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, unlimited[1]))
    try:
        while True:
            await call()
    except CallRefused as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    await call()


async def read_only(path: str) -> None:
    """Use a budget whose file another user has made."""
    await SqliteBudget(path).remaining()
    Path(path).chmod(0o444)
    Path(path).parent.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        await SqliteBudget(path).remaining()
    except CallRefused as error:
        print(error)
    finally:
        os.seteuid(os.getuid())
        Path(path).parent.chmod(0o755)


PROGRAMS: Final = {
    program.__name__: program for program in (hammer, restart, fork, full, read_only)
}

if __name__ == "__main__":
    anyio.run(PROGRAMS[sys.argv[1]], *sys.argv[2:])
