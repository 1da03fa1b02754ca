"""One budget, many processes: the count is exact, and no death lets a call out uncounted."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import anyio
import pytest

from dasp_async.budget import Verdict
from tests import budget_worker

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork, kill -9 and O_APPEND")

PROCESSES = 4


class Service:
    """The budget's store, and a log with one byte for each call that was let out."""

    def __init__(self, folder: Path, store: str | None = None) -> None:
        self.store = store or str(folder / "calls.db")
        self.log = folder / "calls.log"
        self.log.touch()

    def start(self, program: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, budget_worker.__file__, program, self.store, *arguments]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def run(self, program: str, *arguments: object) -> str:
        return ended(self.start(program, *arguments))

    @property
    def calls(self) -> int:
        return self.log.stat().st_size

    def counted(self, limit: int) -> int:
        return limit - anyio.run(budget_worker.budget_of(self.store, limit=limit).remaining)


def ended(process: subprocess.Popen[str]) -> str:
    """What a process printed, once it has ended well."""
    printed, complaints = process.communicate(timeout=50)
    assert (process.returncode, complaints) == (0, "")
    return printed


@pytest.fixture(params=["sqlite", "redis"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Service:
    if request.param == "redis":
        return Service(tmp_path, request.getfixturevalue("redis_server").url)
    return Service(tmp_path)


@pytest.mark.parametrize("run", range(3))
def test_four_processes_make_exactly_as_many_calls_as_there_are(run: int, service: Service) -> None:
    del run
    processes = [
        service.start("hammer", service.log, 200, Verdict.GOOD.value) for _ in range(PROCESSES)
    ]
    for process in processes:
        ended(process)
    assert service.calls == 200


def test_no_kill_lets_a_call_out_uncounted(service: Service) -> None:
    limit, killed, chance = 1_000_000, 0, Random(1)
    for _ in range(4):
        began = service.calls
        processes = [
            service.start("hammer", service.log, limit, Verdict.GOOD.value)
            for _ in range(PROCESSES)
        ]
        for process in processes:
            goal = service.calls + chance.randrange(1, 60)
            deadline = time.monotonic() + 20
            while service.calls < goal:
                assert process.poll() is None
                assert time.monotonic() < deadline
            process.kill()
            killed += 1
        for process in processes:
            process.communicate()
        assert service.calls > began
        assert service.calls <= service.counted(limit) <= service.calls + killed


@pytest.mark.parametrize("verdict", [Verdict.FAULT, Verdict.DOUBTFUL, Verdict.REFUSED_KEY])
def test_four_processes_with_a_wrong_key_are_stopped(verdict: Verdict, service: Service) -> None:
    processes = [
        service.start("hammer", service.log, 1000, verdict.value) for _ in range(PROCESSES)
    ]
    for process in processes:
        ended(process)
    assert 1 <= service.calls <= 10


def test_a_process_that_crashes_and_restarts_all_day_is_stopped(service: Service) -> None:
    service.run("restart", service.log, 100)
    assert 10 <= service.calls < 25


def test_a_budget_may_be_forked(service: Service) -> None:
    service.run("fork")
    assert service.counted(1000) == 3


def test_a_full_disk_lets_no_call_out(tmp_path: Path) -> None:
    service = Service(tmp_path)
    printed = service.run("full", service.log)
    assert service.store in printed
    assert "make room on its disk" in printed
    assert service.calls <= service.counted(100_000) <= service.calls + 1


def test_a_file_that_may_not_be_written() -> None:
    # Not pytest's own folder, which other users may not enter
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        printed = Service(Path(folder)).run("read_only")
        # So that its owner can clear it away
        Path(folder).chmod(0o755)
    assert "readonly database; make its folder if there is none, and let this" in printed
