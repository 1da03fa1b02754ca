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

__all__ = [
    "Admission",
    "Admitted",
    "CallBudget",
    "Caller",
    "Closed",
    "NotYet",
    "UsedUp",
    "Verdict",
    "Waiting",
]
