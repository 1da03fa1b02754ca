"""What an installed wheel must do, with the one extra that is named, or with none."""  # noqa: INP001 - a script

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import anyio
import httpx

import dasp_async
from dasp_async import CustomerApi, RedisBudget
from dasp_async.testing import FakeClock, FakeCustomerApi

DASP = Path(sys.executable).with_name("dasp")


def expect(what: str, got: object, wanted: object) -> None:
    """End with what was expected, unless it was got."""
    if got != wanted:
        sys.exit(f"{what}: {got!r} instead of {wanted!r}")


def run(*command: str | Path) -> tuple[int, str, str]:
    """The exit code of a command, and what it wrote to the two streams."""
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own
    return ran.returncode, ran.stdout, ran.stderr


async def wait() -> str | None:
    """Wait an hour for a job of the fake service, in no time; the service's last word."""
    clock = FakeClock()
    fake = FakeCustomerApi("test-key", clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        api = CustomerApi("test-key", http_client=http, clock=clock)
        return (await api.poll_until_done(fake.add_job(duration=3600), timeout=None)).status


def redis_budget() -> str:
    """What comes of making a budget on Redis, which connects to nothing yet."""
    try:
        return type(RedisBudget("redis://127.0.0.1:1")).__name__
    except ImportError as error:
        return str(error)


extra = sys.argv[1] if len(sys.argv) > 1 else ""
expect("from the wheel", Path(dasp_async.__file__).is_relative_to(sys.prefix), True)
expect("the version", dasp_async.__version__, version("dasp_async"))
for name in dasp_async.__all__:
    getattr(dasp_async, name)
expect("a wait", anyio.run(wait), "Completed")
expect(
    "a budget on Redis",
    redis_budget(),
    "RedisBudget" if extra == "redis" else 'pip install "dasp_async[redis]" to use RedisBudget',
)
told = run(sys.executable, "-I", "-m", "dasp_async", "--version")
if extra == "cli":
    expect("--version", told, (0, f"dasp {dasp_async.__version__}\n", ""))
    code, out, err = run(DASP, "demo")
    expect("the demo", (code, err), (0, ""))
    expect("what it shows", "Completed" in out, True)
else:
    missing = (2, "", "dasp needs typer: pip install 'dasp_async[cli]'\n")
    expect("python -m dasp_async", told, missing)
    expect("dasp", run(DASP, "demo"), missing)
