"""A wrong key over real sockets: neither many processes nor many starts make 25 failed log-ins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dasp_async.cli.fake import serving
from dasp_async.testing import FakeCustomerApi, Fault
from tests import lockout_worker

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork")

PROCESSES = 4
WAITS = 1000
STARTS = 60


class Service:
    """A fake whose key is another one, its address, and the file of a budget."""

    def __init__(self, fake: FakeCustomerApi, endpoint: str, path: Path) -> None:
        self.fake = fake
        self.endpoint = endpoint
        self.path = path

    @contextmanager
    def started(self, program: str, *arguments: object) -> Generator[subprocess.Popen[str]]:
        """A process of ours; it is killed if it does not end."""
        command = [sys.executable, lockout_worker.__file__, program, self.path, self.endpoint]
        with subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [str(part) for part in (*command, *arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            try:
                yield process
            finally:
                process.kill()


def ended(process: subprocess.Popen[str]) -> str:
    """What a process printed, once it has ended well."""
    printed, complaints = process.communicate(timeout=40)
    assert (process.returncode, complaints) == (0, "")
    return printed


@pytest.fixture(params=[None, "Nope"], ids=["own fault", "another fault"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Service]:
    fake = FakeCustomerApi("another-key")
    if request.param is not None:
        fake.trouble(Fault(reason=request.param), times=5000)
    with serving(fake) as endpoint:
        yield Service(fake, endpoint, tmp_path / "calls.sqlite")


def test_a_thousand_waits_of_four_processes_are_fewer_than_25_log_ins(service: Service) -> None:
    each = WAITS // PROCESSES
    with ExitStack() as stack:
        processes = [
            stack.enter_context(service.started("wait", 1 + number * each, each))
            for number in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        results = Counter[str]()
        for process in processes:
            results.update(json.loads(ended(process)))
    assert results.keys() <= {"SoapFault", "LockoutRisk"}
    assert results.total() == WAITS
    assert 1 <= len(service.fake.calls) < 25


def test_a_process_that_is_started_anew_all_day_makes_fewer_than_25_log_ins(
    service: Service,
) -> None:
    with service.started("restart", STARTS) as process:
        ended(process)
    assert 1 < len(service.fake.calls) < 25
