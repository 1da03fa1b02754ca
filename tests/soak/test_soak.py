"""The soak in small: the same runs as `python -m tests.soak`, and leaks that they must see."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from uuid import UUID

import anyio
import anyio.lowlevel
import httpx
import pytest

from dasp_async import CustomerApi, MemoryBudget
from dasp_async.testing import FakeCustomerApi
from tests.servers import RawServer
from tests.soak import calls, stops
from tests.soak.waits import cut_short, in_polling, poll

KEY: Final = "test-key"

# uvloop is asyncio; the command leaves it out too.
on_both_event_loops = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


@pytest.mark.parametrize(("backend", "is_borrowed"), [("asyncio", False), ("trio", True)])
def test_calls_leave_nothing_and_each_outcome_is_told(
    backend: str, is_borrowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "ATTEMPT_TIMEOUT", 2.0)
    # Half of them fill what the client remembers of jobs.
    result = calls.run(700, backend=backend, in_flight=8, rest=0, is_borrowed=is_borrowed)
    assert result.problems() == []
    assert len(result.caused) > 3


@pytest.mark.parametrize(("anyio_backend", "is_scarce"), [("asyncio", True), ("trio", False)])
async def test_waits_that_are_cut_short_leave_nothing(is_scarce: bool) -> None:
    result = await cut_short(1000, is_scarce=is_scarce, rounds=2)
    assert result.problems == []
    assert result.cut > 500
    assert result.calls > 50


async def until_queued() -> None:
    """Time for waits to be told that no call is left."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


@on_both_event_loops
async def test_waits_that_are_cut_short_keep_no_place_while_no_call_is_left() -> None:
    fake = FakeCustomerApi(KEY)
    first, *others = (fake.add_job("Running") for _ in range(20))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        api = CustomerApi(KEY, http_client=http, budget=MemoryBudget(limit=2))
        await api.get_job_status(first)
        await api.get_job_status(first)
        async with anyio.create_task_group() as group:
            group.start_soon(poll, api, [first])
            await until_queued()
            for job_id in others * 5:
                async with anyio.create_task_group() as short:
                    # The second to leave leaves a job that the first has queued anew.
                    short.start_soon(poll, api, [job_id])
                    short.start_soon(poll, api, [job_id])
                    await until_queued()
                    short.cancel_scope.cancel()
            # The first, and as many that left as stay.
            assert in_polling()["Job"] <= 2
            group.cancel_scope.cancel()


@on_both_event_loops
async def test_who_is_under_way_when_the_client_is_closed_is_not_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with RawServer(stops.Service()) as server:
        for rounds in range(1, 25):
            async with CustomerApi(KEY, endpoint=server.url, max_in_flight=8) as api:
                await api.get_job_status(UUID(int=rounds * 100))
                async with anyio.create_task_group() as group:
                    for number in range(1, 7):
                        job_id = UUID(int=rounds * 100 + number)
                        group.start_soon(stops.told_if_closed, stops.look, api, [job_id])
                    for _ in range(rounds):
                        await anyio.lowlevel.checkpoint()
                    await api.aclose()
    assert caplog.messages == []


@on_both_event_loops
@pytest.mark.parametrize("operation", stops.OPERATIONS)
async def test_who_is_cancelled_at_any_await_holds_nothing(
    operation: stops.Operation, tmp_path: Path
) -> None:
    awaits = await stops.stopped_everywhere(operation, stops.cancel, stops.in_memory, tmp_path)
    assert awaits >= 2


@pytest.mark.parametrize("anyio_backend", ["trio"])
@pytest.mark.parametrize("operation", stops.OPERATIONS)
async def test_who_is_stopped_in_other_ways_holds_nothing_either(
    operation: stops.Operation, tmp_path: Path
) -> None:
    is_even = stops.OPERATIONS.index(operation) % 2 == 0
    means = stops.time_out if is_even else stops.fail_beside
    await stops.stopped_everywhere(operation, means, stops.on_file, tmp_path, is_borrowed=True)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("operation", stops.OPERATIONS)
async def test_whose_asyncio_task_is_cancelled_at_any_await_holds_nothing(
    operation: stops.Operation, tmp_path: Path
) -> None:
    await stops.stopped_everywhere(operation, stops.cancel_task, stops.on_file, tmp_path)
