"""The operations that the fake offers, as data: one row an operation.

Written out apart from `dasp_async.operations`, so that a slip there does not stand here too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from dasp_async.operations import NAMESPACE
from dasp_async.xsd import date_time_from_text

# .NET's DateTime.MinValue, which stands for a date that is not set, and Python's datetime.max
_MIN_VALUE: Final = "0001-01-01T00:00:00"
_MAX_VALUE: Final = "9999-12-31T23:59:59.999999"


@dataclass(frozen=True, slots=True)
class XsdType:
    """A simple type: its name in the WSDL, whether it can be null, and how it is read and written.

    missing: what ASMX reads where the element is missing.
    """

    name: str
    label: str
    nullable: bool
    missing: object
    from_text: Callable[[str], object]
    to_text: Callable[[Any], str | None]


def _guid_from_text(text: str) -> UUID:
    """A guid in one of .NET's spellings; raises `ValueError` with the runtime's text."""
    spelling = text.strip()
    if not spelling:
        raise ValueError("Unrecognized Guid format.")
    try:
        guid = UUID(spelling.strip("{}()"))
    except ValueError:
        guid = UUID(int=0)
    # UUID reads more than .NET does.
    if spelling.lower() not in {str(guid), guid.hex, f"{{{guid}}}", f"({guid})"}:
        raise ValueError(
            "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
        )
    return guid


def _date_time_to_text(moment: datetime | None) -> str:
    if moment is None:
        return _MIN_VALUE
    text = moment.replace(tzinfo=None).isoformat(timespec="microseconds")
    # .NET counts in 100 ns, so its largest date has a digit more than Python's.
    text = f"{text}9" if text == _MAX_VALUE else text.rstrip("0").rstrip(".")
    return text + _offset(moment)


def _offset(moment: datetime) -> str:
    offset = moment.utcoffset()
    if offset is None:
        return ""
    if moment.tzinfo is UTC:
        return "Z"
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"


STRING: Final = XsdType("s:string", "string", True, None, str, lambda text: text)
GUID: Final = XsdType("s1:guid", "guid", False, UUID(int=0), _guid_from_text, str)
DATE_TIME: Final = XsdType(
    "s:dateTime", "dateTime", False, None, date_time_from_text, _date_time_to_text
)


@dataclass(frozen=True, slots=True)
class Named:
    """A parameter, or a member of a record: its name on the wire, its type, its Python field."""

    name: str
    type: XsdType
    field: str = ""


@dataclass(frozen=True, slots=True)
class RecordType:
    """A complex type, and the fields of the dataclass that its members are read from."""

    name: str
    members: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: its name, what its help page says, its parameters in order, its result."""

    name: str
    documentation: str
    parameters: tuple[Named, ...]
    result: XsdType | RecordType

    @property
    def action(self) -> str:
        """The SOAPAction that names it."""
        return NAMESPACE + self.name


KEY: Final = Named("key", STRING)

GET_JOB_STATUS: Final = Operation(
    name="GetJobStatus",
    documentation="Get the status on an asynchronous job",
    parameters=(KEY, Named("jobId", GUID)),
    result=RecordType(
        "JobStatus",
        (
            Named("JobName", STRING, "job_name"),
            Named("Status", STRING, "status"),
            Named("StartDateTime", DATE_TIME, "start_date_time"),
            Named("CompletedDateTime", DATE_TIME, "completed_date_time"),
            Named("ErrorMessage", STRING, "error_message"),
        ),
    ),
)
SQL_2012_CREATE_BACKUP: Final = Operation(
    name="Sql2012CreateBackup",
    documentation="Start a backup of a SQL 2012 database; its result is a jobId for GetJobStatus",
    parameters=(KEY, Named("databaseName", STRING)),
    result=GUID,
)

OPERATIONS: Final = (GET_JOB_STATUS, SQL_2012_CREATE_BACKUP)
