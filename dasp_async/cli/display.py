"""How jobs are shown: a live table on a terminal, plain lines elsewhere, JSON when asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.spinner import Spinner
from rich.table import Column, Table
from rich.text import Text

from dasp_async.cli.exits import WORDS, ExitCode, exit_code
from dasp_async.errors import PollTimeout
from dasp_async.models import JobState

if TYPE_CHECKING:
    from uuid import UUID

    from rich.console import Console, RenderableType

    from dasp_async.errors import DaspError
    from dasp_async.models import JobStatus

_STYLES = {
    ExitCode.DONE: "green",
    ExitCode.FAILED: "red",
    ExitCode.NOT_OVER: "yellow",
    ExitCode.REFUSED: "red",
    ExitCode.UNREACHABLE: "red",
}


@dataclass(slots=True)
class Row:
    """A job that is waited for. `note` stands beside it; `error` is what ended the wait."""

    job_id: UUID
    note: str = ""
    status: JobStatus | None = None
    error: DaspError | None = None
    looks: int = 0

    @property
    def exit_code(self) -> ExitCode:
        """What the job says to the shell."""
        outcome = self.error or self.status
        return ExitCode.NOT_OVER if outcome is None else exit_code(outcome)

    @property
    def is_over(self) -> bool:
        """Whether the wait for the job has ended."""
        return self.error is not None or (self.status is not None and self.status.is_final)

    def word(self) -> str:
        """How the job stands, in the service's own word where there is one."""
        return "" if self.status is None else printable(self.status.status or "(no word)")

    def remark(self) -> str:
        """What went wrong, if anything did."""
        if self.status is not None and self.status.state is JobState.FAILED:
            return printable(self.status.error_message or "no reason given")
        if isinstance(self.error, PollTimeout):
            trouble = f": {self.error.last_error}" if self.error.last_error else ""
            return printable(f"the time is up{trouble}; wait again to go on")
        return "" if self.error is None else printable(str(self.error))


class Display:
    """The rows while they change, and at the end."""

    def __init__(self, console: Console, rows: Sequence[Row]) -> None:
        self._console = console
        self._rows = rows
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=8)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()
        if kind is None:
            for row in self._rows:
                if not self._console.is_terminal or row.error is not None:
                    self._say(row, f"{WORDS[row.exit_code]}:")

    def changed(self, row: Row, status: JobStatus) -> None:
        """A look has brought a status."""
        news = row.status is None or row.status.status != status.status
        row.status, row.looks = status, row.looks + 1
        if news and not self._console.is_terminal:
            self._say(row, f"{datetime.now().astimezone():%H:%M:%S}")

    def _say(self, row: Row, opening: str) -> None:
        parts = (opening, str(row.job_id), row.note, row.word(), row.remark())
        if not self._console.quiet:
            # Not by the console, which would end the program where nobody listens.
            print("  ".join(part for part in parts if part), file=self._console.file, flush=True)

    def _table(self) -> Table:
        notes = any(row.note for row in self._rows)
        table = Table(Column("job", no_wrap=True), *([""] if notes else []), "status", "looks")
        for row in self._rows:
            table.add_row(
                str(row.job_id), *([row.note] if notes else []), _state(row), str(row.looks)
            )
        return table


def _state(row: Row) -> RenderableType:
    if not row.is_over:
        return Spinner("dots", Text(row.word() or "asking"))
    # A long remark would tear the table; it has a line of its own below.
    words = (row.word() or WORDS[row.exit_code], row.remark() if row.error is None else "")
    return Text(": ".join(word for word in words if word), style=_STYLES[row.exit_code])


def as_json(row: Row) -> str:
    """A row as one line of JSON; dates in ISO 8601, what is not set as null."""
    status = row.status
    return json.dumps(
        {
            "job_id": str(row.job_id),
            "state": None if status is None else status.state.value,
            "job_name": None if status is None else status.job_name,
            "status": None if status is None else status.status,
            "start_date_time": _iso(None if status is None else status.start_date_time),
            "completed_date_time": _iso(None if status is None else status.completed_date_time),
            "error_message": None if status is None else status.error_message,
            "error": None if row.error is None else type(row.error).__name__,
            "error_text": None if row.error is None else str(row.error),
        }
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def printable(text: str) -> str:
    """A text from elsewhere, on one line, without what could move a terminal's cursor."""
    line = " ".join(text.split())
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
