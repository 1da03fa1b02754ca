"""The steps of a budget, over whatever keeps its rows: the same for every store."""

from __future__ import annotations

import math
import sys
from typing import Protocol

from dasp_async.budget.contract import Admission, Admitted, Caller, Verdict, Waiting
from dasp_async.budget.pacing import stride
from dasp_async.budget.rules import (
    SITE_WINDOW,
    Limits,
    Risk,
    Standing,
    Supply,
    danger,
    is_watched,
    settled,
    shortage,
)


class Rows(Protocol):
    """What a store keeps; moments are seconds since 1970.

    The steps make several of these calls as one: no other step may come between them.
    """

    def forget(self, now: float, window: float) -> None:
        """Drop what no later question can ask for."""
        ...

    def standing(self, caller: Caller) -> Standing:
        """How a key stands at an endpoint; as new if nothing is known."""
        ...

    def keep(self, caller: Caller, standing: Standing) -> None:
        """Remember how a key stands."""
        ...

    def mark(self, caller: Caller, now: float) -> int:
        """Note that a call is under way; its number is never 0 and never used again."""
        ...

    def unmark(self, call: int) -> None:
        """Note that a call is not under way any more, if it was."""
        ...

    def unmark_lost(self, now: float) -> list[Caller]:
        """Take off the marks that are `LOST_AFTER` away from now; whose they were."""
        ...

    def under_way(self, caller: Caller) -> int:
        """How many marked calls a key has under way."""
        ...

    def blame(self, caller: Caller, now: float) -> None:
        """Note a fault of a key that is not proven."""
        ...

    def forgive(self, caller: Caller) -> None:
        """Drop a key's noted faults."""
        ...

    def site(self, site: str, since: float) -> tuple[int, float | None, int]:
        """An endpoint's noted faults after a moment, the oldest's moment, and the marked calls.

        The calls are those of keys that are not proven.
        """
        ...

    def count(self, account: str, now: float) -> None:
        """Note a call of a key."""
        ...

    def counted(self, account: str, since: float) -> tuple[int, float | None]:
        """A key's calls after a moment, and the moment of the oldest."""
        ...

    def moments(self, account: str, since: float, every: int) -> list[float]:
        """The moments of a key's calls after a moment, oldest first: the first of so many each."""
        ...

    def most_counted(self, since: float) -> int:
        """The calls after a moment of the key that has most of them."""
        ...

    def hear(self, account: str, process: str, jobs: int, due: float | None, now: float) -> None:
        """Note that a process waits for so many jobs, or no more if it is none.

        due: since when a look of it is due; None if none is.
        """
        ...

    def heard(self, account: str, process: str, now: float) -> tuple[int, float | None]:
        """The jobs that the other processes wait for, and since when their first look is due.

        Of processes that were heard of less than `FORGOTTEN_AFTER` from now.
        """
        ...

    def grant(self, account: str, now: float) -> None:
        """Note that a wait was let through."""
        ...

    def granted(self, account: str) -> float | None:
        """When a wait was last let through."""
        ...


def admit(
    rows: Rows, limits: Limits, caller: Caller, waiting: Waiting | None, now: float
) -> Admission:
    """Count a call, if it may be made now."""
    rows.forget(now, limits.window)
    for loser in rows.unmark_lost(now):
        _judge(rows, loser, Verdict.FAULT, now)
    # The guard comes first, then the budget.
    standing = rows.standing(caller)
    watched = is_watched(standing)
    refusal = danger(_risk(rows, caller, standing, now), now) if watched else None
    if refusal is None and limits.limit < math.inf:
        supply = _supply(rows, limits, caller, waiting, now)
        refusal = shortage(supply, limits, is_wait=waiting is not None)
    if waiting is not None:
        due = None if refusal is None else now - waiting.overdue
        rows.hear(caller.account, waiting.process, waiting.jobs, due, now)
    if refusal is not None:
        return refusal
    if limits.limit < math.inf:
        rows.count(caller.account, now)
    if waiting is not None:
        rows.grant(caller.account, now)
    return Admitted(rows.mark(caller, now) if watched else 0)


def settle(rows: Rows, caller: Caller, call: int, verdict: Verdict, now: float) -> None:
    """Note what came of a call."""
    rows.unmark(call)
    _judge(rows, caller, verdict, now)


def needs_settling(call: int, verdict: Verdict) -> bool:
    """Whether anything has to be noted; not for good news of a key known to be good."""
    return call != 0 or verdict is Verdict.FAULT or verdict is Verdict.REFUSED_KEY


def remaining(rows: Rows, limits: Limits, account: str | None, now: float) -> int:
    """The calls left now to a key; for None to the one with the fewest left."""
    if limits.limit == math.inf:
        return sys.maxsize
    since = now - limits.window
    used = rows.most_counted(since) if account is None else rows.counted(account, since)[0]
    return max(0, int(limits.limit) - used)


def _judge(rows: Rows, caller: Caller, verdict: Verdict, now: float) -> None:
    before = rows.standing(caller)
    after = settled(before, verdict, now)
    if after == before:
        return
    rows.keep(caller, after)
    if after.proven and not before.proven:
        rows.forgive(caller)
    elif not after.proven:
        rows.blame(caller, now)


def _risk(rows: Rows, caller: Caller, standing: Standing, now: float) -> Risk:
    faults, first_fault, under_way = 0, None, 0
    if not standing.proven:
        faults, first_fault, under_way = rows.site(caller.site, now - SITE_WINDOW)
    return Risk(
        standing=standing,
        under_way=rows.under_way(caller),
        site_faults=faults,
        site_under_way=under_way,
        site_return=0.0 if first_fault is None else _until_return(first_fault, SITE_WINDOW, now),
    )


def _supply(
    rows: Rows, limits: Limits, caller: Caller, waiting: Waiting | None, now: float
) -> Supply:
    since = now - limits.window
    used, first = rows.counted(caller.account, since)
    moments = [] if first is None else [first]
    if waiting is not None or used >= limits.limit:
        moments = rows.moments(caller.account, since, stride(used))
    jobs, grant, is_first = 0, None, True
    if waiting is not None:
        others, first_due = rows.heard(caller.account, waiting.process, now)
        jobs = waiting.jobs + others
        is_first = first_due is None or now - waiting.overdue <= first_due
        grant = rows.granted(caller.account)
    return Supply(
        used=used,
        returns=[_until_return(at, limits.window, now) for at in moments],
        # A grant dated in the future was made before the clock was set back: it holds no one up.
        since_grant=math.inf if grant is None or grant > now else now - grant,
        jobs=jobs,
        is_first=is_first,
    )


def _until_return(at: float, window: float, now: float) -> float:
    # In this order the difference of two unequal floats can't come out as zero.
    return at - (now - window)
