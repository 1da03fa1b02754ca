"""What every test stands on: the three event loops, and a guard against blocking them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

BACKENDS = [
    pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio"),
    pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
    pytest.param(("trio", dict[str, object]()), id="trio"),
]


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """The event loop that an async test runs on; each runs on all of them."""
    return request.param


@pytest.fixture(autouse=True)
def _nothing_blocks() -> Iterator[None]:
    """Fail a test in which the package blocks the event loop (asyncio's, the one it can watch)."""
    with blockbuster_ctx("dasp_async") as blockbuster:
        # A lock that coverage takes for every line it sees in a new thread is not ours.
        for lock in ("threading.Lock.acquire", "threading.Lock.acquire_lock"):
            blockbuster.functions[lock].can_block_in("coverage/collector.py", "lock_data")
        yield
