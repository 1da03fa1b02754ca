"""Where a call's time goes: the own time of each package below one `get_job_status`.

`python -m tests.bench.packages` prints the shares, as cProfile sees them, waiting left out.
"""

from __future__ import annotations

import re
from collections import Counter
from cProfile import Profile
from types import CodeType
from typing import Final

import anyio

from tests.bench.calls import answering
from tests.bench.clients import dasp

CALLS: Final = 3000
PACKAGE: Final = re.compile(r"site-packages/(\w+)")


def package(function: CodeType | str) -> str:
    """What a profiled function belongs to; of one that is written in C there is only the name."""
    if isinstance(function, str):
        return "built in"
    found = PACKAGE.search(function.co_filename)
    if found is not None:
        return found[1]
    return "dasp_async" if "dasp_async" in function.co_filename else "standard library"


async def profiled(url: str) -> Profile:
    """Calls one after the other."""
    profile = Profile()
    async with dasp(url, 1) as ask:
        await ask(0)
        with profile:
            for _ in range(CALLS):
                await ask(0)
    return profile


def main() -> None:
    """Print the shares."""
    with answering() as url:
        profile = anyio.run(profiled, url)
    shares: Counter[str] = Counter()
    for entry in profile.getstats():
        if "poll" not in str(entry.code):
            shares[package(entry.code)] += round(1e9 * entry.inlinetime)
    for name, share in shares.most_common():
        print(f"{name}: {100 * share / shares.total():.0f} %")


if __name__ == "__main__":
    main()
