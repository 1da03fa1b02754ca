"""Wait for jobs on any number of machines: taskiq on Redis, and one budget of calls for all.

A task is one look at one job. If the job is not over, taskiq's scheduler queues the next look, so
that no worker is held by a job that waits. In this folder, in three terminals, with the API key in
DASP_API_KEY and the address of a Redis server in REDIS_URL:

    pip install taskiq taskiq-redis "dasp_async[redis]"
    taskiq worker tasks:broker --max-async-tasks 20
    taskiq scheduler tasks:scheduler --update-interval 1
    python tasks.py JOB_ID ...

Start as many workers as you like, and kill any: a look that its worker did not finish is made by
another. How each job ended is in the Redis hash `outcomes`, written once. DASP_ENDPOINT, CALLS and
WINDOW are for tests: another service, and what it allows.
"""

from __future__ import annotations

import os
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import anyio
from redis.asyncio import Redis
from taskiq import Context, TaskiqDepends, TaskiqEvents, TaskiqScheduler, TaskiqState
from taskiq.schedule_sources import LabelScheduleSource
from taskiq_redis import ListRedisScheduleSource, RedisStreamBroker

from dasp_async import (
    CallRefused,
    CustomerApi,
    DaspError,
    JobState,
    JobStatus,
    PollTimeout,
    RedisBudget,
    Schedule,
)

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")

# A task waits for its turn that long at most, when calls are scarce; then it is queued again.
TURN = 5.0
# Long enough for any task, so what is not finished by then was left by a worker that died.
LOST_AFTER = 15.0
# So many answers without a word mean that the service does not know the job.
BLANKS = 3
PAUSES = Schedule(initial=2, factor=1.5, maximum=60)

broker = RedisStreamBroker(
    REDIS_URL,
    # From the first one on, also what was queued before any worker was there.
    consumer_id="0",
    idle_timeout=int(LOST_AFTER * 1000),
    unacknowledged_lock_timeout=LOST_AFTER,
    # A worker takes only what it can begin at once, or what it has not begun would seem lost.
    xread_count=1,
    maxlen=100_000,
)
looks = ListRedisScheduleSource(REDIS_URL)
scheduler = TaskiqScheduler(broker, [looks, LabelScheduleSource(broker)])


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def start(state: TaskiqState) -> None:
    """Make one client for all tasks of a worker."""
    state.redis = Redis.from_url(REDIS_URL)  # pyright: ignore[reportUnknownMemberType]
    state.api = CustomerApi.from_env(
        attempt_timeout=TURN,
        # What the service allows, unless this is a test that has less time.
        budget=RedisBudget(
            REDIS_URL,
            limit=int(os.environ.get("CALLS", "1000")),
            window=float(os.environ.get("WINDOW", "86400")),
        ),
    )


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def stop(state: TaskiqState) -> None:
    """Close the connections."""
    await state.api.aclose()
    await state.redis.aclose()


async def seen(api: CustomerApi, job_id: str) -> JobStatus:
    """One look, at its turn: a wait that takes the first status, since waits share the budget."""
    async for status in api.watch(job_id, timeout=TURN):
        return status
    raise AssertionError("a watch that ends without an error has told a status")


async def outcome_of(api: CustomerApi, job_id: str, step: int) -> str | None:
    """How a job ended; None if it has not. Raises what a later look may mend."""
    try:
        status = await seen(api, job_id)
    except (PollTimeout, CallRefused):
        raise
    except DaspError as error:
        return f"error: {error}"
    if status.is_blank and step >= BLANKS:
        return "error: the service does not seem to know the job"
    if status.state is JobState.RUNNING:
        return None
    return "done" if status.state is JobState.DONE else f"failed: {status.error_message}"


@broker.task(ack_type="manual")
async def look(job_id: str, step: int, context: Context = TaskiqDepends()) -> None:  # noqa: B008
    """Look at a job; write down how it ended, or queue the next look."""
    redis: Any = broker.state.redis
    # A look that was made, but whose worker died before it could say so, comes again; it is one
    # too many if the next is queued already, or the job over.
    queued = await redis.zscore("steps", job_id)
    if (queued or 0) <= step and not await redis.hexists("outcomes", job_id):
        pause = PAUSES.delay(step, random.random())  # noqa: S311 - jitter
        outcome: str | None = None
        try:
            outcome = await outcome_of(broker.state.api, job_id, step)
        except (PollTimeout, CallRefused) as later:
            trouble = later.last_error if isinstance(later, PollTimeout) else later
            pause = max(pause, (trouble and trouble.retry_after) or 0.0)
        if outcome is None:
            await queue(job_id, step + 1, pause)
            await redis.zadd("steps", {job_id: step + 1}, gt=True)
        else:
            await redis.hsetnx("outcomes", job_id, outcome)
    # Only now: if anything above fails, Redis itself for instance, the look is made again.
    await context.ack()


async def queue(job_id: str, step: int, pause: float) -> None:
    """Have the next look at a job in so many seconds; twice is once, by its id."""
    moment = datetime.now(UTC) + timedelta(seconds=pause)
    kicker = look.kicker().with_schedule_id(f"{job_id}:{step}")
    await kicker.schedule_by_time(looks, moment, job_id, step)


@broker.task(schedule=[{"interval": 5}])
async def heartbeat() -> None:
    """Do nothing: only when something new comes does a worker look for what a dead one left."""


async def main(job_ids: list[UUID]) -> None:
    """Queue the first look at each job."""
    await broker.startup()
    for job_id in job_ids:
        await look.kiq(str(job_id), 0)
    await broker.shutdown()


if __name__ == "__main__":
    anyio.run(main, [UUID(text) for text in sys.argv[1:]])
