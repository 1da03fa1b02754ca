"""Calls of every kind to be made while something fails: reads, writes, waits, descriptions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Final, TypeVar

from dasp_async import CustomerApi
from tests.secrecy.search import JOB, PASSWORD

ResultT = TypeVar("ResultT")
Call = Callable[[CustomerApi], Awaitable[object]]


async def _add_user(api: CustomerApi) -> None:
    await api.sm_add_user(
        "a.example", "ann", PASSWORD, first_name="A", last_name="B", max_mailbox_size_in_mb=1
    )


async def _many(api: CustomerApi) -> None:
    async with api.poll_many([JOB], timeout=0.05) as outcomes:
        async for outcome in outcomes:
            raise outcome.error or AssertionError(outcome)


READS: Final[dict[str, Call]] = {
    "get_job_status": lambda api: api.get_job_status(JOB),
    "bandwidth_get_usage": lambda api: api.bandwidth_get_usage(date(2026, 1, 1), date(2026, 1, 2)),
}
WRITES: Final[dict[str, Call]] = {
    "sm_add_user": _add_user,
    "call": lambda api: api.call("SetUp", {"user": "ann", "newPassword": PASSWORD}),
    "call, nested": lambda api: api.call("SetUp", {"users": [{"u": {"password": PASSWORD}}]}),
    "start_job": lambda api: api.start_job("Restore", {"secret": [PASSWORD], "x": 1}),
}
WAITS: Final[dict[str, Call]] = {
    "poll_until_done": lambda api: api.poll_until_done(JOB, timeout=0.05),
    "poll_many": _many,
}
DESCRIBE: Final[dict[str, Call]] = {"describe": lambda api: api.describe()}
# One of each kind, and whether a password is sent, which may then be echoed
ECHOED: Final = {
    "get_job_status": False,
    "sm_add_user": True,
    "call, nested": True,
    "describe": False,
}
CALLS: Final = {**READS, **WRITES, **WAITS, **DESCRIBE}


class Notes:
    """The errors that passed by, cancellations too."""

    def __init__(self) -> None:
        self.caught: list[BaseException] = []

    async def passing(self, call: Awaitable[ResultT]) -> ResultT:
        """Await a call, and keep the error that it ends in."""
        try:
            return await call
        except BaseException as error:
            self.caught.append(error)
            raise


def api(key: str, url: str, **options: Any) -> CustomerApi:
    """A client that tries once."""
    settings: dict[str, Any] = {"attempts": 1, "attempt_timeout": 10.0, **options}
    return CustomerApi(key, endpoint=url, **settings)
