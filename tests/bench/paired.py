"""This package against raw httpx on the very same connections, where a few percent matter.

`python -m tests.bench.paired` prints ratios of calls a second; it needs no extra. Slices of both
take turns in one process, which has sniffio; the figure is the median of the ratios of neighbours.
"""

from __future__ import annotations

import time
from statistics import median, quantiles
from typing import Final

import anyio

from tests.bench.calls import answering
from tests.bench.clients import Ask, dasp, httpx_on_ours

CALLERS: Final = (1, 10, 100)
CALLS: Final = 200
SLICES: Final = 60
COLD: Final = 5


async def seconds(ask: Ask, callers: int) -> float:
    """What some calls take."""

    async def call(caller: int) -> None:
        for _ in range(max(1, CALLS // callers)):
            await ask(caller)

    began = time.perf_counter()
    async with anyio.create_task_group() as group:
        for caller in range(callers):
            group.start_soon(call, caller)
    return time.perf_counter() - began


async def compare(url: str, callers: int) -> None:
    """Print the ratio at so many callers."""
    async with dasp(url, callers) as ours, httpx_on_ours(url, callers) as raw:
        ratios = [
            await seconds(raw, callers) / await seconds(ours, callers) for _ in range(SLICES)
        ][COLD:]
    low, _, high = quantiles(ratios, n=4)
    print(f"{callers} at once: {median(ratios):.3f} (half of them {low:.3f} to {high:.3f})")


def main() -> None:
    """Print the ratios."""
    with answering() as url:
        for callers in CALLERS:
            anyio.run(compare, url, callers)


if __name__ == "__main__":
    main()
