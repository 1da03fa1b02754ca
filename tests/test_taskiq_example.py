"""The example of workers on taskiq: one is killed, every job is reported once, in the budget."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from dasp_async.cli.fake import serving
from dasp_async.testing import FakeCustomerApi
from tests.redis_server import RedisServer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills groups of processes")

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "taskiq_workers"
KEY: Final = "test-key"
JOBS: Final = 200
CALLS: Final = 500
WINDOW: Final = 60.0
LAG: Final = 5.0
# As a script, since the client's own reading of this answer knows no IDLE.
UNFINISHED: Final = "return #redis.call('XPENDING', 'taskiq', 'taskiq', 'IDLE', 900, '-', '+', 9)"
WORKER: Final = ["taskiq", "worker", "tasks:broker", "--workers", "1", "--max-async-tasks", "20"]


class Machines:
    """Processes with the example's tasks, on one Redis server and one fake service."""

    def __init__(self, stack: ExitStack, folder: Path, redis_url: str, endpoint: str) -> None:
        self._stack = stack
        self._folder = folder
        self._environment = os.environ | {
            "DASP_API_KEY": KEY,
            "DASP_ENDPOINT": endpoint,
            "REDIS_URL": redis_url,
            "CALLS": str(CALLS),
            "WINDOW": str(WINDOW),
        }

    @contextmanager
    def _running(self, *command: str) -> Generator[subprocess.Popen[bytes]]:
        log = self._stack.enter_context(
            (self._folder / f"{command[1]}-{time.monotonic_ns()}.log").open("wb")
        )
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and example
            [sys.executable, "-m", *command],
            cwd=EXAMPLE,
            env=self._environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            kill(process)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Run a module until the end of the test."""
        return self._stack.enter_context(self._running(*command))

    def queue(self, job_ids: list[str]) -> None:
        """Queue the first looks."""
        command = [sys.executable, "tasks.py", *job_ids]
        subprocess.run(  # noqa: S603 - our own interpreter and example
            command, cwd=EXAMPLE, env=self._environment, check=True, timeout=30
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and those it started, if they still run."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def kill_at_work(worker: subprocess.Popen[bytes], server: RedisServer) -> None:
    """Kill a worker that has looks it did not finish."""
    while True:
        os.killpg(worker.pid, signal.SIGSTOP)
        time.sleep(1.0)
        # Those of the other worker are younger.
        if server.ask("EVAL", UNFINISHED, 0):
            kill(worker)
            return
        os.killpg(worker.pid, signal.SIGCONT)
        time.sleep(0.05)


def outcomes(server: RedisServer) -> dict[str, str]:
    """What is written down so far."""
    written = server.ask("HGETALL", "outcomes")
    return {job_id.decode(): outcome.decode() for job_id, outcome in written.items()}


def wait_for(server: RedisServer, count: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while len(outcomes(server)) < count:
        assert time.monotonic() < deadline, f"{len(outcomes(server))} of {count}"
        time.sleep(0.1)


@pytest.mark.timeout(180)
def test_two_workers_one_killed_report_each_of_200_jobs(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    fake = FakeCustomerApi(KEY)
    expected: dict[str, str] = {}
    for number in range(JOBS):
        reason = f"disk {number} full" if number % 7 == 0 else None
        job = fake.add_job(duration=5.0 + number / 20, error_message=reason)
        expected[str(job)] = "done" if reason is None else f"failed: {reason}"
    with serving(fake) as endpoint, ExitStack() as stack:
        machines = Machines(stack, tmp_path, redis_server.url, endpoint)
        machines.queue(list(expected))
        machines.start("taskiq", "scheduler", "tasks:scheduler", "--update-interval", "1")
        workers = [machines.start(*WORKER) for _ in range(2)]
        wait_for(redis_server, JOBS // 4, 60)
        kill_at_work(workers[0], redis_server)
        assert len(outcomes(redis_server)) < JOBS
        wait_for(redis_server, JOBS, 100)
        assert outcomes(redis_server) == expected
    moments = sorted(call.at for call in fake.calls)
    # A call that was counted may be on its way for a while, and a later one overtake it.
    span = WINDOW - LAG
    busiest = max(bisect_left(moments, at + span) - n for n, at in enumerate(moments))
    assert JOBS <= busiest <= CALLS
