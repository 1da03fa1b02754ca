"""Wait for one job: `python wait_for_job.py JOB_ID`, with the API key in DASP_API_KEY."""

from __future__ import annotations

import argparse
import sys
from uuid import UUID

import anyio

from dasp_async import CustomerApi, JobFailed, JobStatus, PollTimeout


def show(status: JobStatus) -> None:
    """Say how the job stands; the words are the service's own."""
    print(f"{status.job_name}: {status.status}")


async def main(job_id: UUID) -> None:
    """Wait for the job, for half an hour at most."""
    async with CustomerApi.from_env() as api:
        try:
            await api.poll_until_done(job_id, timeout=1800, on_status=show)
        except JobFailed as failed:
            sys.exit(f"The job failed: {failed.status.error_message}")
        except PollTimeout as late:
            # The job runs on; its id is all that is needed to wait for it again.
            sys.exit(f"Not over after {late.elapsed:.0f} s: {late.job_id}")
    print("Done.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job_id", metavar="JOB_ID", type=UUID)
    typed = parser.parse_args()
    try:
        anyio.run(main, typed.job_id)
    except KeyboardInterrupt:
        sys.exit("Stopped; the job runs on, and can be waited for again.")
