"""How the command ends without an outcome: what is said, never the key, and the exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Final, cast

import anyio

from dasp_async.cli.display import printable
from dasp_async.cli.exits import ExitCode
from dasp_async.secret import Mask, Secret

_STDOUT: Final = 1

_keys: list[Secret] = []


def hide(key: Secret) -> None:
    """Strike this key out of all that is said here."""
    _keys.append(key)


def run(main: Callable[[], Awaitable[ExitCode]], *, interrupted: str = "") -> ExitCode:
    """Run to the end, until Ctrl-C, or until nobody listens.

    interrupted: what Ctrl-C leaves undone; empty for nothing.
    """
    try:
        return anyio.run(main)
    except KeyboardInterrupt:
        print(f"dasp: interrupted{interrupted}", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - each has its exit code
        return ended_by(error)


def ended_by(error: BaseException) -> ExitCode:
    """Say in one line what went wrong: output that could not be written, or what nobody foresaw."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    if not isinstance(error, OSError):
        _say(f"{type(error).__name__}: {error}")
        return ExitCode.INTERNAL
    if not isinstance(error, BrokenPipeError):
        _say(f"can't write: {error}")
    # Else the interpreter would try to write the rest at its end, and complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)
    return ExitCode.NO_OUTPUT


def _say(what: str) -> None:
    # Where even this can't be written, the exit code is all there is.
    with contextlib.suppress(OSError):
        print(f"dasp: {printable(Mask(*_keys)(what))}", file=sys.stderr)
