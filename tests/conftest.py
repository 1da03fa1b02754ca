"""What every test stands on: the three event loops, and a guard against blocking them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from tests.redis_server import PROGRAM, WHY_NOT, RedisServer

BACKENDS = [
    pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio"),
    pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
    pytest.param(("trio", dict[str, object]()), id="trio"),
]


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """The event loop that an async test runs on; each runs on all of them."""
    return request.param


@pytest.fixture(scope="session")
def redis_of_all_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server that is started once; `redis_server` is it, emptied."""
    if PROGRAM is None:
        pytest.skip(WHY_NOT)
    with RedisServer(Path(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture
def redis_server(redis_of_all_tests: RedisServer) -> RedisServer:
    """A Redis server with nothing on it."""
    redis_of_all_tests.empty()
    return redis_of_all_tests


@pytest.fixture(autouse=True)
def _nothing_blocks() -> Iterator[None]:
    """Fail a test in which the package blocks the event loop (asyncio's, the one it can watch)."""
    with blockbuster_ctx("dasp_async") as blockbuster:
        # A lock that coverage takes for every line it sees in a new thread is not ours.
        for lock in ("threading.Lock.acquire", "threading.Lock.acquire_lock"):
            blockbuster.functions[lock].can_block_in("coverage/collector.py", "lock_data")
        yield
