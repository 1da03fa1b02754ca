"""The service on a live ASMX runtime: compiled, started on a free loopback port, and stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

# Debian's packages, enough with --no-install-recommends
PACKAGES: Final = ("mono-mcs", "libmono-system-web-services4.0-cil", "tzdata")
WHY_NOT: Final = f"needs Mono: apt-get install --no-install-recommends {' '.join(PACKAGES)}"

COMPILER: Final = shutil.which("mcs")
RUNTIME: Final = shutil.which("mono")

# What a slow machine may take to compile, or to start; it is a second, as a rule
PATIENCE: Final = 50.0

_SOURCES: Final = Path(__file__).parent
_LIBRARIES: Final = "System.Web.dll,System.Web.Services.dll,System.Data.dll,System.Xml.dll"


def is_installed() -> bool:
    """Whether all that the service needs is there."""
    if COMPILER is None or RUNTIME is None:
        return False
    return (Path(COMPILER).parents[1] / "lib/mono/4.5/System.Web.Services.dll").exists()


class MonoService:
    """`customerapi.asmx`, the operations that are known, and `echo.asmx`, test methods alone.

    url, echo_url: where they are, once it has started.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.url = ""
        self.echo_url = ""

    def build(self) -> None:
        """Make the folder a web site."""
        (self._folder / "bin").mkdir()
        (self._folder / "1.0").mkdir()
        shutil.copy(_SOURCES / "web.config", self._folder)
        for page in _SOURCES.glob("*.asmx"):
            shutil.copy(page, self._folder / "1.0")
        # ASP.NET looks for services in libraries only, not in the program.
        self._compile("-target:library", "-out:bin/Services.dll", "CustomerApi.cs", "Echo.cs")
        self._compile("-out:bin/Host.exe", "Host.cs")

    def _compile(self, *words: str) -> None:
        assert COMPILER is not None
        words = tuple(str(_SOURCES / word) if word.endswith(".cs") else word for word in words)
        run = subprocess.run(  # noqa: S603 - Debian's own
            [COMPILER, "-nologo", "-warnaserror", f"-r:{_LIBRARIES}", *words],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert run.returncode == 0, run.stdout + run.stderr

    def __enter__(self) -> Self:
        assert RUNTIME is not None
        log = self._folder / "log"
        # The zone and the language in which the captured answers were given
        surroundings = {**os.environ, "TZ": "America/Los_Angeles", "LC_ALL": "C"}
        with log.open("w") as errors:
            self._process = process = subprocess.Popen(  # noqa: S603 - Debian's own
                [RUNTIME, "bin/Host.exe", str(self._folder)],
                cwd=self._folder,
                env=surroundings,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert process.stdout is not None
        limit = threading.Timer(PATIENCE, process.kill)
        limit.start()
        port = process.stdout.readline().strip()
        limit.cancel()
        if not port:
            self._stop()
            raise AssertionError(f"the host did not start: {log.read_text()}")
        self.url = f"http://127.0.0.1:{port}/1.0/customerapi.asmx"
        self.echo_url = f"http://127.0.0.1:{port}/1.0/echo.asmx"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        process = self._process
        assert process is not None
        try:
            # The end of its input ends it.
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
