"""Async SOAP client for DiscountASP.NET's CustomerApi: await its jobs, many at once."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dasp_async.budget import CallBudget
    from dasp_async.budget.memory import MemoryBudget
    from dasp_async.budget.redis import RedisBudget
    from dasp_async.budget.sqlite import SqliteBudget
    from dasp_async.client import CustomerApi
    from dasp_async.clock import Clock
    from dasp_async.elements import to_python
    from dasp_async.errors import (
        AttemptTimeout,
        BudgetExhausted,
        CallRefused,
        DaspError,
        HttpError,
        InvalidResponse,
        JobFailed,
        LockoutRisk,
        PollTimeout,
        SoapFault,
        TransportError,
    )
    from dasp_async.models import (
        BandwidthUsage,
        Exchange,
        FaultRules,
        JobRules,
        JobState,
        JobStatus,
        Outcome,
        SmAlias,
    )
    from dasp_async.polling import Schedule
    from dasp_async.soap import SoapVersion
    from dasp_async.transport import HttpClient
    from dasp_async.wsdl import OperationDescription, ServiceDescription
    from dasp_async.xsd import NIL

__version__ = "0.1.0"

__all__ = [
    "NIL",
    "AttemptTimeout",
    "BandwidthUsage",
    "BudgetExhausted",
    "CallBudget",
    "CallRefused",
    "Clock",
    "CustomerApi",
    "DaspError",
    "Exchange",
    "FaultRules",
    "HttpClient",
    "HttpError",
    "InvalidResponse",
    "JobFailed",
    "JobRules",
    "JobState",
    "JobStatus",
    "LockoutRisk",
    "MemoryBudget",
    "OperationDescription",
    "Outcome",
    "PollTimeout",
    "RedisBudget",
    "Schedule",
    "ServiceDescription",
    "SmAlias",
    "SoapFault",
    "SoapVersion",
    "SqliteBudget",
    "TransportError",
    "to_python",
]

# By module: each is loaded when one of its names is first asked for (PEP 562). Where a folder has
# the name too, the folder is named: else two threads could wait for each other's imports.
_NAMES = {
    "dasp_async.budget": ("CallBudget",),
    "dasp_async.budget.memory": ("MemoryBudget",),
    "dasp_async.budget.redis": ("RedisBudget",),
    "dasp_async.budget.sqlite": ("SqliteBudget",),
    "dasp_async.client": ("CustomerApi",),
    "dasp_async.clock": ("Clock",),
    "dasp_async.elements": ("to_python",),
    "dasp_async.errors": (
        "AttemptTimeout",
        "BudgetExhausted",
        "CallRefused",
        "DaspError",
        "HttpError",
        "InvalidResponse",
        "JobFailed",
        "LockoutRisk",
        "PollTimeout",
        "SoapFault",
        "TransportError",
    ),
    "dasp_async.models": (
        "BandwidthUsage",
        "Exchange",
        "FaultRules",
        "JobRules",
        "JobState",
        "JobStatus",
        "Outcome",
        "SmAlias",
    ),
    "dasp_async.polling": ("Schedule",),
    "dasp_async.soap": ("SoapVersion",),
    "dasp_async.transport": ("HttpClient",),
    "dasp_async.wsdl": ("OperationDescription", "ServiceDescription"),
    "dasp_async.xsd": ("NIL",),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}

if not TYPE_CHECKING:  # pragma: no branch - always so when it runs

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
