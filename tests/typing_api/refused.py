"""What the checkers must refuse: an ignore that is not needed is an error itself.

Results are assigned, since an ignore also serves what one of the checkers says of unused ones.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import httpx

from dasp_async import (
    CustomerApi,
    FaultRules,
    HttpError,
    JobRules,
    JobStatus,
    MemoryBudget,
    Outcome,
    PollTimeout,
    RedisBudget,
    Schedule,
    SoapVersion,
    SqliteBudget,
    to_python,
)
from dasp_async.testing import (
    INT,
    KEY,
    Delay,
    DroppedConnection,
    Element,
    FakeClock,
    FakeCustomerApi,
    Fault,
    FrequencyLimit,
    Operation,
    RawAnswer,
    Values,
)


def made() -> None:
    """Clients that can't be."""
    _ = CustomerApi()  # type: ignore[call-arg]
    _ = CustomerApi(b"key")  # type: ignore[arg-type]
    _ = CustomerApi("key", "1.2")  # type: ignore[call-arg]
    _ = CustomerApi("key", version=1.2)  # type: ignore[arg-type]
    _ = CustomerApi("key", version="1.3")  # type: ignore[arg-type]
    _ = CustomerApi("key", timeout=3)  # type: ignore[call-arg]
    _ = CustomerApi("key", attempt_timeout="3")  # type: ignore[arg-type]
    _ = CustomerApi("key", attempts=2.5)  # type: ignore[arg-type]
    _ = CustomerApi("key", schedule=None)  # type: ignore[arg-type]
    _ = CustomerApi("key", budget=1000)  # type: ignore[arg-type]
    _ = CustomerApi("key", clock=FakeClock)  # type: ignore[arg-type]
    _ = CustomerApi("key", http_client=httpx.Client())  # type: ignore[arg-type]
    _ = CustomerApi.from_env("key")  # type: ignore[arg-type, call-arg]
    _ = CustomerApi.from_env(timeout=3)  # type: ignore[call-arg]
    _ = CustomerApi.from_env(attempts="3")  # type: ignore[arg-type]
    with CustomerApi("key"):  # type: ignore[attr-defined]
        pass


async def called(api: CustomerApi) -> None:
    """Calls that can't be made."""
    _ = await api.get_job_status(1)  # type: ignore[arg-type]
    _ = await api.call("SMAddAlias")  # type: ignore[call-arg]
    _ = await api.call("SMAddAlias", ["info"])  # type: ignore[arg-type]
    _ = await api.call("SMAddAlias", {}, False)  # type: ignore[call-arg]
    _ = await api.start_job("Sql2012CreateBackup", {}, writes=True)  # type: ignore[call-arg]
    _ = await api.bandwidth_get_usage("2026-03-01", "2026-03-31")  # type: ignore[arg-type]
    await api.sm_add_user("example.com", "jane", "password")  # type: ignore[call-arg]
    await api.sm_add_alias("example.com", "info", [1])  # type: ignore[list-item]
    _ = to_python("<a/>")  # type: ignore[call-overload]


async def waited(api: CustomerApi, outcome: Outcome) -> None:
    """Waits that can't be."""
    _ = await api.poll_until_done("id", 60)  # type: ignore[call-arg]
    _ = await api.poll_until_done("id", timeout="60")  # type: ignore[arg-type]
    _ = await api.poll_until_done("id", initial_delay=None)  # type: ignore[arg-type]
    _ = await api.poll_until_done("id", on_status=lambda: None)  # type: ignore[arg-type, misc]
    _ = await api.watch("id")  # type: ignore[misc]
    for _ in api.watch("id"):  # type: ignore[attr-defined]
        pass
    async for _ in api.poll_many(["id"]):  # type: ignore[attr-defined]
        pass
    _ = api.poll_many([1])  # type: ignore[list-item]
    _ = outcome.status.state  # type: ignore[union-attr]


def data(status: JobStatus, rules: JobRules, schedule: Schedule, late: PollTimeout) -> None:
    """What can't be changed, nor made."""
    status.status = "Done"  # type: ignore[misc]
    rules.done_words = frozenset()  # type: ignore[misc]
    schedule.initial = 1  # type: ignore[misc]
    _ = JobStatus(UUID(int=1))  # type: ignore[call-arg]
    _ = JobStatus(job_id="id")  # type: ignore[arg-type]
    _ = JobRules(done_words="Ready")  # type: ignore[arg-type]
    _ = FaultRules(account=None)  # type: ignore[arg-type]
    _ = Schedule(5)  # type: ignore[call-arg]
    _ = Schedule(jitter=timedelta(seconds=1))  # type: ignore[arg-type]
    _ = HttpError("text", status_code=500)  # type: ignore[call-arg]
    _ = late.last_status.state  # type: ignore[union-attr]
    SoapVersion.SOAP_1_2 = "1.1"  # type: ignore[misc]


def budgets() -> None:
    """Budgets that can't be."""
    _ = MemoryBudget(1000)  # type: ignore[call-arg]
    _ = MemoryBudget(limit=None)  # type: ignore[arg-type]
    _ = MemoryBudget(window=None)  # type: ignore[arg-type]
    _ = SqliteBudget()  # type: ignore[call-arg]
    _ = RedisBudget(6379)  # type: ignore[arg-type]


def answers(_: Values) -> Iterator[int]:
    """An answer that takes too little."""
    yield 1


def fakes(fake: FakeCustomerApi) -> None:
    """Fakes and scripts that can't be."""
    _ = FakeCustomerApi(operations=[INT])  # type: ignore[list-item]
    _ = FakeCustomerApi(frequency_limit=5)  # type: ignore[arg-type]
    _ = FrequencyLimit(1)  # type: ignore[call-arg]
    fake.calls = ()  # type: ignore[misc]
    _ = fake.add_job(1)  # type: ignore[arg-type]
    fake.trouble("Failed")  # type: ignore[arg-type]
    fake.add_bandwidth("2026-03-01", 1)  # type: ignore[arg-type]
    _ = Fault()  # type: ignore[call-arg]
    _ = RawAnswer(status="503")  # type: ignore[arg-type]
    _ = Delay(timedelta(seconds=1))  # type: ignore[arg-type]
    _ = DroppedConnection(20)  # type: ignore[call-arg]
    _ = Element("name", str)  # type: ignore[arg-type]
    _ = Operation("Get", (KEY,), INT, answers, writes=False)  # type: ignore[arg-type]
    _ = Operation("Get", (KEY,), INT, lambda _account, _values: 1)  # type: ignore[call-arg]
