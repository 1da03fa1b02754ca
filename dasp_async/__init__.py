"""Async SOAP client for DiscountASP.NET's CustomerApi: await its jobs, many at once."""

from __future__ import annotations

from dasp_async.budget import CallBudget, MemoryBudget, RedisBudget, SqliteBudget
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
