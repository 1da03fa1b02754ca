"""A foreign SOAP client, zeep, with the fake's WSDL and a real socket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import zeep
import zeep.exceptions

from dasp_async.cli.fake import serving
from dasp_async.models import JobRecord
from dasp_async.testing import FakeCustomerApi, Fault

BINDINGS = ["CustomerApiSoap", "CustomerApiSoap12"]
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
