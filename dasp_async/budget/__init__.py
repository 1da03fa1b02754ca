"""How many calls are left and when the next may go, for one process or for several."""

from __future__ import annotations

from dasp_async.budget.contract import (
    Admission,
    Admitted,
    CallBudget,
    Caller,
    Closed,
    NotYet,
    UsedUp,
    Verdict,
    Waiting,
)
from dasp_async.budget.memory import MemoryBudget
from dasp_async.budget.redis import RedisBudget
from dasp_async.budget.sqlite import SqliteBudget

__all__ = [
    "Admission",
    "Admitted",
    "CallBudget",
    "Caller",
    "Closed",
    "MemoryBudget",
    "NotYet",
    "RedisBudget",
    "SqliteBudget",
    "UsedUp",
    "Verdict",
    "Waiting",
]
