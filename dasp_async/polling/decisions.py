"""What follows from a look: pure functions of plain values, without a clock or an event loop."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from dasp_async.errors import DaspError, InvalidResponse, SoapFault
from dasp_async.operations import GET_JOB_STATUS
from dasp_async.polling.schedule import Schedule

if TYPE_CHECKING:
    from dasp_async.models import JobStatus

# A look that failed is repeated on a schedule of its own, gentler than an impatient caller's.
ERROR_PAUSES: Final = Schedule(initial=1.0, factor=2.0, maximum=60.0)
TOO_OFTEN_PAUSES: Final = Schedule(initial=60.0, factor=2.0, maximum=3600.0)
LONGEST_RETRY_AFTER: Final = 300.0

TRANSIENTS_BEFORE_FIRST_ANSWER: Final = 5
FAULTS_RIDDEN_OUT: Final = 3
BLANKS_OF_UNKNOWN_JOB: Final = 3


class Track(NamedTuple):
    """What the looks at one job have shown so far; the counts are of looks in a row."""

    step: int = 0
    seen: bool = False
    transients: int = 0
    faults: int = 0
    too_often: int = 0
    blanks: int = 0


class Decision(NamedTuple):
    """What follows from a look: the seconds until the next, None if the wait is over.

    error: what it ends with, None if it ends with the status. asked: the seconds for which the
    service wants no further look, not even a last one.
    """

    track: Track
    delay: float | None
    error: DaspError | None = None
    asked: float = 0.0


def after_status(track: Track, status: JobStatus, schedule: Schedule, draw: float) -> Decision:
    """What follows from a look that was answered with a status."""
    if status.is_final:
        return Decision(track, None)
    blanks = track.blanks + 1 if status.is_blank and not track.seen else 0
    if blanks == BLANKS_OF_UNKNOWN_JOB:
        return Decision(
            track,
            None,
            InvalidResponse(
                f"job {status.job_id}: {blanks} looks in a row were answered with no text and no "
                "date at all, which may mean that the service does not know the job",
                operation=GET_JOB_STATUS.name,
            ),
        )
    seen = track.seen or not status.is_blank
    return Decision(_calm(track.step + 1, seen, blanks), schedule.delay(track.step, draw))


@lru_cache
def _calm(step: int, seen: bool, blanks: int) -> Track:  # noqa: FBT001 - arguments of a cache
    # Of thousands of jobs that wait without trouble, most share a track.
    return Track(step=step, seen=seen, blanks=blanks)


def after_error(
    track: Track, error: DaspError, *, proven: bool, too_often: bool, draw: float
) -> Decision:
    """What follows from a look that failed; the first row that fits decides.

    | the error | the wait |
    | --- | --- |
    | a fault that asks for fewer calls (`too_often`) | goes on, backing off by a minute and more |
    | a fault on a job seen well before, up to 3 in a row | goes on |
    | transient, once the client has had a good answer (`proven`) | goes on |
    | transient, before that, up to 4 in a row | goes on |
    | anything else | ends with the error |
    """
    # Only what comes in a row is counted: each kind of error ends the runs of the others.
    anew = Track(step=track.step, seen=track.seen)
    asked = min(error.retry_after or 0.0, LONGEST_RETRY_AFTER)
    if isinstance(error, SoapFault):
        if too_often:
            pause = max(TOO_OFTEN_PAUSES.delay(track.too_often, draw), asked)
            return Decision(anew._replace(too_often=track.too_often + 1), pause, asked=pause)
        if track.seen and track.faults < FAULTS_RIDDEN_OUT:
            pause = max(ERROR_PAUSES.delay(track.faults, draw), asked)
            return Decision(anew._replace(faults=track.faults + 1), pause, asked=asked)
    elif error.transient and (proven or track.transients + 1 < TRANSIENTS_BEFORE_FIRST_ANSWER):
        pause = max(ERROR_PAUSES.delay(track.transients, draw), asked)
        return Decision(anew._replace(transients=track.transients + 1), pause, asked=asked)
    return Decision(track, None, error)


def next_moment(
    *,
    due: float,
    looked_at: float,
    delay: float,
    not_before: float,
    deadline: float,
    lead: float,
) -> float:
    """When a wait that ends at `deadline` must act next: to look, or to give up.

    That is when the job's next look is due; or `lead` seconds before the deadline, for one last
    look, if the next would come later than that; or the deadline, if that last look would come
    less than half a `delay` after the one before, or sooner than the service wants
    (`not_before`). All in seconds of one monotonic clock.
    """
    last = deadline - lead
    if due <= last:
        return due
    return last if last >= not_before and last - looked_at >= delay / 2 else deadline
