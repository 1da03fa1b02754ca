"""The service's contract as data: one row an operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from dasp_async import xsd
from dasp_async.models import JobRecord

ENDPOINT: Final = "https://api.discountasp.net/1.0/customerapi.asmx"
NAMESPACE: Final = "http://api.discountasp.net/"

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name on the wire, and how its values are written."""

    name: str
    to_text: Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a result: its name on the wire, the field it fills, and how it is read."""

    name: str
    field: str
    from_text: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Record(Generic[ResultT]):
    """A result that is a sequence of members, and the dataclass that they fill."""

    build: Callable[..., ResultT]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Operation(Generic[ResultT]):
    """An operation, equal to itself alone.

    writes: whether it changes anything, and so must never be sent twice.
    """

    name: str
    parameters: tuple[Parameter, ...]
    result: Record[ResultT]
    writes: bool

    @property
    def soap_action(self) -> str:
        """The value of SOAP 1.1's SOAPAction header, its quotes left out."""
        return NAMESPACE + self.name


KEY: Final = Parameter("key", xsd.string_to_text)

GET_JOB_STATUS: Final = Operation(
    name="GetJobStatus",
    parameters=(KEY, Parameter("jobId", xsd.guid_to_text)),
    result=Record(
        JobRecord,
        (
            Member("JobName", "job_name", str),
            Member("Status", "status", str),
            Member("StartDateTime", "start_date_time", xsd.date_time_from_text),
            Member("CompletedDateTime", "completed_date_time", xsd.date_time_from_text),
            Member("ErrorMessage", "error_message", str),
        ),
    ),
    writes=False,
)
