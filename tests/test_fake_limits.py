"""`FakeCustomerApi`: the sandbox key, the limits, and the lock-out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from dasp_async import CustomerApi, FaultRules, JobState, SoapFault
from dasp_async.testing import FakeClock, FakeCustomerApi, Fault, FrequencyLimit
from tests.test_fake_service import KEY, PROCESS, api_of, envelope, fault_of, post
from tests.test_fake_service import call as look

SANDBOX = "sandbox-test-key"
RULES = FaultRules()
JOB = UUID(int=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def reason_of(fake: FakeCustomerApi, key: str = KEY) -> str:
    """Why a look at a job is refused; empty if it is answered."""
    answer = await post(fake, envelope(look(JOB, key=key)))
    return "" if answer.status_code == 200 else fault_of(answer)[1]


# --- the sandbox key --------------------------------------------------------------------------


async def test_the_sandbox_key_reads_and_does_not_write(clock: FakeClock) -> None:
    fake = FakeCustomerApi(KEY, sandbox_key=SANDBOX, clock=clock)
    job = fake.add_job("Completed")
    async with api_of(fake, clock) as api:
        await api.sm_add_alias("example.com", "info", ["a@example.com"])
    async with api_of(fake, clock, SANDBOX) as api:
        await api.sm_add_alias("example.com", "other", ["b@example.com"])
        await api.sm_update_alias_addresses("example.com", "info", [])
        await api.sm_add_user(
            "example.com",
            "jane",
            "a-test-password",
            first_name="Jane",
            last_name="Doe",
            max_mailbox_size_in_mb=1,
        )
        listed = await api.sm_get_all_aliases("example.com")
        assert (await api.get_job_status(job)).state is JobState.DONE
    assert [each.email_address for each in listed] == ["info@example.com"]
    assert fake.aliases == {"info@example.com": ("a@example.com",)}
    assert fake.mailboxes == ()


async def test_the_sandbox_key_starts_no_job_and_is_told_an_id(clock: FakeClock) -> None:
    fake = FakeCustomerApi(KEY, sandbox_key=SANDBOX, clock=clock)
    fake.script_started_jobs("Completed")
    parameters = {"databaseName": "DB_1"}
    async with api_of(fake, clock, SANDBOX) as api:
        first = await api.start_job("Sql2012CreateBackup", parameters)
        second = await api.start_job("Sql2012CreateBackup", parameters)
        with pytest.raises(SoapFault, match="Job not found"):
            await api.get_job_status(first)
    async with api_of(fake, clock) as api:
        real = await api.start_job("Sql2012CreateBackup", parameters)
        assert (await api.get_job_status(real)).state is JobState.DONE
    assert len({first, second, real, UUID(int=0)}) == 4


# --- how often --------------------------------------------------------------------------------


async def test_a_day_has_so_many_calls_for_each_key(clock: FakeClock) -> None:
    fake = FakeCustomerApi(KEY, sandbox_key=SANDBOX, daily_limit=2, clock=clock)
    fake.add_job("Running", job_id=JOB)
    assert not await reason_of(fake)
    clock.advance(3600)
    assert not await reason_of(fake)
    reason = await reason_of(fake)
    assert reason == f"{PROCESS}The daily limit of 2 API calls is used up."
    assert await reason_of(fake) == reason
    assert RULES.is_too_often(reason)
    assert not RULES.is_account(reason)
    assert not await reason_of(fake, SANDBOX)
    clock.advance(23 * 3600 - 1)
    assert await reason_of(fake) == reason
    clock.advance(1)
    assert not await reason_of(fake)
    assert await reason_of(fake) == reason


async def test_an_operation_has_so_many_calls_in_so_many_seconds(clock: FakeClock) -> None:
    limit = FrequencyLimit(calls=1, seconds=60)
    fake = FakeCustomerApi(KEY, sandbox_key=SANDBOX, frequency_limit=limit, clock=clock)
    fake.add_job("Running", job_id=JOB)
    assert not await reason_of(fake)
    reason = await reason_of(fake)
    assert reason == f"{PROCESS}GetJobStatus was called more than 1 times in 60 s: too often."
    assert RULES.is_too_often(reason)
    assert not RULES.is_account(reason)
    assert not await reason_of(fake, SANDBOX)
    async with api_of(fake, clock) as api:
        await api.start_job("Sql2012CreateBackup", {})
    clock.advance(60)
    assert not await reason_of(fake)


async def test_a_call_beyond_one_limit_does_not_count_for_the_other(clock: FakeClock) -> None:
    fake = FakeCustomerApi(KEY, daily_limit=2, frequency_limit=FrequencyLimit(1, 10.0), clock=clock)
    fake.add_job("Running", job_id=JOB)
    reasons = [await reason_of(fake) for _ in range(5)]
    assert [bool(reason) for reason in reasons] == [False, True, True, True, True]
    clock.advance(10)
    assert not await reason_of(fake)
    clock.advance(10)
    assert "daily limit" in await reason_of(fake)


async def test_a_limit_can_be_0(clock: FakeClock) -> None:
    fake = FakeCustomerApi(KEY, daily_limit=0, clock=clock)
    assert "daily limit of 0" in await reason_of(fake)


# --- the lock-out -----------------------------------------------------------------------------


@asynccontextmanager
async def from_address(fake: FakeCustomerApi, address: str) -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=fake, client=(address, 123))
    async with httpx.AsyncClient(transport=transport) as http:
        yield http


@pytest.mark.parametrize(
    ("options", "allowed"), [({}, 25), ({"lockout_after": 3}, 3), ({"lockout_after": None}, None)]
)
async def test_an_address_is_locked_out_after_failed_log_ins(
    clock: FakeClock, options: dict[str, Any], allowed: int | None
) -> None:
    fake = FakeCustomerApi(KEY, clock=clock, **options)
    fake.add_job("Running", job_id=JOB)
    reasons = [await reason_of(fake, "nonsense") for _ in range(allowed or 100)]
    assert set(reasons) == {f"{PROCESS}Invalid API key."}
    good = await reason_of(fake)
    if allowed is None:
        assert not good
        return
    assert good == (
        f"{PROCESS}Access denied: the IP address is blocked, "
        f"since {allowed} log-ins from it failed."
    )
    assert RULES.is_account(good)
    assert not RULES.is_too_often(good)
    assert await reason_of(fake, "nonsense") == good
    async with from_address(fake, "10.0.0.2") as http:
        api = CustomerApi(KEY, http_client=http, clock=clock)
        assert (await api.get_job_status(JOB)).status == "Running"


async def test_only_keys_that_are_refused_count_as_failed_log_ins(clock: FakeClock) -> None:
    fake = FakeCustomerApi(KEY, lockout_after=2, clock=clock)
    fake.add_job("Running", job_id=JOB)
    fake.trouble(Fault(f"{PROCESS}Invalid API key."), times=5)
    for _ in range(5):
        assert await reason_of(fake, "nonsense") == f"{PROCESS}Invalid API key."
    missing = envelope(look(JOB).replace("key>", "Key>"))
    assert fault_of(await post(fake, missing))[1] == f"{PROCESS}API key is missing."
    assert not await reason_of(fake)
    assert await reason_of(fake, "nonsense") == f"{PROCESS}Invalid API key."
    assert "blocked" in await reason_of(fake)


# --- arguments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"sandbox_key": ""}, ValueError, "sandbox_key must not be empty"),
        ({"sandbox_key": 5}, TypeError, "sandbox_key must be text"),
        ({"sandbox_key": KEY}, ValueError, "sandbox_key must not be the key"),
        ({"daily_limit": 1.5}, TypeError, "daily_limit must be"),
        ({"daily_limit": -1}, ValueError, "daily_limit must be"),
        ({"lockout_after": "25"}, TypeError, "lockout_after must be"),
        ({"lockout_after": True}, TypeError, "lockout_after must be"),
        ({"frequency_limit": (1, 60)}, TypeError, "frequency_limit must be"),
    ],
    ids=repr,
)
def test_a_limit_of_a_wrong_kind_is_refused(
    arguments: dict[str, Any], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=f"^{named}"):
        FakeCustomerApi(KEY, **arguments)


@pytest.mark.parametrize(
    ("calls", "seconds", "error", "named"),
    [
        (-1, 60, ValueError, "calls"),
        (1.0, 60, TypeError, "calls"),
        (1, -1, ValueError, "seconds"),
        (1, "60", TypeError, "seconds"),
    ],
)
def test_a_frequency_limit_is_of_numbers(
    calls: Any, seconds: Any, error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=f"^{named} must be"):
        FrequencyLimit(calls, seconds)


async def test_keys_are_shown_nowhere(clock: FakeClock) -> None:
    fake = FakeCustomerApi("a-key-for-tests", sandbox_key=SANDBOX, clock=clock)
    for key in ("a-key-for-tests", SANDBOX):
        await reason_of(fake, key)
    inside: list[Any] = [vars(each) for each in vars(fake).values() if hasattr(each, "__dict__")]
    seen = repr([fake, fake.calls, inside])
    assert "a-key-for-tests" not in seen
    assert SANDBOX not in seen
