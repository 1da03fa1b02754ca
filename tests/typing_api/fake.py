"""The fake service, its clock, and the rows of its contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import assert_type
from uuid import UUID

import httpx

from dasp_async import Clock, SoapVersion
from dasp_async.testing import (
    BOOLEAN,
    DATE_TIME,
    DECIMAL,
    GUID,
    INT,
    KEY,
    LONG,
    OPERATIONS,
    SECRET,
    STRING,
    STRINGS,
    Account,
    ArrayType,
    DataSetType,
    Delay,
    DroppedConnection,
    Element,
    FakeClock,
    FakeCustomerApi,
    Fault,
    FrequencyLimit,
    JobRecord,
    Mailbox,
    Operation,
    RawAnswer,
    ReceivedCall,
    RecordType,
    Secret,
    Step,
    Trouble,
    Values,
)
from dasp_async.testing.types import SimpleType


def made(clock: Clock) -> None:
    """All that a fake can be made with."""
    fake = FakeCustomerApi(
        "test-key",
        sandbox_key="sandbox-key",
        operations=OPERATIONS.values(),
        daily_limit=1000,
        frequency_limit=FrequencyLimit(calls=1, seconds=1.5),
        lockout_after=25,
        clock=clock,
    )
    FakeCustomerApi(sandbox_key=None, operations=None, daily_limit=None, frequency_limit=None)
    FakeCustomerApi(lockout_after=None, clock=None)
    httpx.ASGITransport(app=fake)


def told(fake: FakeCustomerApi) -> None:
    """What it tells."""
    assert_type(fake.calls, tuple[ReceivedCall, ...])
    assert_type(fake.mailboxes, tuple[Mailbox, ...])
    assert_type(fake.aliases, dict[str, tuple[str | None, ...]])
    assert_type(fake.clock, Clock)
    assert_type(fake.assert_called("GetJobStatus"), None)
    fake.assert_called("GetJobStatus", {"jobId": UUID(int=1)}, times=1)
    call = fake.calls[0]
    assert_type(call.operation, str | None)
    assert_type(call.version, SoapVersion)
    assert_type(call.headers, Mapping[str, str])
    assert_type(list(call.parameters), list[str])
    assert_type(call.at, float)
    assert_type(call.status, int | None)
    assert_type(call.fits("GetJobStatus", {"jobId": UUID(int=1)}), bool)
    mailbox = fake.mailboxes[0]
    assert_type(mailbox.domain_name, str)
    assert_type(mailbox.user_name, str)
    assert_type(mailbox.password, Secret)
    assert_type(mailbox.password.reveal(), str)
    assert_type(mailbox.first_name, str | None)
    assert_type(mailbox.last_name, str | None)
    assert_type(mailbox.max_mailbox_size_in_mb, int)


def scripted(fake: FakeCustomerApi, steps: list[Step]) -> None:
    """Jobs, rows and trouble."""
    record = JobRecord("name", "status", datetime.min, None, error_message=None)  # noqa: DTZ901 - .NET's
    assert_type(record.job_name, str | None)
    assert_type(record.status, str | None)
    assert_type(record.start_date_time, datetime | None)
    assert_type(record.completed_date_time, datetime | None)
    assert_type(record.error_message, str | None)
    assert_type(fake.add_job("Pending", record, None, Fault("no"), RawAnswer(b"")), UUID)
    assert_type(fake.add_job(*steps, error_message="text", job_id="id", name="Any"), UUID)
    assert_type(fake.add_job(duration=1.5, job_id=UUID(int=1)), UUID)
    assert_type(fake.script_started_jobs("Running", "Failed", error_message="text"), None)
    assert_type(fake.script_started_jobs(duration=60), None)
    assert_type(fake.add_bandwidth(date(2026, 3, 1), Decimal("1.5")), None)
    assert_type(fake.add_bandwidth(datetime(2026, 3, 1), None), None)  # noqa: DTZ001 - both do
    troubles: list[Trouble] = [Fault("no"), RawAnswer(), Delay(1), DroppedConnection(after=None)]
    for trouble in troubles:
        assert_type(fake.trouble(trouble, times=2), None)


def told_of_trouble(
    fault: Fault, answer: RawAnswer, delay: Delay, dropped: DroppedConnection, limit: FrequencyLimit
) -> None:
    """What each trouble is made of."""
    Fault(reason="no", code="Client", subcode=None, actor="", role="", language="en", detail="<a/>")
    assert_type(fault.reason, str)
    assert_type(fault.code, str)
    assert_type(fault.subcode, str | None)
    assert_type(fault.actor, str | None)
    assert_type(fault.role, str | None)
    assert_type(fault.language, str | None)
    assert_type(fault.detail, str | None)
    RawAnswer("busy", status=503, content_type="text/plain", headers={"Retry-After": "77"})
    assert_type(answer.body, bytes | str)
    assert_type(answer.status, int)
    assert_type(answer.content_type, str)
    assert_type(answer.headers, Mapping[str, str])
    assert_type(delay.seconds, float)
    assert_type(dropped.after, int | None)
    assert_type(limit.calls, int)
    assert_type(limit.seconds, float)


async def clock() -> None:
    """The clock that jumps."""
    clock = FakeClock(start=0)
    fits: Clock = clock
    assert_type(fits.time(), float)
    assert_type(clock.monotonic(), float)
    assert_type(clock.time(), float)
    assert_type(clock.advance(timedelta(minutes=1).total_seconds()), None)
    assert_type(await clock.sleep(1), None)


def size(account: Account, values: Values) -> int | Fault:
    """An answer of one's own."""
    assert_type(account.mailboxes, list[Mailbox])
    assert_type(account.aliases, dict[tuple[str, str], tuple[str | None, ...]])
    assert_type(account.bandwidth, list[tuple[datetime, Decimal | int | None]])
    assert_type(account.start_job("GetSize"), UUID)
    assert_type(account.free_id(), UUID)
    return len(values["name"]) or Fault("empty")


