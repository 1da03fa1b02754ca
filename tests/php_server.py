"""PHP's `SoapServer` on a free port of this machine, for a captured WSDL and for the fake's."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID, uuid4

from dasp_async.testing import OPERATIONS
from dasp_async.testing.wsdl import wsdl
from tests.samples import load

PROGRAM: Final = shutil.which("php")
APT_PACKAGES: Final = ("php-cli", "php-soap")

_ROUTER: Final = Path(__file__).parent / "php" / "router.php"
_CAPTURED_AT: Final = b"http://127.0.0.1:18080/1.0/customerapi.asmx"
_WORKERS: Final = 4

# What a job answers to one look: the members of its status, a `fault` or an `exception`.
Look = Mapping[str, object]


def why_not() -> str | None:
    """Why PHP can't be the server here; None if it can."""
    debian = f"Debian: apt-get install --no-install-recommends {' '.join(APT_PACKAGES)}"
    if PROGRAM is None:
        return f"needs php ({debian})"
    run = subprocess.run(  # noqa: S603 - Debian's own
        [PROGRAM, "-r", "exit((int) !(PHP_MAJOR_VERSION >= 8 && extension_loaded('soap')));"],
        check=False,
        timeout=20,
    )
    return None if run.returncode == 0 else f"needs PHP 8 with its extension soap ({debian})"


class PhpServer:
    """Starts and stops; what it is to answer, and what it has kept, lies in files of a folder.

    captured, known: the addresses where it answers by the WSDL that was captured from ASMX, and
    by the fake's WSDL of the operations that are known.
    """

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.captured = f"http://127.0.0.1:{self._port}/captured.asmx"
        self.known = f"http://127.0.0.1:{self._port}/known.asmx"

    def add_job(self, *looks: Look | None, job_id: UUID | None = None) -> UUID:
        """A job that answers so, look by look, and the last for all that follow; None for null."""
        job = uuid4() if job_id is None else job_id
        (self._folder / f"{job}.looks").unlink(missing_ok=True)
        (self._folder / f"{job}.json").write_text(json.dumps(looks), "utf-8")
        return job

    def kept(self, name: str) -> Any:
        """What PHP has kept under a name, as it understood it."""
        return json.loads((self._folder / f"{name}.json").read_text("utf-8"))

    def __enter__(self) -> Self:
        captured = load("http/wsdl").body.replace(_CAPTURED_AT, self.captured.encode())
        (self._folder / "captured.wsdl").write_bytes(captured)
        known = wsdl(tuple(OPERATIONS.values()), self.known)
        (self._folder / "known.wsdl").write_text(known, "utf-8")
        assert PROGRAM is not None
        address = f"127.0.0.1:{self._port}"
        self._process = subprocess.Popen(  # noqa: S603 - Debian's own
            [
                PROGRAM,
                "-d",
                "display_errors=0",
                "-S",
                address,
                "-t",
                str(self._folder),
                str(_ROUTER),
            ],
            env={
                **os.environ,
                "PHP_CLI_SERVER_WORKERS": str(_WORKERS),
                "TZ": "MST7",  # 7 hours west all year, by no zone file, for the dates PHP writes
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
            except ConnectionRefusedError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError("php did not start")

    def _stop(self) -> None:
        if self._process is not None:
            # The group: PHP's workers outlive the process that started them.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
