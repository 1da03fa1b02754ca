"""The service's contract as data: one row an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from dasp_async.models import BandwidthUsage, JobRecord, SmAlias
from dasp_async.xsd import DATE_TIME, INT, JOB_ID, STRING, ArrayType, Element, SimpleType

ENDPOINT: Final = "https://api.discountasp.net/1.0/customerapi.asmx"
NAMESPACE: Final = "http://api.discountasp.net/"

ResultT = TypeVar("ResultT")


class Member(NamedTuple):
    """A member of a result: its name on the wire, the field it fills, and its type.

    item: the element of its items if it is an array, which fills its field with a tuple.
    """

    name: str
    field: str
    type: SimpleType
    item: str | None = None


class Record(Generic[ResultT]):
    """A result that is a sequence of members, and the dataclass that they fill.

    by_tag: the members by the tags of their elements.
    """

    __slots__ = ("build", "by_tag", "members")

    def __init__(self, build: Callable[..., ResultT], members: tuple[Member, ...]) -> None:
        self.build = build
        self.members = members
        self.by_tag = {f"{{{NAMESPACE}}}{member.name}": member for member in members}


class Nothing:
    """No result: an empty response says that it was done."""


class Records(NamedTuple):
    """A result that is an array of records, read as a list; `item` is their element's name."""

    item: str
    record: Record[Any]


class Rows(NamedTuple):
    """A result that is a DataSet: the rows of a table, read as a list.

    columns: the field that each column fills; other columns are left out.
    """

    build: Callable[..., Any]
    table: str
    columns: tuple[tuple[str, str], ...]


class Guid:
    """A result that is a guid: the id of a job that was started."""


class Anything:
    """A result of which nothing is known: the response element itself, as lxml reads it."""


Known: TypeAlias = Record[Any] | Nothing | Records | Rows | Guid


class Operation(Generic[ResultT]):
    """An operation.

    writes: whether it changes anything, and so must never be sent twice.
    """

    __slots__ = ("name", "parameters", "result", "writes")

    def __init__(
        self,
        name: str,
        parameters: tuple[Element, ...],
        result: Known | Anything,
        *,
        writes: bool,
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.result = result
        self.writes = writes

    @property
    def soap_action(self) -> str:
        """The value of SOAP 1.1's SOAPAction header, its quotes left out."""
        return NAMESPACE + self.name


KEY: Final = Element("key", STRING)
_STRINGS: Final = ArrayType.of(Element("string", STRING, nillable=True))

GET_JOB_STATUS: Final[Operation[JobRecord]] = Operation(
    name="GetJobStatus",
    parameters=(KEY, Element("jobId", JOB_ID, required=True)),
    result=Record(
        JobRecord,
        (
            Member("JobName", "job_name", STRING),
            Member("Status", "status", STRING),
            Member("StartDateTime", "start_date_time", DATE_TIME),
            Member("CompletedDateTime", "completed_date_time", DATE_TIME),
            Member("ErrorMessage", "error_message", STRING),
        ),
    ),
    writes=False,
)
BANDWIDTH_GET_USAGE: Final[Operation[list[BandwidthUsage]]] = Operation(
    name="BandwidthGetUsage",
    parameters=(
        KEY,
        Element("startDate", DATE_TIME, required=True),
        Element("endDate", DATE_TIME, required=True),
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
        Element("domainName", STRING),
        Element("userName", STRING),
        Element("password", STRING),
        Element("firstName", STRING),
        Element("lastName", STRING),
        Element("maxMailboxSizeInMB", INT, required=True),
    ),
    result=Nothing(),
    writes=True,
)
SM_ADD_ALIAS: Final[Operation[None]] = Operation(
    name="SMAddAlias",
    parameters=(
        KEY,
        Element("domainName", STRING),
        Element("aliasName", STRING),
        Element("addresses", _STRINGS),
    ),
    result=Nothing(),
    writes=True,
)
SM_UPDATE_ALIAS_ADDRESSES: Final[Operation[None]] = Operation(
    name="SMUpdateAliasAddresses",
    # Not `addresses`: ASMX would read that as null without a word.
    parameters=(
        KEY,
        Element("domainName", STRING),
        Element("aliasName", STRING),
        Element("newAddresses", _STRINGS),
    ),
    result=Nothing(),
    writes=True,
)
SM_GET_ALL_ALIASES: Final[Operation[list[SmAlias]]] = Operation(
    name="SMGetAllAliases",
    parameters=(KEY, Element("domainName", STRING)),
    result=Records(
        "SMAlias",
        Record(
            SmAlias,
            (
                Member("EmailAddress", "email_address", STRING),
                Member("Addresses", "addresses", STRING, item="string"),
            ),
        ),
    ),
    writes=False,
)

OPERATIONS: Final[tuple[Operation[Any], ...]] = (
    GET_JOB_STATUS,
    BANDWIDTH_GET_USAGE,
    SM_ADD_USER,
    SM_ADD_ALIAS,
    SM_UPDATE_ALIAS_ADDRESSES,
    SM_GET_ALL_ALIASES,
)
