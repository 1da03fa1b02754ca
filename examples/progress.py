"""Many jobs and how far they are: `python progress.py JOB_ID ...`, or with the ids on stdin.

The API key is in DASP_API_KEY; `pip install "dasp_async[cli]"` brings rich.
"""

from __future__ import annotations

import argparse
import sys
from uuid import UUID

import anyio
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from dasp_async import CustomerApi, JobStatus


class Board:
    """A line for each job and one for all; without a terminal, a line for each change."""

    def __init__(self, job_ids: list[UUID]) -> None:
        text = TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold"))
        # The time is measured here, since the zone of the service's dates is not documented.
        columns = (text, BarColumn(10), TimeElapsedColumn())
        self.lines = Progress(*columns, disable=not Console().is_terminal)
        # It comes first, since the end of a long list is off the screen.
        self._all = self.lines.add_task(f"0 of {len(job_ids)} over", total=len(job_ids))
        self._jobs = {job: self.lines.add_task(str(job), total=None) for job in job_ids}
        self._over = 0

    def tell(self, job_id: UUID, *words: str | None, is_over: bool) -> None:
        """Show how a job stands now."""
        self._write(self._jobs[job_id], "  ".join([str(job_id), *filter(None, words)]))
        if is_over:
            self._over += 1
            self.lines.update(self._jobs[job_id], total=1, completed=1)
            self.lines.update(self._all, completed=self._over)
            self._write(self._all, f"{self._over} of {len(self._jobs)} over")

    def _write(self, line: TaskID, text: str) -> None:
        # What comes from elsewhere must not move the cursor.
        text = "".join(filter(str.isprintable, text))
        self.lines.update(line, description=text)
        if self.lines.disable:
            print(text, flush=True)


async def main(job_ids: list[UUID]) -> None:
    """Wait for all."""
    board, undone = Board(job_ids), 0

    def show(status: JobStatus) -> None:
        words = (status.job_name, status.status, status.error_message)
        board.tell(status.job_id, *words, is_over=status.is_final)

    # No timeout: whoever looks on decides how long it runs.
    async with CustomerApi.from_env() as api:
        with board.lines:
            async with api.poll_many(job_ids, timeout=None, on_status=show) as outcomes:
                async for outcome in outcomes:
                    undone += outcome.error is not None
                    if outcome.status is None:
                        # The wait ended and not the job, for a refused key say.
                        board.tell(outcome.job_id, str(outcome.error), is_over=True)
    if undone:
        sys.exit(f"{undone} not done")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job_ids", metavar="JOB_ID", nargs="+", type=UUID)
    typed = parser.parse_args(sys.argv[1:] or sys.stdin.read().split())
    try:
        anyio.run(main, list(dict.fromkeys(typed.job_ids)))
    except KeyboardInterrupt:
        sys.exit("Stopped; the jobs run on, and can be waited for again.")
