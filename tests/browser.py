"""The web example in a process of its own, and a headless Chromium that looks at it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "web"
KEY: Final = "test-key"
BROWSER: Final = shutil.which("chromium")
DRIVER: Final = shutil.which("chromedriver")
WHY_NOT: Final = "needs chromium and chromedriver, Debian's packages chromium and chromium-driver"
PATIENCE: Final = 15.0


def comes(condition: Callable[[], object]) -> bool:
    """Whether it comes true in good time."""
    deadline = time.monotonic() + PATIENCE
    while not (met := bool(condition())) and time.monotonic() < deadline:
        time.sleep(0.02)
    return met


class Web:
    """The example, on one port; it can be stopped or killed, and started again."""

    def __init__(self, folder: Path, endpoint: str, *, key: str = KEY) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.log = folder / "log"
        self._environment = os.environ | {
            "DASP_API_KEY": key,
            "DASP_ENDPOINT": endpoint,
            "DASP_DATA": str(folder / "data"),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and example
                [sys.executable, "-m", "uvicorn", "app:app", "--port", str(self.port)],
                cwd=EXAMPLE,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        assert comes(self._answers), self.log.read_text()

    def _answers(self) -> bool:
        try:
            return httpx.get(self.url).is_success
        except httpx.TransportError:
            return False

    def end(self, number: int) -> int:
        """Send it a signal that ends it; its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(PATIENCE)
        self._process = None
        return code

    def post(self, database: str) -> httpx.Response:
        """Start a backup."""
        return httpx.post(f"{self.url}/backups", json={"database": database}, timeout=PATIENCE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)


# Selenium's own types are partial, so a driver is `Any`.
def chromium(folder: Path) -> Any:
    """A headless Chromium that keeps its console and its requests in logs."""
    options: Any = ChromeOptions()
    options.binary_location = str(BROWSER)
    for argument in (
        "--headless=new",
        "--no-sandbox",  # which root can't have
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--hide-scrollbars",
        f"--user-data-dir={folder}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Chrome(options, Service(str(DRIVER)))


def complaints(driver: Any) -> list[str]:
    """What the console says since this was asked last."""
    return [entry["message"] for entry in driver.get_log("browser")]


def hosts(driver: Any) -> Iterator[str]:
    """The hosts that pages sent requests to since this was asked last."""
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            yield urlsplit(str(message["params"]["request"]["url"])).netloc
