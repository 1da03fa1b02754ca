"""The operations that the fake offers, as data: one row an operation.

Written out apart from `dasp_async.operations`, so that a slip there does not stand here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Final

from dasp_async import arguments
from dasp_async.operations import NAMESPACE
from dasp_async.testing import checks
from dasp_async.testing.account import Account, Values
from dasp_async.testing.types import (
    DATE_TIME,
    DECIMAL,
    GUID,
    INT,
    SECRET,
    STRING,
    STRINGS,
    ArrayType,
    DataSetType,
    Element,
    RecordType,
    ValueType,
)

KEY: Final = Element("key", SECRET)
"""The parameter that every operation takes first, and that tells the caller."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the service, as its help page describes it.

    name: on the wire. parameters: in their order, `KEY` among them.
    result: its type; None for no result at all.
    answer: what the service's own code does. It is called with the fake's `Account` and the
    parameters by their keys (None for null, a `Secret` for a `SECRET`), and returns a value of
    the result's type, None for null, or a `Fault` or a `RawAnswer` to be answered instead. What
    it raises is answered as a fault, as ASMX does it, and logged.
    writes: whether it changes anything; the sandbox key lets it do nothing then.
    documentation: the line on the help page.

    Raises `TypeError` or `ValueError` for arguments of other kinds, and for a `KEY` left out.
    """

    name: str
    parameters: tuple[Element, ...]
    result: ValueType | DataSetType | None
    answer: Callable[[Account, Values], object]
    _: KW_ONLY
    writes: bool
    documentation: str = ""

    def __post_init__(self) -> None:
        checks.xml_name("name", self.name)
        parameters = checks.each_kind_of("parameters", self.parameters, Element)
        object.__setattr__(self, "parameters", parameters)
        checks.kind_of("result", self.result, ValueType | DataSetType | None)
        if self.answer is None:
            raise TypeError("answer must be a plain function, not None")
        arguments.callback("answer", self.answer)
        checks.kind_of("writes", self.writes, bool)
        checks.kind_of("documentation", self.documentation, str)
        if (KEY.key, SECRET) not in {(each.key, each.type) for each in self.parameters}:
            raise ValueError("parameters must hold KEY: every operation takes the key")

    @property
    def action(self) -> str:
        """The SOAPAction that names it."""
        return NAMESPACE + self.name


class Contract:
    """A fake's operations, and how requests find them: by SOAPAction, by element, by name."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.operations = checks.each_kind_of("operations", operations, Operation)
        self.by_name: Mapping[str, Operation] = {each.name: each for each in self.operations}
        self.by_action = {each.action: each for each in self.operations}
        self.by_element = {f"{{{NAMESPACE}}}{each.name}": each for each in self.operations}
        if len(self.by_name) < len(self.operations):
            raise ValueError("operations must have names of their own")


_ROWS: Final = (
    Operation(
        "GetJobStatus",
        (KEY, Element("jobId", GUID)),
        RecordType(
            "JobStatus",
            (
                Element("JobName", STRING, "job_name"),
                Element("Status", STRING, "status"),
                Element("StartDateTime", DATE_TIME, "start_date_time"),
                Element("CompletedDateTime", DATE_TIME, "completed_date_time"),
                Element("ErrorMessage", STRING, "error_message"),
            ),
        ),
        Account.job_status,
        writes=False,
        documentation="Get the status on an asynchronous job",
    ),
    Operation(
        "Sql2012CreateBackup",
        (KEY, Element("databaseName", STRING)),
        GUID,
        lambda account, _: account.start_job("Sql2012CreateBackup"),
        writes=True,
        documentation="Start a backup of a SQL 2012 database; its result is a jobId for "
        "GetJobStatus",
    ),
    Operation(
        "BandwidthGetUsage",
        (KEY, Element("startDate", DATE_TIME), Element("endDate", DATE_TIME)),
        DataSetType("UsageSummary", (Element("UseDate", DATE_TIME), Element("Quantity", DECIMAL))),
        Account.bandwidth_usage,
        writes=False,
        documentation="Get the bandwidth usage for a date range",
    ),
    Operation(
        "SMAddUser",
        (
            KEY,
            Element("domainName", STRING),
            Element("userName", STRING),
            Element("password", SECRET),
            Element("firstName", STRING),
            Element("lastName", STRING),
            Element("maxMailboxSizeInMB", INT),
        ),
        None,
        Account.add_mailbox,
        writes=True,
        documentation="Add a SmarterMail user",
    ),
    Operation(
        "SMAddAlias",
        (
            KEY,
            Element("domainName", STRING),
            Element("aliasName", STRING),
            Element("addresses", STRINGS),
        ),
        None,
        Account.add_alias,
        writes=True,
        documentation="Add a SmarterMail alias",
    ),
    Operation(
        "SMUpdateAliasAddresses",
        (
            KEY,
            Element("domainName", STRING),
            Element("aliasName", STRING),
            Element("newAddresses", STRINGS),
        ),
        None,
        Account.update_alias,
        writes=True,
        documentation="Replace the addresses of a SmarterMail alias",
    ),
    Operation(
        "SMGetAllAliases",
        (KEY, Element("domainName", STRING)),
        ArrayType(
            RecordType("SMAlias", (Element("EmailAddress", STRING), Element("Addresses", STRINGS)))
        ),
        Account.all_aliases,
        writes=False,
        documentation="Get all SmarterMail aliases of a domain",
    ),
)

OPERATIONS: Final[Mapping[str, Operation]] = {row.name: row for row in _ROWS}
"""The operations that are known, by name: `{**OPERATIONS, "X": row}.values()` puts one in."""
