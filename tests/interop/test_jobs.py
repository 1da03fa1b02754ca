"""Jobs, waits and faults with the live runtime, in both SOAP versions."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID, uuid4

import anyio
import pytest

from dasp_async import (
    BandwidthUsage,
    CustomerApi,
    HttpError,
    InvalidResponse,
    JobFailed,
    JobState,
    JobStatus,
    LockoutRisk,
    PollTimeout,
    Schedule,
    SmAlias,
    SoapFault,
    SoapVersion,
)
from tests.interop.mono import MonoService

QUICK = Schedule(initial=0.01, factor=1.5, maximum=0.05)
VERSIONS = pytest.mark.parametrize("version", SoapVersion)
START = datetime(2026, 3, 14, 9, 26, 53)  # noqa: DTZ001 - of no known zone, as it is sent
END = datetime(2026, 3, 14, 9, 31, 7)  # noqa: DTZ001 - of no known zone, as it is sent
LOCAL_WINTER, LOCAL_SUMMER = (timezone(timedelta(hours=hours)) for hours in (-8, -7))

# Beyond those of the jobs that the service starts
_numbers = itertools.count(1_000_000)


def client(mono: MonoService, version: SoapVersion, key: str = "test-key") -> CustomerApi:
    return CustomerApi(key, endpoint=mono.url, version=version, budget=None, schedule=QUICK)


def job(head: str = "a0000000", number: int | None = None) -> UUID:
    """A job that nobody has looked at, which ends well; with "f0000000" it fails."""
    return UUID(f"{head}-0000-0000-0000-{next(_numbers) if number is None else number:012}")


def fixed(number: int) -> UUID:
    """The job that always gives this answer of the script."""
    return job("00000000", number)


@VERSIONS
async def test_a_job_is_started_and_waited_for(mono: MonoService, version: SoapVersion) -> None:
    seen: list[JobStatus] = []
    async with client(mono, version) as api:
        job_id = await api.start_job("Sql2012CreateBackup", {"databaseName": "DB_1"})
        status = await api.poll_until_done(job_id, on_status=seen.append)
    assert [each.status for each in seen] == ["Pending", "Running", "Completed"]
    assert [each.start_date_time for each in seen] == [None, START, START]
    assert [each.completed_date_time for each in seen] == [None, None, END]
    assert status is seen[-1]
    assert (status.job_id, status.state) == (job_id, JobState.DONE)
    assert (status.job_name, status.error_message) == ("Sql2012CreateBackup", None)


@VERSIONS
async def test_a_job_that_fails(mono: MonoService, version: SoapVersion) -> None:
    async with client(mono, version) as api:
        description = await api.describe()
        job_id = await api.start_job(
            "Sql2012CreateBackup", {"databaseName": "broken"}, description=description
        )
        watched = [status.status async for status in api.watch(job_id)]
        with pytest.raises(JobFailed, match="Login failed for user 'sa'") as caught:
            await api.poll_until_done(job_id)
    assert watched == ["Pending", "Running", "Failed"]
    assert caught.value.status.completed_date_time == END


@VERSIONS
async def test_a_job_that_runs_on(mono: MonoService, version: SoapVersion) -> None:
    async with client(mono, version) as api:
        with pytest.raises(PollTimeout) as caught:
            await api.poll_until_done(fixed(3), timeout=2)
    assert caught.value.polls > 1
    assert caught.value.last_status is not None
    assert caught.value.last_status.status == "Running"


@VERSIONS
async def test_100_jobs_at_once(mono: MonoService, version: SoapVersion) -> None:
    jobs = [job() for _ in range(80)] + [job("f0000000") for _ in range(20)]
    seen: list[tuple[UUID, str | None]] = []

    async def wait(api: CustomerApi, job_id: UUID) -> None:
        try:
            await api.poll_until_done(
                job_id, on_status=lambda status: seen.append((job_id, status.status))
            )
        except JobFailed as failed:
            seen.append((job_id, failed.status.error_message))

    async with client(mono, version) as api, anyio.create_task_group() as tasks:
        for job_id in jobs:
            tasks.start_soon(wait, api, job_id)
    # Each word once: no look's answer was lost or taken for another job's.
    assert Counter(seen) == Counter(
        [(job_id, word) for job_id in jobs for word in ("Pending", "Running")]
        + [(job_id, "Completed") for job_id in jobs[:80]]
        + [(job_id, "Failed") for job_id in jobs[80:]]
        + [(job_id, "Login failed for user 'sa'.") for job_id in jobs[80:]]
    )


@VERSIONS
async def test_many_jobs_in_one_wait(mono: MonoService, version: SoapVersion) -> None:
    jobs = [job(head) for head in ("a0000000", "f0000000") for _ in range(50)]
    async with client(mono, version) as api, api.poll_many(jobs) as outcomes:
        failed = {outcome.job_id: outcome.error is not None async for outcome in outcomes}
    assert failed == {job_id: str(job_id).startswith("f") for job_id in jobs}


@VERSIONS
@pytest.mark.parametrize(
    ("number", "start", "end"),
    [
        (
            4,
            datetime(2026, 1, 15, 9, 30, tzinfo=LOCAL_WINTER),
            datetime(2026, 7, 15, 9, 30, tzinfo=LOCAL_SUMMER),
        ),
        (5, START.replace(tzinfo=UTC), END.replace(tzinfo=UTC)),
        (6, START, END),
        (7, START.replace(microsecond=123_456), START.replace(microsecond=120_000)),
        (
            8,
            START.replace(microsecond=123_456, tzinfo=UTC),
            START.replace(microsecond=999_999, tzinfo=LOCAL_SUMMER),
        ),
        (9, None, datetime.max),  # noqa: DTZ901 - .NET's
        (10, None, datetime.max.replace(tzinfo=UTC)),
    ],
)
async def test_dates_of_each_kind(
    mono: MonoService, version: SoapVersion, number: int, start: datetime, end: datetime
) -> None:
    async with client(mono, version) as api:
        status = await api.get_job_status(fixed(number))
    assert (status.start_date_time, status.completed_date_time) == (start, end)
    found = status.completed_date_time
    assert found is not None
    assert found.utcoffset() == end.utcoffset()


@VERSIONS
@pytest.mark.parametrize(
    ("number", "texts"),
    [
        (
            11,
            (
                "a < b && c > d \"quoted\" 'single' ]]> &amp; <!-- x -->",
                "Completed",
                '<error code="5">&nbsp;</error>',
            ),
        ),
        (
            12,
            (
                "S\u00e3o Paulo \u65e5\u672c\u8a9e \u05e9\u05dc\u05d5\u05dd",
                "Completed",
                (
                    "\U0001f680\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301 "
                    "\u2028 \u0085 \ufeff \u00a0."
                ),
            ),
        ),
        # A CR on the wire is a LF to a parser.
        (13, ("  leading and trailing  ", "\tCompleted\n", "line 1\nline 2\nline 3\nline 4\n")),
        (14, (None, None, None)),
        (15, ("", "", "")),
        (16, ("   ", "Completed", "\n")),
    ],
)
async def test_texts_of_each_kind(
    mono: MonoService, version: SoapVersion, number: int, texts: tuple[str | None, ...]
) -> None:
    async with client(mono, version) as api:
        status = await api.get_job_status(fixed(number))
    assert (status.job_name, status.status, status.error_message) == texts


@VERSIONS
async def test_a_long_text(mono: MonoService, version: SoapVersion) -> None:
    async with client(mono, version) as api:
        status = await api.get_job_status(job("1a000000", 1_000_000))
    assert status.error_message == "x" * 1_000_000


# httpx leaves the generators inside its own to the garbage collector when it is stopped early.
@pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")
@VERSIONS
async def test_a_text_that_is_too_long(mono: MonoService, version: SoapVersion) -> None:
    async with client(mono, version) as api:
        with pytest.raises(InvalidResponse, match="longer than max_response_bytes"):
            await api.get_job_status(job("1a000000", 5_000_000))
        assert (await api.get_job_status(fixed(1))).state is JobState.DONE


CLIENT, SERVER = "Client", "Server"
ELSEWHERE = "http://127.0.0.1:18080/1.0/customerapi.asmx"
DETAIL = (
    '<j:code xmlns:j="http://api.discountasp.net/errors" severity="high">'
    "E-403 &lt;denied&gt;</j:code>"
)
NOT_FOUND = "{http://api.discountasp.net/}JobNotFound"
PROCESS = "Server was unable to process request. ---> "


@VERSIONS
@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [
        (30, CLIENT, "The job belongs to another customer."),
        (31, SERVER, "The job store is down."),
        (32, SERVER, f"{PROCESS}Could not read the job. ---> The wait operation timed out."),
        (33, SERVER, f"{PROCESS}Object reference not set to an instance of an object"),
        (35, NOT_FOUND, "A code of our own."),
        (36, CLIENT, "A subcode of our own."),
        (38, SERVER, f"{PROCESS}Forbidden by the service."),
        (99, SERVER, f"{PROCESS}Job not found."),
    ],
)
async def test_a_fault_is_told(
    mono: MonoService, version: SoapVersion, number: int, code: str, reason: str
) -> None:
    async with client(mono, version) as api:
        with pytest.raises(SoapFault) as caught:
            await api.get_job_status(fixed(number))
    fault = caught.value
    new = version is SoapVersion.SOAP_1_2
    names = {CLIENT: "Sender", SERVER: "Receiver"} if new else {}
    own = code.startswith("{")
    assert fault.code == (code if own else f"{{{version.namespace}}}{names.get(code, code)}")
    assert fault.reason == reason
    place = ELSEWHERE if number in {30, 36} else None
    assert (fault.node if new else fault.actor) == place
    assert fault.subcodes == ((NOT_FOUND,) if new and number == 36 else ())
    assert fault.detail == (DETAIL if number in {30, 36} else "")
    assert not fault.transient


@VERSIONS
@pytest.mark.parametrize("number", [17, 18, 19])
async def test_what_breaks_the_contract_is_an_error(
    mono: MonoService, version: SoapVersion, number: int
) -> None:
    # No result at all, and characters that XML has not
    async with client(mono, version) as api:
        with pytest.raises(InvalidResponse):
            await api.get_job_status(fixed(number))


@VERSIONS
async def test_a_fault_that_is_no_xml_is_shown(mono: MonoService, version: SoapVersion) -> None:
    async with client(mono, version) as api:
        with pytest.raises(HttpError) as caught:
            await api.get_job_status(fixed(34))
    assert caught.value.status_code == 500
    assert f"{PROCESS}<b>\u65e5\u672c & \U0001f680</b> second line" in caught.value.excerpt


@VERSIONS
async def test_half_a_character_makes_the_runtime_fail(
    mono: MonoService, version: SoapVersion
) -> None:
    async with client(mono, version) as api:
        with pytest.raises(SoapFault, match="There was an error generating the XML document"):
            await api.get_job_status(fixed(20))


@VERSIONS
async def test_a_fault_ends_a_wait(mono: MonoService, version: SoapVersion) -> None:
    async with client(mono, version) as api:
        with pytest.raises(SoapFault, match="The job store is down"):
            await api.poll_until_done(fixed(31))


@VERSIONS
@pytest.mark.parametrize(
    ("key", "name"), [("soap-wrong-key", "Client Sender"), ("Test-Key", "Server Receiver")]
)
async def test_a_wrong_key_closes_the_door(
    mono: MonoService,
    version: SoapVersion,
    key: str,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with client(mono, version, key) as api:
        with pytest.raises(SoapFault, match=r"Invalid API key\.") as caught:
            await api.poll_until_done(job())
        with pytest.raises(LockoutRisk):
            await api.get_job_status(job())
    code = name.split()[version is SoapVersion.SOAP_1_2]
    assert caught.value.code == f"{{{version.namespace}}}{code}"
    assert key not in caplog.text


@VERSIONS
async def test_usage_of_a_month(mono: MonoService, version: SoapVersion) -> None:
    async with client(mono, version) as api:
        rows = await api.bandwidth_get_usage(date(2026, 3, 1), date(2026, 3, 31))
        none = await api.bandwidth_get_usage(date(2026, 4, 1), date(2026, 4, 30))
    assert none == []
    midnight = datetime(2026, 3, 1, tzinfo=LOCAL_WINTER)
    assert rows == [
        BandwidthUsage(midnight, Decimal("1.50")),
        BandwidthUsage(midnight.replace(day=8), Decimal(0)),
        BandwidthUsage(midnight.replace(day=15, tzinfo=LOCAL_SUMMER), None),
        BandwidthUsage(midnight.replace(day=22, tzinfo=LOCAL_SUMMER), Decimal(2**96 - 1)),
    ]


@VERSIONS
async def test_aliases_of_a_domain(mono: MonoService, version: SoapVersion) -> None:
    domain = f"{uuid4()}.example"
    async with client(mono, version) as api:
        await api.sm_add_alias(domain, "info", ["a@example.com", "b <&> \u00e9@example.com"])
        await api.sm_add_alias(domain, "none", [])
        await api.sm_add_alias(domain, "sales", ["c@example.com"])
        await api.sm_update_alias_addresses(domain, "sales", ["d@example.com", "", " e "])
        with pytest.raises(SoapFault, match=r"The alias exists already\."):
            await api.sm_add_alias(domain, "info", [])
        aliases = await api.sm_get_all_aliases(domain)
    assert aliases == [
        SmAlias(f"info@{domain}", ("a@example.com", "b <&> \u00e9@example.com")),
        SmAlias(f"none@{domain}", ()),
        SmAlias(f"sales@{domain}", ("d@example.com", "", " e ")),
    ]


@VERSIONS
async def test_a_mailbox_is_added(mono: MonoService, version: SoapVersion) -> None:
    domain = f"{uuid4()}.example"

    async def add(api: CustomerApi) -> None:
        await api.sm_add_user(
            domain,
            "jane",
            "a-test-password <&>",
            first_name="Jane",
            last_name="D\u00f6e",
            max_mailbox_size_in_mb=250,
        )

    async with client(mono, version) as api:
        with pytest.raises(SoapFault, match=r"Domain not found\."):
            await api.sm_get_all_aliases(domain)
        await add(api)
        assert await api.sm_get_all_aliases(domain) == []
        with pytest.raises(SoapFault, match=r"The user exists already\."):
            await add(api)
