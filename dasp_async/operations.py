"""The service's contract as data: one row an operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from dasp_async import xsd
from dasp_async.models import BandwidthUsage, JobRecord, SmAlias

ENDPOINT: Final = "https://api.discountasp.net/1.0/customerapi.asmx"
NAMESPACE: Final = "http://api.discountasp.net/"

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name on the wire, and how its values are written."""

    name: str
    to_content: Callable[[object], xsd.Content]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a result: its name on the wire, the field it fills, and how it is read.

    item: the element of its items if it is an array, which fills its field with a tuple.
    """

    name: str
    field: str
    from_text: Callable[[str], Any]
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Record(Generic[ResultT]):
    """A result that is a sequence of members, and the dataclass that they fill."""

    build: Callable[..., ResultT]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """No result: an empty response says that it was done."""


@dataclass(frozen=True, slots=True)
class Records:
    """A result that is an array of records, read as a list; `item` is their element."""

    item: str
    record: Record[Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """A result that is a DataSet: the rows of a table, read as a list.

    columns: the field that each column fills; other columns are left out.
    """

    build: Callable[..., Any]
    table: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Guid:
    """A result that is a guid: the id of a job that was started."""


@dataclass(frozen=True, slots=True)
class Anything:
    """A result of which nothing is known: the response element itself, as lxml reads it."""


Known: TypeAlias = Record[Any] | Nothing | Records | Rows | Guid


@dataclass(frozen=True, slots=True, eq=False)
class Operation(Generic[ResultT]):
    """An operation, equal to itself alone.

    writes: whether it changes anything, and so must never be sent twice.
    """

    name: str
    parameters: tuple[Parameter, ...]
    result: Known | Anything
    writes: bool

    @property
    def soap_action(self) -> str:
        """The value of SOAP 1.1's SOAPAction header, its quotes left out."""
        return NAMESPACE + self.name


def operation_of(
    name: str, parameters: object, result: Known | Anything, *, writes: bool
) -> tuple[Operation[Any], list[object]]:
    """An operation that has no row here, and its arguments; those that are None are left out.

    Raises `ValueError` or `TypeError` for names that can't be sent.
    """
    if not isinstance(parameters, Mapping):
        raise TypeError(f"parameters must be a mapping, not {type(parameters).__name__}")
    values = cast("Mapping[object, object]", parameters)
    what = "operation"
    try:
        xsd.checked_name(name)
        what = "parameters"
        given = {
            xsd.checked_name(each): value for each, value in values.items() if value is not None
        }
    except ValueError as problem:
        raise ValueError(f"{what} {problem}") from None
    if KEY.name in values:
        raise ValueError("the key is sent of its own accord: leave it out of the parameters")
    rows = (KEY, *(Parameter(each, xsd.content_of) for each in given))
    return Operation(name, rows, result, writes), list(given.values())


def _string(name: str) -> Parameter:
    return Parameter(name, xsd.string_to_text)


def _strings(name: str) -> Parameter:
    return Parameter(name, xsd.strings_to_content)


KEY: Final = _string("key")

GET_JOB_STATUS: Final[Operation[JobRecord]] = Operation(
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
BANDWIDTH_GET_USAGE: Final[Operation[list[BandwidthUsage]]] = Operation(
    name="BandwidthGetUsage",
    parameters=(
        KEY,
        Parameter("startDate", xsd.date_time_to_text),
        Parameter("endDate", xsd.date_time_to_text),
    ),
    result=Rows(
        BandwidthUsage,
        table="UsageSummary",
        columns=(("UseDate", "use_date"), ("Quantity", "quantity")),
    ),
    writes=False,
)
SM_ADD_USER: Final[Operation[None]] = Operation(
    name="SMAddUser",
    parameters=(
        KEY,
        _string("domainName"),
        _string("userName"),
        _string("password"),
        _string("firstName"),
        _string("lastName"),
        Parameter("maxMailboxSizeInMB", xsd.int_to_text),
    ),
    result=Nothing(),
    writes=True,
)
SM_ADD_ALIAS: Final[Operation[None]] = Operation(
    name="SMAddAlias",
    parameters=(KEY, _string("domainName"), _string("aliasName"), _strings("addresses")),
    result=Nothing(),
    writes=True,
)
SM_UPDATE_ALIAS_ADDRESSES: Final[Operation[None]] = Operation(
    name="SMUpdateAliasAddresses",
    # Not `addresses`: ASMX would read that as null without a word.
    parameters=(KEY, _string("domainName"), _string("aliasName"), _strings("newAddresses")),
    result=Nothing(),
    writes=True,
)
SM_GET_ALL_ALIASES: Final[Operation[list[SmAlias]]] = Operation(
    name="SMGetAllAliases",
    parameters=(KEY, _string("domainName")),
    result=Records(
        "SMAlias",
        Record(
            SmAlias,
            (
                Member("EmailAddress", "email_address", str),
                Member("Addresses", "addresses", str, item="string"),
            ),
        ),
    ),
    writes=False,
)
