"""The exit codes, and which of them an outcome gives."""

from __future__ import annotations

import enum
from http import HTTPStatus
from typing import TYPE_CHECKING

from dasp_async.errors import (
    CallRefused,
    DaspError,
    HttpError,
    PollTimeout,
    SoapFault,
)
from dasp_async.models import JobState

if TYPE_CHECKING:
    from dasp_async.models import JobStatus


class ExitCode(enum.IntEnum):
    """What `dasp` tells the shell; for several jobs it is the highest of theirs."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_OVER = 3
    REFUSED = 4
    UNREACHABLE = 5
    NO_OUTPUT = 6
    INTERNAL = 70  # EX_SOFTWARE of BSD's sysexits.h
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.DONE: "every job is done, or what else was asked for",
    ExitCode.FAILED: "a job failed, or `dasp doctor` found something wrong",
    ExitCode.USAGE: "the command line is wrong, or there is no key",
    ExitCode.NOT_OVER: "a job is not over: the time is up, or it was looked at just once",
    ExitCode.REFUSED: "the service said no: a wrong key, a foreign address, an unknown job",
    ExitCode.UNREACHABLE: "no answer came, or none that makes sense",
    ExitCode.NO_OUTPUT: "what there was to tell could not be written",
    ExitCode.INTERNAL: "a bug in dasp, or something it did not foresee",
    ExitCode.INTERRUPTED: "Ctrl-C, or no to the question whether to send",
}

# What a job's line begins with
WORDS = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed",
    ExitCode.NOT_OVER: "not over",
    ExitCode.REFUSED: "refused",
    ExitCode.UNREACHABLE: "no answer",
}

_OF_STATE = {
    JobState.DONE: ExitCode.DONE,
    JobState.FAILED: ExitCode.FAILED,
    JobState.RUNNING: ExitCode.NOT_OVER,
}
_REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def exit_code(outcome: JobStatus | DaspError) -> ExitCode:
    """The exit code for how a job stands, or for the error that ended a call or a wait."""
    match outcome:
        case PollTimeout(last_status=None, last_error=DaspError() as error):
            return exit_code(error)
        case PollTimeout():
            return ExitCode.NOT_OVER
        case SoapFault() | CallRefused():
            return ExitCode.REFUSED
        case HttpError(status_code=status) if status in _REFUSALS:
            return ExitCode.REFUSED
        case DaspError():
            return ExitCode.UNREACHABLE
        case status:
            return _OF_STATE[status.state]
