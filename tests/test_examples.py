"""Each example, run as its reader would run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dasp_async.cli.fake import serving
from dasp_async.models import JobRecord
from dasp_async.testing import FakeCustomerApi

EXAMPLES = Path(__file__).parents[1] / "examples"
KEY = "test-key"


class Service:
    """A fake service, and examples that talk to it."""

    def __init__(self, fake: FakeCustomerApi, endpoint: str) -> None:
        self.fake = fake
        self.endpoint = endpoint
        self.environment = {"DASP_API_KEY": KEY, "DASP_ENDPOINT": endpoint}

    def run(self, *command: object, typed: str = "") -> tuple[int, str, str]:
        """An interpreter's exit code, output and complaints; `typed` is on its stdin."""
        run = subprocess.run(  # noqa: S603 - our own interpreter and examples
            [sys.executable, *map(str, command)],
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
        return run.returncode, run.stdout, run.stderr


@pytest.fixture
def service() -> Iterator[Service]:
    fake = FakeCustomerApi(KEY)
    with serving(fake) as endpoint:
        yield Service(fake, endpoint)


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
def test_wait_for_job(
    steps: list[str | JobRecord], code: int, out: str, err: str, service: Service
) -> None:
    job_id = service.fake.add_job(*steps, name="Backup")
    assert service.run(EXAMPLES / "wait_for_job.py", job_id) == (code, out, err)


@pytest.mark.parametrize("example", ["wait_for_job", "progress", "on_trio", "traces"])
def test_without_arguments_an_example_tells_its_usage(example: str, service: Service) -> None:
    code, out, err = service.run(EXAMPLES / f"{example}.py")
    assert (code, out) == (2, "")
    assert err.startswith(f"usage: {example}.py [-h] ")
    assert "JOB_ID" in err.splitlines()[-1]


@pytest.mark.parametrize("on_stdin", [False, True], ids=["arguments", "stdin"])
def test_progress_in_plain_lines(on_stdin: bool, service: Service) -> None:
    done = service.fake.add_job("Pending", "Running", "Completed", name="Backup")
    failed = service.fake.add_job(duration=0, error_message="disk full", name="Backup\x9b2J")
    unknown = UUID(int=1)
    ids = [str(job_id) for job_id in (done, failed, unknown, done)]
    code, out, err = service.run(
        EXAMPLES / "progress.py",
        *([] if on_stdin else ids),
        typed="\n".join(ids) if on_stdin else "",
    )
    assert (code, err) == (1, "2 not done\n")
    lines = out.splitlines()
    of_done = [line for line in lines if line.startswith(str(done))]
    assert of_done == [f"{done}  Backup  {word}" for word in ("Pending", "Running", "Completed")]
    assert f"{failed}  Backup2J  Failed  disk full" in lines
    assert any(line.startswith(str(unknown)) and "Job not found" in line for line in lines)
    assert [line for line in lines if line.endswith("over")] == [
        f"{number} of 3 over" for number in (1, 2, 3)
    ]
    # Looked at three times and once; the unknown one's fault ends its wait.
    assert len(service.fake.calls) == 5


def test_progress_on_a_terminal(service: Service) -> None:
    done = service.fake.add_job(duration=0.5, name="Backup")
    failed = service.fake.add_job(duration=0, error_message="[red]disk full", name="Backup")
    ours, theirs = os.openpty()
    with subprocess.Popen(  # noqa: S603 - our own interpreter and example
        [sys.executable, EXAMPLES / "progress.py", str(done), str(failed)],
        env=service.environment | {"TERM": "xterm", "COLUMNS": "120"},
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        os.close(theirs)
        shown = ended_screen(ours)
        _, err = run.communicate(timeout=40)
    os.close(ours)
    assert (run.returncode, err) == (1, "1 not done\n")
    assert "0 of 2 over" in shown
    last = shown[shown.index("2 of 2 over") :]
    assert f"{done}  Backup  Completed" in last
    assert f"{failed}  Backup  Failed  [red]disk full" in last


def ended_screen(terminal: int) -> str:
    """All that was written to a terminal until its other side was closed."""
    shown = b""
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux's end of file for a terminal
            data = b""
        if not data:
            return shown.decode()
        shown += data


ON_TRIO = """
import runpy, sys, anyio
anyio.run(runpy.run_path(sys.argv[1])["main"], backend="trio")
"""


@contextmanager
def anyio_worker(backend: str, service: Service) -> Generator[subprocess.Popen[str]]:
    options = ["-c", ON_TRIO] if backend == "trio" else []
    with subprocess.Popen(  # noqa: S603 - our own interpreter and example
        [sys.executable, *options, EXAMPLES / "anyio_worker.py"],
        env=service.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def put(worker: subprocess.Popen[str], *lines: object) -> None:
    assert worker.stdin is not None
    worker.stdin.write("".join(f"{line}\n" for line in lines))
    worker.stdin.flush()


def line_of(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_an_anyio_worker_that_is_stopped_tells_what_is_left(
    stop: signal.Signals, backend: str, service: Service
) -> None:
    done, later = service.fake.add_job("Completed"), service.fake.add_job("Completed")
    running = service.fake.add_job("Running")
    with anyio_worker(backend, service) as worker:
        put(worker, running, done)
        assert line_of(worker) == f"{done} done\n"
        # While others are waited for, and twice is once.
        put(worker, done, later)
        assert line_of(worker) == f"{later} done\n"
        worker.send_signal(stop)
        out, err = worker.communicate(timeout=20)
    assert (worker.returncode, out, err) == (1, f"{running} not over\n", "")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_anyio_worker_ends_when_its_input_has_and_all_are_over(
    backend: str, service: Service
) -> None:
    running = service.fake.add_job("Running", "Completed")
    failed = service.fake.add_job(duration=0, error_message="disk full")
    with anyio_worker(backend, service) as worker:
        put(worker, running, "no-id", "")
        assert worker.stdin is not None
        worker.stdin.write(str(failed))  # the last line's end is missing
        out, err = worker.communicate(timeout=20)
    assert (worker.returncode, err) == (0, "not an id: b'no-id'\n")
    first, second = out.splitlines()
    assert first.startswith(f"{failed} ")
    assert first.endswith("disk full")
    assert second == f"{running} done"


def test_an_anyio_worker_takes_no_job_to_be_over_that_it_has_not_seen(service: Service) -> None:
    service.environment["DASP_API_KEY"] = "wrong-key"
    job_id = service.fake.add_job("Completed")
    code, out, _ = service.run(EXAMPLES / "anyio_worker.py", typed=f"{job_id}\n")
    refused, left = out.splitlines()
    assert code == 1
    assert "Invalid API key" in refused
    assert left == f"{job_id} not over"


def test_on_trio(service: Service) -> None:
    done = service.fake.add_job("Completed")
    failed = service.fake.add_job(duration=0, error_message="disk full")
    code, out, err = service.run(EXAMPLES / "on_trio.py", done, failed)
    assert (code, err) == (0, "")
    assert sorted(out.splitlines()) == [f"{done} Completed", f"{failed} failed: disk full"]


def test_on_trio_all_can_be_limited(service: Service) -> None:
    program = (
        "import runpy, sys, trio; from functools import partial;"
        "trio.run(partial(runpy.run_path(sys.argv[1])['main'], sys.argv[2:], limit=0.5))"
    )
    job_id = service.fake.add_job("Running")
    code, out, err = service.run("-c", program, EXAMPLES / "on_trio.py", job_id)
    assert (code, out) == (1, "")
    assert err.startswith("Not all over after ")


def test_traces(service: Service) -> None:
    job_id = service.fake.add_job("Running", "Completed")
    code, out, err = service.run(EXAMPLES / "traces.py", job_id)
    assert (code, err) == (0, "")
    *looks, wait = spans(out)
    assert wait["name"] == "wait"
    assert wait["attributes"] == {"job.id": str(job_id), "job.status": "Completed"}
    assert [look["attributes"]["http.status_code"] for look in looks] == [200, 200]
    assert [look["parent_id"] for look in looks] == [wait["context"]["span_id"]] * 2
    assert KEY not in out


def spans(text: str) -> Iterator[Any]:
    """Values in JSON, one after another."""
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        text = text[end:]
        yield value
