"""The example of a worker: killed in mid-wait and started again, it loses nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from uuid import UUID

import anyio

from dasp_async import SqliteBudget
from dasp_async.cli.fake import serving
from dasp_async.testing import FakeCustomerApi

WORKER = Path(__file__).parents[1] / "examples" / "worker.py"
KEY = "test-key"
LIMIT = 1000
LOOKS_AT_ONCE = 16


def start(folder: Path, endpoint: str, *job_ids: UUID, key: str = KEY) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and example
        [sys.executable, WORKER, folder, *map(str, job_ids)],
        env=os.environ | {"DASP_API_KEY": key, "DASP_ENDPOINT": endpoint},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """A process's exit code, what it printed and what it complained of."""
    with process:
        printed, complaints = process.communicate(timeout=40)
    return process.returncode, printed, complaints


def on_file(folder: Path) -> dict[UUID, str | None]:
    """The jobs on file and their outcomes."""
    with closing(sqlite3.connect(folder / "jobs.sqlite")) as jobs:
        rows = jobs.execute("SELECT id, outcome FROM jobs").fetchall()
    return {UUID(job_id): outcome for job_id, outcome in rows}


def outcomes(folder: Path) -> int:
    """How many outcomes are on file; none as long as there is no table."""
    try:
        return sum(outcome is not None for outcome in on_file(folder).values())
    except sqlite3.OperationalError:
        return 0


def counted(folder: Path) -> int:
    """The calls that are counted in the budget's file."""
    return LIMIT - anyio.run(SqliteBudget(folder / "calls.sqlite", limit=LIMIT).remaining)


def test_a_worker_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    expected: dict[UUID, str] = {}
    for number in range(30):
        reason = f"disk {number} full" if number % 3 == 0 else None
        job = fake.add_job(duration=0.3 + number * 0.05, error_message=reason)
        expected[job] = "done" if reason is None else f"failed: {reason}"
    # However slow this machine is, some are not over before the kill.
    late = {fake.add_job("Running"): reason for reason in (None, "too late")}
    expected |= {job: f"failed: {late[job]}" if late[job] else "done" for job in late}

    with serving(fake) as endpoint:
        worker = start(tmp_path, endpoint, *expected)
        deadline = time.monotonic() + 20
        while outcomes(tmp_path) == 0:
            assert worker.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        worker.kill()
        assert ended(worker)[0] != 0
        assert on_file(tmp_path).keys() == expected.keys()
        assert 1 <= outcomes(tmp_path) < len(expected)

        for job, reason in late.items():
            fake.add_job(duration=0.5, error_message=reason, job_id=job)
        rest = len(expected) - outcomes(tmp_path)
        assert ended(start(tmp_path, endpoint)) == (0, f"Unfinished: {rest}\n", "")
        assert on_file(tmp_path) == expected
        calls = len(fake.calls)
        assert calls <= counted(tmp_path) <= calls + LOOKS_AT_ONCE

        assert ended(start(tmp_path, endpoint, *expected)) == (0, "Unfinished: 0\n", "")
        assert on_file(tmp_path) == expected
        assert len(fake.calls) == calls


def test_a_worker_with_a_wrong_key_takes_no_job_to_be_over(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    job = fake.add_job("Completed")
    with serving(fake) as endpoint:
        code, printed, complaints = ended(start(tmp_path, endpoint, job, key="wrong-key"))
        assert (code, printed) == (1, "Unfinished: 1\n")
        assert "Invalid API key" in complaints
        assert complaints.endswith("1 not over: mend what is said above and start again.\n")
        assert on_file(tmp_path) == {job: None}
        # The door is closed now; that is on file as well.
        assert ended(start(tmp_path, endpoint, key="wrong-key"))[0] == 1
    assert len(fake.calls) == 1


def test_a_job_that_the_service_does_not_know_is_not_asked_for_again(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    known = fake.add_job("Completed")
    unknown = [UUID(int=number) for number in (1, 2)]
    with serving(fake) as endpoint:
        assert ended(start(tmp_path, endpoint, *unknown, known)) == (0, "Unfinished: 3\n", "")
        assert ended(start(tmp_path, endpoint)) == (0, "Unfinished: 0\n", "")
    assert on_file(tmp_path) == {known: "done"} | dict.fromkeys(unknown, "unknown to the service")
    assert len(fake.calls) == 3