def contract() -> None:
    """Rows of one's own."""
    row = Operation("GetSize", (KEY, Element("name", STRING)), INT, size, writes=False)
    assert_type(row.name, str)
    assert_type(row.parameters, tuple[Element, ...])
    assert_type(row.writes, bool)
    assert_type(row.documentation, str)
    assert_type(row.action, str)
    assert_type(row.result, SimpleType | ArrayType | RecordType | DataSetType | None)
    row.answer(Account(clock=FakeClock()), {"name": "x"})
    assert_type(replace(OPERATIONS["SMAddAlias"], documentation=""), Operation)
    FakeCustomerApi(operations={**OPERATIONS, "GetSize": row}.values())
    assert_type(OPERATIONS, Mapping[str, Operation])


def types() -> None:
    """The types of parameters and results."""
    simple = (BOOLEAN, DATE_TIME, DECIMAL, GUID, INT, LONG, SECRET, STRING)
    members = tuple(Element(each.name, each, key="k") for each in simple)
    assert_type(members, tuple[Element, ...])
    assert_type(STRINGS, ArrayType)
    assert_type(STRINGS.name, str)
    assert_type(STRINGS.missing, None)
    record = RecordType("Record", members)
    assert_type(record.name, str)
    assert_type(record.members, tuple[Element, ...])
    assert_type(record.missing, None)
    array = ArrayType(record)
    assert_type(Element("records", array).key, str)
    assert_type(members[0].name, str)
    assert_type(members[0].type, SimpleType | ArrayType | RecordType)
    assert_type(array.item, SimpleType | ArrayType | RecordType)
    rows = DataSetType("Rows", members, name="Set", has_changes=True)
    assert_type(rows.table, str)
    assert_type(rows.columns, tuple[Element, ...])
    assert_type(rows.name, str)
    assert_type(rows.has_changes, bool)
