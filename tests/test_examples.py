"""Each example, run as its reader would run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from dasp_async.cli.fake import serving
from dasp_async.models import JobRecord
from dasp_async.testing import FakeCustomerApi

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize(
    ("steps", "code", "out", "err"),
    [
        (["Completed"], 0, "Backup: Completed\nDone.\n", ""),
        (
            [JobRecord(job_name="Backup", status="Failed", error_message="disk full")],
            1,
            "Backup: Failed\n",
            "The job failed: disk full\n",
        ),
    ],
    ids=["done", "failed"],
)
def test_wait_for_job(steps: list[str | JobRecord], code: int, out: str, err: str) -> None:
    fake = FakeCustomerApi("test-key")
    job_id: UUID = fake.add_job(*steps, name="Backup")
    with serving(fake) as endpoint:
        run = subprocess.run(  # noqa: S603 - our own interpreter and example
            [sys.executable, EXAMPLES / "wait_for_job.py", str(job_id)],
            env={"DASP_API_KEY": "test-key", "DASP_ENDPOINT": endpoint},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (run.returncode, run.stdout, run.stderr) == (code, out, err)
