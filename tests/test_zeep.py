"""A foreign SOAP client, zeep, with the fake's WSDL and a real socket; and ours beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import anyio
import pytest
import zeep
import zeep.exceptions

from dasp_async import CustomerApi, SoapVersion
from dasp_async.cli.fake import serving
from dasp_async.models import BandwidthUsage, JobRecord, JobStatus, SmAlias
from dasp_async.secret import Secret
from dasp_async.testing import OPERATIONS, FakeCustomerApi, Fault

KEY = "test-key"
BINDINGS = ["CustomerApiSoap", "CustomerApiSoap12"]
VERSIONS = {"CustomerApiSoap": "1.1", "CustomerApiSoap12": "1.2"}
START = datetime(2026, 3, 14, 9, 26, 53, 120_000, UTC)


def service(url: str, binding: str) -> Any:
    # zeep has no type hints
    client: Any = zeep
    return client.Client(f"{url}?WSDL").bind("CustomerApi", binding)


@pytest.mark.parametrize("binding", BINDINGS)
def test_reads_a_job(binding: str) -> None:
    fake = FakeCustomerApi()
    record = JobRecord("Sql2012CreateBackup", "Running", START, None, "a < b")
    job = fake.add_job(record)
    with serving(fake) as url:
        answer = service(url, binding).GetJobStatus(key="test-key", jobId=str(job))
    assert answer.JobName == "Sql2012CreateBackup"
    assert answer.Status == "Running"
    assert answer.StartDateTime == START
    assert answer.CompletedDateTime == datetime.min  # noqa: DTZ901 - as ASMX sends it
    assert answer.ErrorMessage == "a < b"
    assert fake.calls[0].operation == "GetJobStatus"


@pytest.mark.parametrize("binding", BINDINGS)
def test_starts_a_job(binding: str) -> None:
    fake = FakeCustomerApi()
    fake.script_started_jobs("Queued", "Completed")
    with serving(fake) as url:
        api = service(url, binding)
        job = api.Sql2012CreateBackup(key="test-key", databaseName="DB_1")
        looks = [api.GetJobStatus(key="test-key", jobId=job) for _ in range(2)]
    assert UUID(job)
    assert [look.Status for look in looks] == ["Queued", "Completed"]
    assert [look.JobName for look in looks] == ["Sql2012CreateBackup"] * 2
    assert looks[0].ErrorMessage is None
    assert fake.calls[0].parameters["databaseName"] == "DB_1"


@pytest.mark.parametrize("binding", BINDINGS)
def test_reads_a_null_result(binding: str) -> None:
    fake = FakeCustomerApi()
    job = fake.add_job(None)
    with serving(fake) as url:
        assert service(url, binding).GetJobStatus(key="test-key", jobId=str(job)) is None


@pytest.mark.parametrize(
    ("binding", "code"),
    [("CustomerApiSoap", "soap:Client"), ("CustomerApiSoap12", "soap:Sender")],
)
def test_reads_a_fault(binding: str, code: str) -> None:
    fake = FakeCustomerApi()
    fake.trouble(Fault("The job belongs to another customer.", "Client", detail="<code>5</code>"))
    with serving(fake) as url:
        api = service(url, binding)
        with pytest.raises(zeep.exceptions.Fault) as caught:
            api.GetJobStatus(key="test-key", jobId=str(UUID(int=1)))
    fault: Any = caught.value
    assert fault.message == "The job belongs to another customer."
    assert fault.code == code


# --- zeep and our own client, side by side ----------------------------------------------------

JOB = UUID(int=7)
WEST = timezone(timedelta(hours=-7))
MARCH, APRIL = datetime(2026, 3, 1), datetime(2026, 4, 1)  # noqa: DTZ001 - sent without an offset


@dataclass(frozen=True, kw_only=True)
class Case:
    """An operation as zeep calls it, as our client does, and how both answers are compared."""

    parameters: dict[str, object]
    ours: Callable[[CustomerApi], Awaitable[Any]]
    of_zeep: Callable[[Any], object] = lambda answer: answer
    of_ours: Callable[[Any], object] = lambda answer: answer


def members_of_job(answer: Any) -> list[object]:
    names = ("JobName", "Status", "StartDateTime", "CompletedDateTime", "ErrorMessage")
    return [answer[name] for name in names]


def members_of_status(status: JobStatus) -> list[object]:
    return [
        status.job_name,
        status.status,
        status.start_date_time,
        status.completed_date_time,
        status.error_message,
    ]


def usage_of(answer: Any) -> list[BandwidthUsage]:
    """The rows of a DataSet, which zeep reads by the schema in it."""
    (part,) = answer._value_1  # noqa: SLF001 - zeep's name for what xs:any stands for
    rows = [row["UsageSummary"] for row in part["_value_2"]._value_1]  # noqa: SLF001 - see above
    return [BandwidthUsage(row.UseDate, row.Quantity) for row in rows]


def aliases_of(answer: Any) -> list[SmAlias]:
    return [SmAlias(each.EmailAddress, tuple(each.Addresses.string)) for each in answer]


CASES = {
    "GetJobStatus": Case(
        parameters={"jobId": str(JOB)},
        ours=lambda api: api.get_job_status(JOB),
        of_zeep=members_of_job,
        of_ours=members_of_status,
    ),
    "Sql2012CreateBackup": Case(
        parameters={"databaseName": "DB_1"},
        ours=lambda api: api.start_job("Sql2012CreateBackup", {"databaseName": "DB_1"}),
        of_zeep=UUID,
    ),
    "BandwidthGetUsage": Case(
        parameters={"startDate": MARCH, "endDate": APRIL},
        ours=lambda api: api.bandwidth_get_usage(MARCH, APRIL),
        of_zeep=usage_of,
    ),
    "SMAddUser": Case(
        parameters={
            "domainName": "example.com",
            "userName": "jane",
            "password": "a-test-password <&>",
            "firstName": "Jane",
            "lastName": "D\u00f6e",
            "maxMailboxSizeInMB": 250,
        },
        ours=lambda api: api.sm_add_user(
            "example.com",
            "jane",
            "a-test-password <&>",
            first_name="Jane",
            last_name="D\u00f6e",
            max_mailbox_size_in_mb=250,
        ),
    ),
    "SMAddAlias": Case(
        parameters={
            "domainName": "example.com",
            "aliasName": "sales",
            "addresses": {"string": ["a@example.com", "b@example.com"]},
        },
        ours=lambda api: api.sm_add_alias(
            "example.com", "sales", ["a@example.com", "b@example.com"]
        ),
    ),
    "SMUpdateAliasAddresses": Case(
        parameters={
            "domainName": "example.com",
            "aliasName": "info",
            "newAddresses": {"string": ["c@example.com"]},
        },
        ours=lambda api: api.sm_update_alias_addresses("example.com", "info", ["c@example.com"]),
    ),
    "SMGetAllAliases": Case(
        parameters={"domainName": "example.com"},
        ours=lambda api: api.sm_get_all_aliases("example.com"),
        of_zeep=aliases_of,
    ),
}


def seeded() -> FakeCustomerApi:
    fake = FakeCustomerApi()
    fake.add_job(
        JobRecord("Sql2012CreateBackup", "Failed", START, START.astimezone(WEST), "a < b"),
        job_id=JOB,
    )
    fake.add_bandwidth(MARCH.replace(tzinfo=WEST), Decimal("1.50"))
    fake.add_bandwidth(datetime(2026, 3, 2, tzinfo=WEST), 0)
    return fake


async def with_ours(
    url: str, version: str, ours: Callable[[CustomerApi], Awaitable[Any]] | None = None
) -> Any:
    """What our client gets, once it has made the aliases that each case begins with."""
    async with CustomerApi(KEY, endpoint=url, version=SoapVersion(version), budget=None) as api:
        await api.sm_add_alias("example.com", "info", ["a@example.com", "b@example.com"])
        await api.sm_add_alias("example.com", "other", ["c@example.com"])
        return None if ours is None else await ours(api)


def revealed(values: Any) -> dict[str, object]:
    return {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in values.items()
    }


def effect_on(fake: FakeCustomerApi) -> tuple[object, ...]:
    """What the fake took the last call for, and what has become of it since."""
    last = fake.calls[-1]
    passwords = [each.password.reveal() for each in fake.mailboxes]
    state = (fake.mailboxes, passwords, fake.aliases)
    return (last.operation, last.version, revealed(last.parameters), last.status, *state)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("operation", CASES)
def test_zeep_and_ours_read_and_do_the_same(operation: str, binding: str) -> None:
    case, version = CASES[operation], VERSIONS[binding]
    fake_of_zeep, fake_of_ours = seeded(), seeded()

    with serving(fake_of_zeep) as url:
        anyio.run(with_ours, url, version)
        call = getattr(service(url, binding), operation)
        answer_of_zeep = call(key=KEY, **case.parameters)
    with serving(fake_of_ours) as url:
        answer_of_ours = anyio.run(with_ours, url, version, case.ours)

    assert case.of_zeep(answer_of_zeep) == case.of_ours(answer_of_ours)
    assert effect_on(fake_of_zeep) == effect_on(fake_of_ours)
    assert fake_of_zeep.calls[-1].operation == operation


def test_every_operation_is_compared() -> None:
    assert CASES.keys() == OPERATIONS.keys()
