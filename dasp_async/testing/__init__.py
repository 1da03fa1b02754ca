"""For tests of code that uses this package: a fake of the service, and a clock that jumps.

`FakeCustomerApi` is an ASGI application that answers as the service's runtime does. Hand it to
`httpx.ASGITransport(app=fake)`, or serve it with any ASGI server. `FakeClock` makes an hour's
wait take no time. `Operation` rows make a fake of other operations, or of a changed contract:
`OPERATIONS` are those that it has by itself.
"""

from __future__ import annotations

from dasp_async.models import JobRecord
from dasp_async.secret import Secret
from dasp_async.testing.account import Account, Mailbox, Values
from dasp_async.testing.app import FakeCustomerApi
from dasp_async.testing.clock import FakeClock
from dasp_async.testing.contract import KEY, OPERATIONS, Operation
from dasp_async.testing.gate import FrequencyLimit
from dasp_async.testing.received import ReceivedCall
from dasp_async.testing.script import (
    Delay,
    DroppedConnection,
    Fault,
    RawAnswer,
    Step,
    Trouble,
)
from dasp_async.testing.types import (
    BOOLEAN,
    DATE_TIME,
    DECIMAL,
    GUID,
    INT,
    LONG,
    SECRET,
    STRING,
    STRINGS,
    ArrayType,
    DataSetType,
    Element,
    RecordType,
)

__all__ = [
    "BOOLEAN",
    "DATE_TIME",
    "DECIMAL",
    "GUID",
    "INT",
    "KEY",
    "LONG",
    "OPERATIONS",
    "SECRET",
    "STRING",
    "STRINGS",
    "Account",
    "ArrayType",
    "DataSetType",
    "Delay",
    "DroppedConnection",
    "Element",
    "FakeClock",
    "FakeCustomerApi",
    "Fault",
    "FrequencyLimit",
    "JobRecord",
    "Mailbox",
    "Operation",
    "RawAnswer",
    "ReceivedCall",
    "RecordType",
    "Secret",
    "Step",
    "Trouble",
    "Values",
]
