"""Backups on file: each is written down, waited for to its end, and shown to whoever looks."""

from __future__ import annotations

import itertools
import random
import sqlite3
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, TypedDict
from uuid import UUID

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from dasp_async import (
    CallBudget,
    CallRefused,
    CustomerApi,
    DaspError,
    FaultRules,
    HttpError,
    InvalidResponse,
    JobState,
    JobStatus,
    Schedule,
    SoapFault,
    TransportError,
)

FAULTS = FaultRules()
PAUSES = Schedule(initial=60, factor=2, maximum=3600)
# Others may use the same budget; so often, in seconds, the page learns of that.
REFRESH = 10
LOOK_FIRST = "Look in the control panel before you start it again."
MEND_FIRST = "Mend what is said here, then start it again."

TABLE = """
CREATE TABLE IF NOT EXISTS backups (
    number INTEGER PRIMARY KEY,
    database TEXT NOT NULL,
    job_id TEXT,            -- NULL until the service has told it
    state TEXT NOT NULL,    -- starting, running, done, failed, or unclear: see `message`
    word TEXT,              -- how the job stands, in the service's own word
    message TEXT,           -- what went wrong
    started REAL NOT NULL,  -- seconds since 1970
    ended REAL              -- when it was seen to be over; NULL as long as it is not
)"""
SET = """
UPDATE backups SET job_id = coalesce(:job_id, job_id), state = :state,
    word = coalesce(:word, word), message = :message, ended = :ended
WHERE number = :number"""
NOTHING = dict.fromkeys(("job_id", "word", "message", "ended"))
SHOWN = "SELECT * FROM backups ORDER BY ended IS NOT NULL, number DESC LIMIT 100"


class Page(TypedDict):
    """All that the page shows. calls_left: None if the budget's file can't be read."""

    backups: list[dict[str, Any]]
    calls_left: int | None


def may_have_begun(error: DaspError) -> bool:
    """Whether a start that ended with this error may have taken effect all the same."""
    if isinstance(error, TransportError):
        return error.maybe_sent
    return isinstance(error, HttpError | InvalidResponse)


class Backups:
    """The backups on file. `kept` makes one, and waits for the jobs as long as its block lasts."""

    def __init__(
        self,
        api: CustomerApi,
        budget: CallBudget,
        file: sqlite3.Connection,
        waits: TaskGroup,
        pauses: Schedule,
    ) -> None:
        self._api = api
        self._budget = budget
        self._file = file
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._waits = waits
        self._pauses = pauses
        self._changed = anyio.Event()
        self._is_closing = False

    async def start(self, database: str) -> UUID:
        """Start a backup; it is sent once. Raises `DaspError` if the service told no job's id."""
        # On file before it is sent: a crash in between then leaves a trace to look into.
        [row] = await self._sql(
            "INSERT INTO backups (database, state, started) VALUES (?, 'starting', ?) "
            "RETURNING number",
            (database, time.time()),
        )
        self._tell()
        try:
            job_id = await self._api.start_job("Sql2012CreateBackup", {"databaseName": database})
        except DaspError as error:
            state, advice = "failed", f"Not started. {MEND_FIRST}"
            if may_have_begun(error):
                state, advice = "unclear", f"It may have been started. {LOOK_FIRST}"
            message = f"{advice} {error}"
            await self._set(row["number"], state, message=message, ended=time.time())
            raise
        await self._set(row["number"], "running", job_id=str(job_id))
        self._waits.start_soon(self._follow, row["number"], job_id)
        return job_id

    async def resume(self) -> None:
        """Go on where the program was when it ended, or was killed."""
        await self._sql(
            "UPDATE backups SET state = 'unclear', ended = ?, message = ? WHERE state = 'starting'",
            (time.time(), f"The server was stopped while it was being started. {LOOK_FIRST}"),
        )
        for row in await self._sql("SELECT number, job_id FROM backups WHERE ended IS NULL"):
            self._waits.start_soon(self._follow, row["number"], UUID(row["job_id"]))

    async def pages(self) -> AsyncGenerator[Page]:
        """What the page shows: now, and after each change, until `end_pages`."""
        last: Page | None = None
        while not self._is_closing:
            changed = self._changed
            page = await self._page()
            if page != last:
                yield page
            last = page
            with anyio.move_on_after(REFRESH):
                await changed.wait()

    def end_pages(self) -> None:
        """Let all `pages` end."""
        self._is_closing = True
        self._tell()

    async def _page(self) -> Page:
        left = None
        with suppress(CallRefused):
            left = await self._budget.remaining()
        return {"backups": [dict(row) for row in await self._sql(SHOWN)], "calls_left": left}

    async def _follow(self, number: int, job_id: UUID) -> None:
        """Wait for a job, and again after whatever stops that, until it is over."""
        for step in itertools.count():
            try:
                await self._wait(number, job_id)
            except (DaspError, sqlite3.Error) as error:
                with suppress(sqlite3.Error):
                    message = f"Waiting stopped, and will be tried again. {error}"
                    await self._set(number, "running", message=message)
                pause = self._pauses.delay(step, random.random())  # noqa: S311 - jitter
                asked_for = error.retry_after if isinstance(error, DaspError) else None
                await anyio.sleep(max(pause, asked_for or 0))
            else:
                return

    async def _wait(self, number: int, job_id: UUID) -> None:
        """Write each change down, whether or not a browser looks on."""
        try:
            async with aclosing(self._api.watch(job_id, timeout=None)) as statuses:
                async for status in statuses:
                    await self._saw(number, status)
        except SoapFault as error:
            if not FAULTS.is_unknown_job(error.reason):
                raise
            # Asked for again and again, it would use up the few faults that are safe.
            message = "The service does not know this job."
            await self._set(number, "unclear", message=message, ended=time.time())

    async def _saw(self, number: int, status: JobStatus) -> None:
        values: dict[str, Any] = {"word": status.status}
        if status.is_final:
            values["ended"] = status.seen_at
        if status.state is JobState.FAILED:
            values["message"] = status.error_message or "The service gave no reason."
        await self._set(number, status.state.value, **values)

    async def _set(self, number: int, state: str, **values: object) -> None:
        await self._sql(SET, NOTHING | values | {"number": number, "state": state})
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def _sql(self, statement: str, values: Any = ()) -> list[sqlite3.Row]:
        def run() -> list[sqlite3.Row]:
            with self._file:
                return self._file.execute(statement, values).fetchall()

        # In a thread: a disk may take its time, and the server goes on meanwhile.
        return await anyio.to_thread.run_sync(run, limiter=self._one_at_a_time)


def opened(path: Path) -> sqlite3.Connection:
    """The file, with its table."""
    # Other threads use it, but one at a time.
    file = sqlite3.connect(path, check_same_thread=False)
    file.row_factory = sqlite3.Row
    file.execute(TABLE)
    return file


@asynccontextmanager
async def kept(
    api: CustomerApi, budget: CallBudget, path: Path, pauses: Schedule = PAUSES
) -> AsyncGenerator[Backups]:
    """The backups on a file; those that are not over are waited for as long as the block lasts.

    pauses: after a wait that stopped, until it is taken up again.
    """
    with closing(await anyio.to_thread.run_sync(opened, path)) as file:
        async with anyio.create_task_group() as waits:
            backups = Backups(api, budget, file, waits, pauses)
            await backups.resume()
            yield backups
            waits.cancel_scope.cancel()
