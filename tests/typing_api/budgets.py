"""The budgets and the clock, those of one's own too."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import assert_type

from redis import Redis

from dasp_async import CallBudget, Clock, CustomerApi, MemoryBudget, RedisBudget, SqliteBudget
from dasp_async.budget import Admission, Admitted, Caller, Closed, NotYet, UsedUp, Verdict, Waiting


async def made(server: Redis, clock: Clock) -> None:
    """All that they take."""
    budgets: list[CallBudget] = [
        MemoryBudget(limit=100, window=timedelta(hours=1), reserve=10, clock=clock),
        MemoryBudget(limit=math.inf, window=3600, clock=None),
        SqliteBudget("calls.sqlite", limit=100, window=3600, reserve=10, clock=clock),
        SqliteBudget(Path("calls.sqlite"), window=timedelta(hours=1)),
        RedisBudget("redis://host:6379/0", limit=100, window=3600, reserve=10, clock=clock),
        RedisBudget(server, window=timedelta(hours=1)),
    ]
    for budget in budgets:
        assert_type(await budget.remaining(), int)
        assert_type(await budget.remaining("key"), int)
        CustomerApi("key", budget=budget)
    assert_type(await MemoryBudget().remaining(None), int)
    assert_type(await SqliteBudget("calls.sqlite").remaining(), int)
    assert_type(await RedisBudget(server).remaining(), int)


async def asked(budget: CallBudget, caller: Caller) -> None:
    """What a client asks of one."""
    assert_type(Caller.of("key", "https://api.example.com/"), Caller)
    admission = await budget.admit(caller, Waiting(process="p", jobs=1, overdue=0))
    assert_type(admission, Admitted | NotYet | UsedUp | Closed)
    if isinstance(admission, Admitted):
        assert_type(await budget.settle(caller, admission.call, Verdict.GOOD), None)
    elif isinstance(admission, Closed):
        assert_type(admission.faults, int)
    else:
        assert_type(admission.pause, float)


class OwnBudget:
    """A store of one's own."""

    async def admit(self, caller: Caller, waiting: Waiting | None) -> Admission:  # noqa: ARG002 - the contract's
        """Count nothing."""
        return Admitted(1)

    async def settle(self, caller: Caller, call: int, verdict: Verdict) -> None:
        """Note nothing."""

    async def remaining(self, key: str | None = None) -> int:  # noqa: ARG002 - the contract's
        """Always one."""
        return 1


class OwnClock:
    """A time of one's own."""

    def monotonic(self) -> float:
        """Stand still."""
        return 0.0

    def time(self) -> float:
        """Stand still."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Sleep not."""


def own() -> None:
    """They fit."""
    CustomerApi("key", budget=OwnBudget(), clock=OwnClock())


async def told(clock: Clock) -> None:
    """What a clock is asked."""
    assert_type(clock.monotonic(), float)
    assert_type(clock.time(), float)
    assert_type(await clock.sleep(1), None)
