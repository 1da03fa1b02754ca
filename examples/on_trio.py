"""Wait for jobs under trio: `python on_trio.py JOB_ID ...`, with the API key in DASP_API_KEY."""

from __future__ import annotations

import argparse
import sys
from uuid import UUID

import trio

from dasp_async import CustomerApi, JobFailed, PollTimeout


async def wait(api: CustomerApi, job_id: UUID) -> None:
    """Wait for one job, for half an hour at most."""
    try:
        status = await api.poll_until_done(job_id, timeout=1800)
    except JobFailed as failed:
        print(f"{job_id} failed: {failed.status.error_message}")
    except PollTimeout as late:
        print(f"{job_id} not over: {late.last_status and late.last_status.status}")
    else:
        print(f"{job_id} {status.status}")


async def main(job_ids: list[UUID], *, limit: float = 3600) -> None:
    """Wait for all of them at once, on one client; limit: seconds."""
    try:
        # `timeout=` ends one wait, after a last look, by an error that tells how the job stood.
        # `fail_after` ends all that is in its block, in mid-look if need be, and tells nothing.
        # Neither ends a job.
        with trio.fail_after(limit):
            async with CustomerApi.from_env() as api, trio.open_nursery() as nursery:
                for job_id in job_ids:
                    nursery.start_soon(wait, api, job_id)
    except trio.TooSlowError:
        sys.exit(f"Not all over after {limit:.0f} s; wait for the same ids again.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job_ids", metavar="JOB_ID", type=UUID, nargs="+")
    trio.run(main, parser.parse_args().job_ids)
