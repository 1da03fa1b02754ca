"""The rows of a `SqliteBudget`, and the questions it asks of them."""

from __future__ import annotations

import itertools
import sqlite3
from typing import Any, Final

from dasp_async.budget.contract import Caller
from dasp_async.budget.rules import FORGOTTEN_AFTER, LOST_AFTER, SITE_WINDOW, Standing

SCHEMA_VERSION: Final = 1

# account and site are hashes; moments are seconds since 1970.
SCHEMA: Final = """
CREATE TABLE calls (account TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX calls_of ON calls (account, at);
CREATE INDEX calls_at ON calls (at);
CREATE TABLE standings (
    account TEXT NOT NULL, site TEXT NOT NULL, proven INTEGER NOT NULL, faults INTEGER NOT NULL,
    closings INTEGER NOT NULL, closed_until REAL NOT NULL, PRIMARY KEY (account, site)
) WITHOUT ROWID;
-- AUTOINCREMENT, since a number used again would let one call settle another.
CREATE TABLE marks (
    call INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, site TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TABLE blames (account TEXT NOT NULL, site TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE waits (
    account TEXT NOT NULL, process TEXT NOT NULL, jobs INTEGER NOT NULL, due REAL,
    at REAL NOT NULL, PRIMARY KEY (account, process)
) WITHOUT ROWID;
CREATE TABLE grants (account TEXT NOT NULL PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
"""


class SqliteRows:
    """The rows as one transaction sees them."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def forget(self, now: float, window: float) -> None:
        """Drop what no later question can ask for."""
        run = self._connection.execute
        run("DELETE FROM calls WHERE at <= ?", (now - window,))
        run("DELETE FROM blames WHERE at <= ?", (now - SITE_WINDOW,))
        run("DELETE FROM waits WHERE abs(? - at) >= ?", (now, FORGOTTEN_AFTER))
        run("DELETE FROM grants WHERE at <= ?", (now - window,))

    def standing(self, caller: Caller) -> Standing:
        """How a key stands at an endpoint; as new if nothing is known."""
        row = self._connection.execute(
            "SELECT proven, faults, closings, closed_until FROM standings"
            " WHERE account = ? AND site = ?",
            (caller.account, caller.site),
        ).fetchone()
        return Standing() if row is None else Standing(bool(row[0]), *row[1:])

    def keep(self, caller: Caller, standing: Standing) -> None:
        """Remember how a key stands."""
        self._connection.execute(
            "INSERT OR REPLACE INTO standings VALUES (?, ?, ?, ?, ?, ?)",
            (
                caller.account,
                caller.site,
                standing.proven,
                standing.faults,
                standing.closings,
                standing.closed_until,
            ),
        )

    def mark(self, caller: Caller, now: float) -> int:
        """Note that a call is under way; its number is never 0 and never used again."""
        marked = self._connection.execute(
            "INSERT INTO marks (account, site, at) VALUES (?, ?, ?)",
            (caller.account, caller.site, now),
        )
        return marked.lastrowid or 0

    def unmark(self, call: int) -> None:
        """Note that a call is not under way any more, if it was."""
        self._connection.execute("DELETE FROM marks WHERE call = ?", (call,))

    def unmark_lost(self, now: float) -> list[Caller]:
        """Take off the marks that are `LOST_AFTER` away from now; whose they were."""
        lost = self._connection.execute(
            "SELECT call, account, site FROM marks WHERE abs(? - at) >= ?", (now, LOST_AFTER)
        ).fetchall()
        for call, _, _ in lost:
            self.unmark(call)
        return [Caller(account, site) for _, account, site in lost]

    def under_way(self, caller: Caller) -> int:
        """How many marked calls a key has under way."""
        (calls,) = self._one(
            "SELECT count(*) FROM marks WHERE account = ? AND site = ?", caller.account, caller.site
        )
        return int(calls)

    def blame(self, caller: Caller, now: float) -> None:
        """Note a fault of a key that is not proven."""
        self._connection.execute(
            "INSERT INTO blames VALUES (?, ?, ?)", (caller.account, caller.site, now)
        )

    def forgive(self, caller: Caller) -> None:
        """Drop a key's noted faults."""
        self._connection.execute(
            "DELETE FROM blames WHERE account = ? AND site = ?", (caller.account, caller.site)
        )

    def site(self, site: str, since: float) -> tuple[int, float | None, int]:
        """An endpoint's noted faults after a moment, the oldest's moment, and the marked calls."""
        faults, oldest = self._one(
            "SELECT count(*), min(at) FROM blames WHERE site = ? AND at > ?", site, since
        )
        (under_way,) = self._one(
            "SELECT count(*) FROM marks AS m WHERE site = ? AND NOT EXISTS (SELECT 1 FROM standings"
            " AS s WHERE s.account = m.account AND s.site = m.site AND s.proven)",
            site,
        )
        return faults, oldest, under_way

    def count(self, account: str, now: float) -> None:
        """Note a call of a key."""
        self._connection.execute("INSERT INTO calls VALUES (?, ?)", (account, now))

    def counted(self, account: str, since: float) -> tuple[int, float | None]:
        """A key's calls after a moment, and the moment of the oldest."""
        return self._one(
            "SELECT count(*), min(at) FROM calls WHERE account = ? AND at > ?", account, since
        )

    def moments(self, account: str, since: float, every: int) -> list[float]:
        """The moments of a key's calls after a moment, oldest first: the first of so many each."""
        rows = self._connection.execute(
            "SELECT at FROM calls WHERE account = ? AND at > ? ORDER BY at", (account, since)
        )
        return [at for (at,) in itertools.islice(rows, 0, None, every)]

    def most_counted(self, since: float) -> int:
        """The calls after a moment of the key that has most of them."""
        (calls,) = self._one(
            "SELECT coalesce(max(n), 0) FROM"
            " (SELECT count(*) AS n FROM calls WHERE at > ? GROUP BY account)",
            since,
        )
        return int(calls)

    def hear(self, account: str, process: str, jobs: int, due: float | None, now: float) -> None:
        """Note that a process waits for so many jobs, or no more if it is none."""
        if jobs:
            self._connection.execute(
                "INSERT OR REPLACE INTO waits VALUES (?, ?, ?, ?, ?)",
                (account, process, jobs, due, now),
            )
        else:
            self._connection.execute(
                "DELETE FROM waits WHERE account = ? AND process = ?", (account, process)
            )

    def heard(self, account: str, process: str, now: float) -> tuple[int, float | None]:
        """The jobs that the other processes wait for, and since when their first look is due."""
        return self._one(
            "SELECT coalesce(sum(jobs), 0), min(due) FROM waits"
            " WHERE account = ? AND process <> ? AND abs(? - at) < ?",
            account,
            process,
            now,
            FORGOTTEN_AFTER,
        )

    def grant(self, account: str, now: float) -> None:
        """Note that a wait was let through."""
        self._connection.execute("INSERT OR REPLACE INTO grants VALUES (?, ?)", (account, now))

    def granted(self, account: str) -> float | None:
        """When a wait was last let through."""
        row = self._connection.execute(
            "SELECT at FROM grants WHERE account = ?", (account,)
        ).fetchone()
        return None if row is None else row[0]

    def _one(self, query: str, *values: str | float) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._connection.execute(query, values).fetchone()
        return row
