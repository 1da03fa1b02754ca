"""A budget in a SQLite file, for any number of processes on one machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from dasp_async import arguments
from dasp_async.budget import steps
from dasp_async.budget.contract import Admission, Caller, Verdict, Waiting, account_asked_for
from dasp_async.budget.rules import Limits
from dasp_async.budget.threads import Threads
from dasp_async.clock import Clock, SystemClock

if TYPE_CHECKING:
    from dasp_async.budget.sqlite_file import SqliteFile

T = TypeVar("T")


class SqliteBudget:
    """Counts calls and faults for all processes on this machine that use the same file.

    A call is on file before it is made: a process killed at any moment lets none out uncounted.
    The file holds hashes of keys and endpoints, never these; it must be on a local disk. All who
    share it must give the same limit and window.

    path: of the file, made when first needed, in a folder that exists. limit: calls in any
    `window`, of each key; `math.inf` guards against a lock-out alone. window: seconds or a
    timedelta. reserve: calls that waits leave to direct calls. clock: instead of the system's,
    for tests.

    Raises `ValueError` or `TypeError` for arguments that make no sense.
    """

    __slots__ = ("_clock", "_file", "_limits", "_path", "_threads")

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        limit: float = 1000,
        window: float | timedelta = 86_400.0,
        reserve: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._path = _file_path(path)
        self._limits = Limits.of(limit, window, reserve)
        arguments.clock(clock)
        self._clock: Clock = SystemClock() if clock is None else clock
        self._file: SqliteFile | None = None
        # One at a time on each event loop; SQLite itself sees to several loops.
        self._threads = Threads(1)

    async def admit(self, caller: Caller, waiting: Waiting | None) -> Admission:
        """Count a call, if it may be made now; `waiting` is None for a direct call."""
        return await self._step(
            lambda rows: steps.admit(rows, self._limits, caller, waiting, self._clock.time())
        )

    async def settle(self, caller: Caller, call: int, verdict: Verdict) -> None:
        """Note what came of a call that was admitted."""
        if steps.needs_settling(call, verdict):
            await self._step(
                lambda rows: steps.settle(rows, caller, call, verdict, self._clock.time())
            )

    async def remaining(self, key: str | None = None) -> int:
        """The calls left now to a key; None for the key that has the fewest left.

        `sys.maxsize` without a limit. Raises `CallRefused` if the file can't be used, and
        `TypeError` or `ValueError` for what can't be a key.
        """
        account = account_asked_for(key)
        # No error below may have it among the local variables of its traceback.
        del key
        if isinstance(account, Exception):
            raise account
        return await self._step(
            lambda rows: steps.remaining(rows, self._limits, account, self._clock.time())
        )

    async def _step(self, step: Callable[[steps.Rows], T]) -> T:
        return await self._threads.run(partial(self._in_thread, step))

    def _in_thread(self, step: Callable[[steps.Rows], T]) -> T:
        file = self._file
        if file is None or not file.is_ours:
            from dasp_async.budget.sqlite_file import SqliteFile  # noqa: PLC0415 - brings sqlite3

            file = self._file = SqliteFile(self._path)
        return file.run(step)


def _file_path(path: str | os.PathLike[str]) -> str:
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise TypeError(f"path must be a path, not {type(path).__name__}") from None
    try:
        is_writable = b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        is_writable = False
    if not is_writable:
        raise ValueError("path must be of characters that a file's name can have")
    if text in {"", ":memory:"}:
        raise ValueError(f"path must name a file, not {text!r}; MemoryBudget needs none")
    return text
