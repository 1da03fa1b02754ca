"""The file of a `SqliteBudget`: opened, kept open, and run in steps that happen wholly or not."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from dasp_async.budget.sqlite_rows import SCHEMA, SCHEMA_VERSION, SqliteRows
from dasp_async.errors import CallRefused

T = TypeVar("T")

_BUSY_TIMEOUT: Final = 30.0

_UNREACHABLE: Final = "make its folder if there is none, and let this process write both"
_LOCKED: Final = "end the process that keeps it locked"
_FULL: Final = "make room on its disk"
_UNSOUND: Final = (
    "move it away to start a new one, which knows of no calls and no faults made before"
)
# By the primary result code (https://www.sqlite.org/rescode.html)
_ADVICE: Final = {
    sqlite3.SQLITE_PERM: _UNREACHABLE,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _UNREACHABLE,
    sqlite3.SQLITE_CANTOPEN: _UNREACHABLE,
    sqlite3.SQLITE_IOERR: _FULL,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CORRUPT: _UNSOUND,
    sqlite3.SQLITE_NOTADB: _UNSOUND,
}
_ANY_ADVICE: Final = "see that it is a file of this package, on a local disk"

# Connections that a fork brought along. To close one would disturb the process it belongs to.
_inherited: list[sqlite3.Connection] = []


class SqliteFile:
    """A file as one process sees it; any of its threads may run a step, one at a time."""

    def __init__(self, path: str) -> None:
        # Absolute, so that it stays the same file when the process changes its folder.
        self._path = os.path.abspath(path)  # noqa: PTH100 - a Path would resolve links too
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._closer: weakref.finalize[..., SqliteFile] | None = None

    @property
    def is_ours(self) -> bool:
        """Whether this process opened it, rather than the one it was forked from."""
        return self._pid == os.getpid()

    def run(self, step: Callable[[SqliteRows], T]) -> T:
        """Run a step as one transaction, on file once this returns; raises `CallRefused`."""
        try:
            with self._lock:
                return self._transaction(step)
        except sqlite3.Error as error:
            trouble = _trouble(error)
        except _NotOurs as error:
            trouble = str(error)
        # Outside the blocks above, or the error would hold theirs.
        raise CallRefused(
            f"no call without its count, and {self._path} can't keep it: {trouble}",
            transient=trouble.endswith(_LOCKED),
        )

    def _transaction(self, step: Callable[[SqliteRows], T]) -> T:
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            result = step(SqliteRows(connection))
            connection.execute("COMMIT")
        except BaseException:
            # Undoes what was begun; and the next step may find the file mended.
            self._close()
            raise
        return result

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and _identity(self._path) == self._identity:
            return self._connection
        self._close()
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        self._connection = connection
        self._closer = weakref.finalize(self, _finish, connection, self._pid)
        _prepare(connection)
        self._identity = _identity(self._path)
        return connection

    def _close(self) -> None:
        self._connection = None
        if self._closer is not None:
            self._closer()


class _NotOurs(Exception):
    """A database, but none that this version can use."""


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _finish(connection: sqlite3.Connection, pid: int) -> None:
    if pid == os.getpid():
        connection.close()
    else:
        _inherited.append(connection)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise _NotOurs(f"it was written by a newer dasp_async (schema {version}): update this one")
    if version == 0:
        if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise _NotOurs("it is a database of something else: give another path")
        # Not by executescript, which would first commit.
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.execute("COMMIT")
    # Refused while another process is at the very same: it does it for both.
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")


def _trouble(error: sqlite3.Error) -> str:
    # Python's own complaints carry no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return f"{error}; {_ADVICE.get(code, _ANY_ADVICE)}"
