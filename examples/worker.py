"""Wait for jobs through crashes and restarts: `python worker.py FOLDER [JOB_ID ...]`.

The API key is in DASP_API_KEY. Ids that are given join those on file; the worker ends when all are
over. Killed at any moment and started again by the same command, it goes on where it was; from its
first line of output on, the folder alone will do.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from uuid import UUID

import anyio
import anyio.to_thread

from dasp_async import CustomerApi, FaultRules, JobFailed, Outcome, SoapFault, SqliteBudget

FAULTS = FaultRules()


def write_down(jobs: sqlite3.Connection, job_id: UUID, text: str) -> None:
    """Put how a job ended on file; `with` commits."""
    with jobs:
        jobs.execute("UPDATE jobs SET outcome = ? WHERE id = ?", (text, str(job_id)))


def text_of(outcome: Outcome) -> str | None:
    """How a job ended; None if only the wait for it did, by a refused key for instance."""
    if isinstance(outcome.error, SoapFault) and FAULTS.is_unknown_job(outcome.error.reason):
        # Asked for again at each start, it would use up the few faults that are safe.
        return "unknown to the service"
    if isinstance(outcome.error, JobFailed):
        return f"failed: {outcome.error.status.error_message or 'no reason given'}"
    return "done" if outcome.error is None else None


async def work(folder: Path, jobs: sqlite3.Connection, job_ids: list[str]) -> int:
    """Wait for the jobs and write each outcome down as it comes; how many are not over."""
    left = len(job_ids)
    async with (
        CustomerApi.from_env(
            # In a file, since a worker that is restarted again and again with a wrong key would
            # else begin anew each time, and get this address locked out.
            budget=SqliteBudget(folder / "calls.sqlite"),
        ) as api,
        # No timeout: whoever starts the worker decides how long it runs.
        api.poll_many(job_ids, timeout=None) as outcomes,
    ):
        async for outcome in outcomes:
            text = text_of(outcome)
            if text is None:
                print(f"{outcome.job_id}: {outcome.error}", file=sys.stderr)
            else:
                # In a thread: a disk may take its time, and the looks go on meanwhile. A kill
                # before this is on file costs one more look after the restart, no outcome.
                await anyio.to_thread.run_sync(write_down, jobs, outcome.job_id, text)
                left -= 1
    return left


def main(folder: Path, new: list[UUID]) -> None:
    """Take in new ids, then work on all that are unfinished."""
    folder.mkdir(parents=True, exist_ok=True)
    # Other threads write to it, but one at a time.
    with closing(sqlite3.connect(folder / "jobs.sqlite", check_same_thread=False)) as jobs:
        jobs.execute("CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, outcome TEXT)")
        with jobs:
            # An id that is given again, as by a supervisor, keeps the outcome it has.
            rows = [(str(job_id),) for job_id in new]
            jobs.executemany("INSERT OR IGNORE INTO jobs (id) VALUES (?)", rows)
        unfinished = jobs.execute("SELECT id FROM jobs WHERE outcome IS NULL").fetchall()
        print(f"Unfinished: {len(unfinished)}", flush=True)
        left = anyio.run(work, folder, jobs, [job_id for (job_id,) in unfinished])
    if left:
        sys.exit(f"{left} not over: mend what is said above and start again.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("job_ids", metavar="JOB_ID", type=UUID, nargs="*")
    given = parser.parse_args()
    main(given.folder, given.job_ids)
