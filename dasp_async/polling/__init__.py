"""When to look at a job again, and who looks: pure decisions, one table, a dumb loop.

A *look* is one attempt to learn a job's status. All who wait for a job share its looks: one of
them makes the call, in its own task, and tells the others. If that one is cancelled or runs out of
time, the first of the others to run makes the call anew; so n cancelled waits cost n more calls
at most, and no task outlives the wait that it belongs to.
"""

from __future__ import annotations

from dasp_async.polling.looks import Looks
from dasp_async.polling.many import Outcomes
from dasp_async.polling.schedule import Schedule
from dasp_async.polling.turns import Load, NotNow
from dasp_async.polling.wait import Wait

__all__ = ["Load", "Looks", "NotNow", "Outcomes", "Schedule", "Wait"]
