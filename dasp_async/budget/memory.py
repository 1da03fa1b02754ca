"""A budget in memory, for the clients of one process."""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from datetime import timedelta
from typing import NamedTuple

from dasp_async import arguments
from dasp_async.budget import steps
from dasp_async.budget.contract import Admission, Caller, Verdict, Waiting, account_asked_for
from dasp_async.budget.rules import FORGOTTEN_AFTER, LOST_AFTER, SITE_WINDOW, Limits, Standing
from dasp_async.clock import Clock, SystemClock

# How often keys that are not in use are looked through for what can be forgotten.
_SWEEP_EVERY = 60.0


class MemoryBudget:
    """Counts calls and faults for all clients of one process that share it; ends with it.

    limit: calls in any `window`, of each key; `math.inf` guards against a lock-out alone.
    window: seconds or a timedelta. reserve: calls that waits leave to direct calls. clock:
    instead of the system's, for tests.

    Raises `ValueError` or `TypeError` for arguments that make no sense.
    """

    __slots__ = ("_clock", "_limits", "_lock", "_rows")

    def __init__(
        self,
        *,
        limit: float = 1000,
        window: float | timedelta = 86_400.0,
        reserve: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._limits = Limits.of(limit, window, reserve)
        arguments.clock(clock)
        self._clock: Clock = SystemClock() if clock is None else clock
        self._rows = _MemoryRows()
        # For clients on event loops in several threads; held for microseconds.
        self._lock = threading.Lock()

    async def admit(self, caller: Caller, waiting: Waiting | None) -> Admission:
        """Count a call, if it may be made now; `waiting` is None for a direct call."""
        with self._lock:
            return steps.admit(self._rows, self._limits, caller, waiting, self._clock.time())

    async def settle(self, caller: Caller, call: int, verdict: Verdict) -> None:
        """Note what came of a call that was admitted."""
        if steps.needs_settling(call, verdict):
            with self._lock:
                steps.settle(self._rows, caller, call, verdict, self._clock.time())

    async def remaining(self, key: str | None = None) -> int:
        """The calls left now to a key; None for the key that has the fewest left.

        `sys.maxsize` without a limit. Raises `TypeError` or `ValueError` for what can't be a key.
        """
        account = account_asked_for(key)
        # No error below may have it among the local variables of its traceback.
        del key
        if isinstance(account, Exception):
            raise account
        with self._lock:
            return steps.remaining(self._rows, self._limits, account, self._clock.time())


class _Heard(NamedTuple):
    """How many jobs a process waits for, since when a look is due, and when it said so."""

    jobs: int
    due: float | None
    at: float


class _Account:
    """What is known of one key: its calls, in order of time, and who waits with it."""

    __slots__ = ("calls", "granted", "heard")

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.heard: dict[str, _Heard] = {}
        self.granted: float | None = None

    def forget(self, now: float, window: float) -> None:
        del self.calls[: bisect_right(self.calls, now - window)]
        for process, heard in list(self.heard.items()):
            if abs(now - heard.at) >= FORGOTTEN_AFTER:
                del self.heard[process]
        if self.granted is not None and self.granted <= now - window:
            self.granted = None

    @property
    def is_empty(self) -> bool:
        return not self.calls and not self.heard and self.granted is None


class _MemoryRows:
    """Everything a budget keeps, in plain containers."""

    __slots__ = ("_accounts", "_blames", "_last_call", "_marks", "_standings", "_swept")

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._standings: dict[Caller, Standing] = {}
        self._marks: dict[int, tuple[Caller, float]] = {}
        self._blames: list[tuple[float, Caller]] = []
        self._last_call = 0
        self._swept = 0.0

    def forget(self, now: float, window: float) -> None:
        if abs(now - self._swept) < _SWEEP_EVERY:
            return
        self._swept = now
        for name, account in list(self._accounts.items()):
            account.forget(now, window)
            if account.is_empty:
                del self._accounts[name]
        self._blames = [blame for blame in self._blames if blame[0] > now - SITE_WINDOW]

    def standing(self, caller: Caller) -> Standing:
        return self._standings.get(caller) or Standing()

    def keep(self, caller: Caller, standing: Standing) -> None:
        self._standings[caller] = standing

    def mark(self, caller: Caller, now: float) -> int:
        self._last_call += 1
        self._marks[self._last_call] = (caller, now)
        return self._last_call

    def unmark(self, call: int) -> None:
        self._marks.pop(call, None)

    def unmark_lost(self, now: float) -> list[Caller]:
        if not self._marks:
            return []
        lost = [call for call, (_, at) in self._marks.items() if abs(now - at) >= LOST_AFTER]
        return [self._marks.pop(call)[0] for call in lost]

    def under_way(self, caller: Caller) -> int:
        return sum(owner == caller for owner, _ in self._marks.values())

    def blame(self, caller: Caller, now: float) -> None:
        self._blames.append((now, caller))

    def forgive(self, caller: Caller) -> None:
        self._blames = [blame for blame in self._blames if blame[1] != caller]

    def site(self, site: str, since: float) -> tuple[int, float | None, int]:
        faults = [at for at, caller in self._blames if caller.site == site and at > since]
        under_way = sum(
            caller.site == site and not self.standing(caller).proven
            for caller, _ in self._marks.values()
        )
        return len(faults), min(faults, default=None), under_way

    def count(self, account: str, now: float) -> None:
        insort(self._account(account).calls, now)

    def counted(self, account: str, since: float) -> tuple[int, float | None]:
        calls = self._accounts[account].calls if account in self._accounts else []
        first = bisect_right(calls, since)
        return len(calls) - first, calls[first] if first < len(calls) else None

    def moments(self, account: str, since: float, every: int) -> list[float]:
        calls = self._account(account).calls
        return calls[bisect_right(calls, since) :: every]

    def most_counted(self, since: float) -> int:
        return max((self.counted(account, since)[0] for account in self._accounts), default=0)

    def hear(self, account: str, process: str, jobs: int, due: float | None, now: float) -> None:
        heard = self._account(account).heard
        heard.pop(process, None)
        if jobs:
            heard[process] = _Heard(jobs, due, now)

    def heard(self, account: str, process: str, now: float) -> tuple[int, float | None]:
        others = [
            heard
            for other, heard in self._account(account).heard.items()
            if other != process and abs(now - heard.at) < FORGOTTEN_AFTER
        ]
        dues = [heard.due for heard in others if heard.due is not None]
        return sum(heard.jobs for heard in others), min(dues, default=None)

    def grant(self, account: str, now: float) -> None:
        self._account(account).granted = now

    def granted(self, account: str) -> float | None:
        return self._account(account).granted

    def _account(self, name: str) -> _Account:
        return self._accounts.setdefault(name, _Account())
