"""A client's settings by name, and those that the environment names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import EllipsisType
from typing import Final, TypedDict

from dasp_async.budget import CallBudget
from dasp_async.clock import Clock
from dasp_async.models import Exchange, FaultRules, JobRules
from dasp_async.polling import Schedule
from dasp_async.transport import HttpClient

# By the parameters of a client
VARIABLES: Final[Mapping[str, str]] = {
    "key": "DASP_API_KEY",
    "endpoint": "DASP_ENDPOINT",
    "version": "DASP_SOAP_VERSION",
}


class Settings(TypedDict, total=False):
    """What a client takes beside key, endpoint and version."""

    http_client: HttpClient | None
    allow_http: bool
    attempt_timeout: float | timedelta | None
    attempts: int
    max_in_flight: int
    max_response_bytes: int
    schedule: Schedule
    job_rules: JobRules
    budget: CallBudget | EllipsisType | None
    fault_rules: FaultRules
    on_exchange: Callable[[Exchange], None] | None
    clock: Clock | None
