"""For tests of code that uses this package: a fake of the service, and a clock that jumps.

`FakeCustomerApi` is an ASGI application that answers as the service's runtime does. Hand it to
`httpx.ASGITransport(app=fake)`, or serve it with any ASGI server. `FakeClock` makes an hour's
wait take no time.
"""

from __future__ import annotations

from dasp_async.models import JobRecord
from dasp_async.testing.app import FakeCustomerApi
from dasp_async.testing.clock import FakeClock
from dasp_async.testing.script import (
    Delay,
    DroppedConnection,
    Fault,
    RawAnswer,
    ReceivedCall,
    Step,
    Trouble,
)

__all__ = [
    "Delay",
    "DroppedConnection",
    "FakeClock",
    "FakeCustomerApi",
    "Fault",
    "JobRecord",
    "RawAnswer",
    "ReceivedCall",
    "Step",
    "Trouble",
]
