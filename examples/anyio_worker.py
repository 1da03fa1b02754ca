"""Wait for jobs whose ids keep coming: `any-queue | python anyio_worker.py`, an id a line.

The API key is in DASP_API_KEY. It ends when its input has ended and all jobs are over, or at once
at Ctrl-C and SIGTERM. Either way it prints last which ids are not over, and those are all that is
needed to go on. A worker that is killed prints nothing: worker.py keeps ids and outcomes in SQLite,
goes on after a kill, and counts its calls in a file as well.
"""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from dasp_async import CustomerApi, JobFailed


async def take_in(job_ids: MemoryObjectSendStream[UUID], is_over: dict[UUID, bool]) -> None:
    """Pass on the ids that come; in place of stdin there may be any queue."""
    rest, data = b"", b"\n"
    async with job_ids:
        while data:
            # Not in a thread: one that reads can't be stopped. For a file there is no waiting.
            with suppress(PermissionError):
                await anyio.wait_readable(sys.stdin.fileno())
            data = os.read(sys.stdin.fileno(), 65536)
            *lines, rest = (rest + (data or b"\n")).split(b"\n")
            # Nothing is awaited from here on, so that what was read is noted whatever comes.
            for line in filter(bytes.strip, lines):
                try:
                    job_id = UUID(line.decode().strip())
                except ValueError:
                    # Passed on, it would end the wait for all.
                    print(f"not an id: {line!r}", file=sys.stderr)
                    continue
                if job_id not in is_over:
                    is_over[job_id] = False
                    job_ids.send_nowait(job_id)


async def stop(signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    """Stop what is in the scope at the first signal."""
    async for _ in signals:
        scope.cancel()


async def main() -> None:
    """Wait for all that comes in, and say what is left."""
    is_over: dict[UUID, bool] = {}
    send, receive = anyio.create_memory_object_stream[UUID](math.inf)
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with CustomerApi.from_env() as api, anyio.create_task_group() as group:
            group.start_soon(stop, signals, group.cancel_scope)
            group.start_soon(take_in, send, is_over)
            # No timeout: whoever starts the worker decides how long it runs.
            async with api.poll_many(receive, timeout=None) as outcomes:
                async for outcome in outcomes:
                    failed = isinstance(outcome.error, JobFailed)
                    # By another error only the wait has ended, and the job may run on.
                    is_over[outcome.job_id] = failed or outcome.error is None
                    print(f"{outcome.job_id} {outcome.error or 'done'}", flush=True)
            group.cancel_scope.cancel()
    left = [job_id for job_id, over in is_over.items() if not over]
    for job_id in left:
        print(f"{job_id} not over")
    if left:
        sys.exit(1)


if __name__ == "__main__":
    anyio.run(main)
