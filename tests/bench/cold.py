"""A cold start: imports, and the first call of a new client, each in fresh processes.

`python -m tests.bench.cold` prints ratios of medians; what is compared takes turns.
"""

from __future__ import annotations

import compileall
import subprocess
import sys
from collections.abc import Mapping
from statistics import median
from typing import Final

from tests.bench.calls import ROOT, answering

ROUNDS: Final = 25

# Up to the first connection, which is refused, since only then do both have all that a call needs
FIRST_OF_HTTPX: Final = """
import lxml.etree, anyio, httpx
async def main():
    async with httpx.AsyncClient() as http:
        try:
            await http.post("https://127.0.0.1:9/", content=b"")
        except httpx.TransportError:
            pass
anyio.run(main)
"""
FIRST_OF_OURS: Final = """
import anyio, dasp_async
async def main():
    async with dasp_async.CustomerApi("a-key", endpoint="https://127.0.0.1:9/", attempts=1) as api:
        try:
            await api.get_job_status("00000000-0000-0000-0000-000000000001")
        except dasp_async.TransportError:
            pass
anyio.run(main)
"""
STARTS: Final = {
    "import lxml.etree, anyio": "import lxml.etree, anyio",
    "import dasp_async": "import dasp_async",
    "the names of its client": "from dasp_async import CustomerApi",
    "lxml, anyio and httpx's first client": FIRST_OF_HTTPX,
    "dasp_async's first client": FIRST_OF_OURS,
}
TIMED: Final = "import time; began = time.perf_counter()\n{}\nprint(time.perf_counter() - began)"
# httpcore imports it where it is installed, as for the tests: as much again as all else of it
WITHOUT_TRIO: Final = 'import sys; sys.modules["trio"] = None\n'
ZEEP: Final = """
async def main():
    async with httpx.AsyncClient() as http:
        transport = AsyncTransport(client=http, wsdl_client=httpx.Client())
        client = zeep.AsyncClient(url + "?WSDL", transport=transport)
        await client.service.GetJobStatus(key="a-key", jobId=job)
anyio.run(main)
"""
OURS: Final = """
async def main():
    async with CustomerApi("a-key", endpoint=url) as api:
        await api.get_job_status(job)
anyio.run(main)
"""
# The least that a client on httpx can take
BARE: Final = """
async def main():
    async with httpx.AsyncClient(verify=False) as http:
        await http.post(url, content=b"")
anyio.run(main)
"""
FIRST_CALLS: Final = {
    "zeep's AsyncClient": (
        "import anyio, httpx, zeep; from zeep.transports import AsyncTransport",
        ZEEP,
    ),
    "dasp_async": ("import anyio, httpx; from dasp_async import CustomerApi", OURS),
    "plain httpx without TLS": ("import anyio, httpx", BARE),
}


def seconds(program: str) -> float:
    """What a fresh process prints."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and programs
        [sys.executable, "-c", WITHOUT_TRIO + program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return float(done.stdout)


def medians(programs: Mapping[str, str]) -> dict[str, float]:
    """The median of each program's seconds."""
    rounds = [{name: seconds(each) for name, each in programs.items()} for _ in range(ROUNDS)]
    return {name: median(each[name] for each in rounds) for name in programs}


def compare(programs: Mapping[str, str], base: str, name: str) -> None:
    """Print a ratio."""
    found = medians({each: programs[each] for each in (base, name)})
    print(
        f"{name}: {found[name] / found[base]:.2f} times {base} "
        f"({1000 * found[name]:.0f} and {1000 * found[base]:.0f} ms)"
    )


def main() -> None:
    """Print the ratios."""
    # As pip does for a package that it installs
    compileall.compile_dir(ROOT / "dasp_async", quiet=1)
    starts = {name: TIMED.format(program) for name, program in STARTS.items()}
    compare(starts, "import lxml.etree, anyio", "import dasp_async")
    compare(starts, "import lxml.etree, anyio", "the names of its client")
    compare(starts, "lxml, anyio and httpx's first client", "dasp_async's first client")
    with answering() as url:
        job = "00000000-0000-0000-0000-000000000001"
        calls = {
            name: f"{imported}\nurl, job = {url!r}, {job!r}\n" + TIMED.format(program)
            for name, (imported, program) in FIRST_CALLS.items()
        }
        compare(calls, "zeep's AsyncClient", "dasp_async")
        compare(calls, "zeep's AsyncClient", "plain httpx without TLS")


if __name__ == "__main__":
    main()
