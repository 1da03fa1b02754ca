# ruff: noqa: T201 - printing is what it is for
"""`python -m tests.soak`: what a long life leaves behind, in tables; it ends with 1 if that leaks.

Each part has a process of its own, in Python's development mode and with warnings as errors:

| part | what |
| --- | --- |
| calls | `--calls` over real sockets, 5 % of them in trouble; see `tests.soak.calls` |
| borrowed | a quarter of them through a borrowed `httpx.AsyncClient` |
| waits | `--waits` in memory, half of them cut short; see `tests.soak.waits` |
| stops | operations stopped at each await, in every way, by budget; see `tests.soak.stops` |

On Linux, since it reads /proc.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from tests.soak import stops
from tests.soak.calls import POINTS, ROOT, Result, run
from tests.soak.held import run_on
from tests.soak.waits import cut_short

Part: TypeAlias = Callable[[argparse.Namespace], list[str]]


def calls(options: argparse.Namespace) -> list[str]:
    """Calls of a client that has its own connections."""
    return _told(run(options.calls, backend=options.backend))


def borrowed(options: argparse.Namespace) -> list[str]:
    """Calls through a borrowed client."""
    return _told(run(options.calls // 4, backend=options.backend, is_borrowed=True))


def _told(result: Result) -> list[str]:
    print(f"{result.calls:,} calls; outcomes: {_counts(result.outcomes)}")
    print(f"answers the server gave: {_counts(result.caused)}")
    print(f"of which were met:       {_counts(result.met)}\n")
    print("| at | RSS MiB | fds | tasks | threads | objects | blocks |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    names = ["begin", *(f"{point:.0%}" for point in POINTS), "closed"]
    for name, each in zip(names, (result.begin, *result.points, result.end), strict=True):
        assert each is not None
        counts = (each.descriptors, each.tasks, each.threads, each.objects, each.blocks)
        print(f"| {name} | {each.rss / 2**20:.1f} | {' | '.join(f'{n:,}' for n in counts)} |")
    return result.problems()


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{name} {times:,}" for name, times in sorted(counter.items()))


def waits(options: argparse.Namespace) -> list[str]:
    """Waits that are cut short."""
    problems: list[str] = []
    print("| calls are | waits | cut short | ended | calls | blocks half-way | at the end |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for is_scarce in (False, True):
        result = run_on(
            options.backend, partial(cut_short, options.waits // 2, is_scarce=is_scarce)
        )
        counts = (result.cut + result.ended, result.cut, result.ended, result.calls)
        blocks = (result.blocks[len(result.blocks) // 2 - 1], result.blocks[-1])
        cells = (f"{count:,}" for count in (*counts, *blocks))
        print(f"| {'scarce' if is_scarce else 'plenty'} | {' | '.join(cells)} |")
        problems += result.problems
    return problems


def stopped(options: argparse.Namespace) -> list[str]:
    """Operations that are stopped at each await."""
    on_asyncio = options.backend == "asyncio"
    everyhow = stops.ON_ASYNCIO if on_asyncio else stops.EVERYWHERE
    print("Awaits of each operation; by budget, and own (o) or borrowed (b) client.\n")
    ways = [(make, is_borrowed) for make in stops.BUDGETS for is_borrowed in (False, True)]
    titles = [f"{make.__name__}, {'b' if is_borrowed else 'o'}" for make, is_borrowed in ways]
    print(f"| operation | stopped by | {' | '.join(titles)} |")
    print(f"| --- | --- |{' ---: |' * len(ways)}")
    problems: list[str] = []
    for operation in stops.OPERATIONS:
        for means in everyhow:
            cells: list[str] = []
            for make, is_borrowed in ways:
                if is_borrowed and means is stops.cancel_task:
                    cells.append("")
                    continue
                try:
                    cells.append(_stopped(operation, means, make, options.backend, is_borrowed))
                except AssertionError as error:
                    cells.append("LEAK")
                    problems.append(f"{operation.__name__} by {means.__name__}: {error!r}")
            print(f"| {operation.__name__} | {means.__name__} | {' | '.join(cells)} |", flush=True)
    return problems


def _stopped(
    operation: stops.Operation,
    means: stops.Means,
    make: stops.MakeBudget,
    backend: str,
    is_borrowed: bool,
) -> str:
    with TemporaryDirectory() as folder:
        everywhere = partial(
            stops.stopped_everywhere,
            operation,
            means,
            make,
            Path(folder),
            is_borrowed=is_borrowed,
        )
        return str(run_on(backend, everywhere))


PARTS: Final[dict[str, Part]] = {
    "calls": calls,
    "borrowed": borrowed,
    "waits": waits,
    "stops": stopped,
}


def main() -> int:
    """Run the parts; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--waits", type=int, default=20_000)
    parser.add_argument("--backend", choices=("asyncio", "trio"), default="asyncio")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    if len(options.parts) > 1 or not sys.flags.dev_mode:
        return max(_in_a_process(part, options) for part in options.parts)
    problems = PARTS[options.parts[0]](options)
    for problem in problems:
        print(f"\nLEAK: {problem}")
    return 1 if problems else 0


def _in_a_process(part: str, options: argparse.Namespace) -> int:
    began = time.monotonic()
    print(f"\n# {part}, on {options.backend}\n", flush=True)
    words = ["--parts", part, "--backend", options.backend]
    words += ["--calls", str(options.calls), "--waits", str(options.waits)]
    python = [sys.executable, "-X", "dev", "-W", "error"]
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [*python, "-m", "tests.soak", *words], cwd=ROOT, check=False
    )
    print(f"\n{time.monotonic() - began:.0f} s, exit code {done.returncode}", flush=True)
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
