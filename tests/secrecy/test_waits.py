"""No wait and no retry shows the key, however it ends: in its error, in its logs."""

from __future__ import annotations

import socket
from collections.abc import Callable
from html import escape
from typing import Final

import pytest

from dasp_async import DaspError, HttpError, JobFailed, PollTimeout, SoapFault, TransportError
from dasp_async.testing import FakeClock
from tests.conftest import BACKENDS
from tests.secrecy.calls import CALLS, ECHOED, Notes, api
from tests.secrecy.faults import FAULT_11, SERVER_ERROR, echo, says
from tests.secrecy.remains import assert_hidden
from tests.secrecy.search import JOB, KEYS, PASSWORD
from tests.servers import (
    SOAP_1_1,
    Behaviour,
    RawServer,
    Wire,
    answer,
    replies_and_closes,
    sample,
)

KEY: Final = KEYS["with signs"]
FAILED: Final = sample("soap11/failed").decode().replace("<Status>", "<Status>ECHO ", 1)
RUNNING: Final = sample("soap11/progress-1").replace(
    b"<Status>", f"<Status>{escape(echo([KEY]))} ".encode(), 1
)

pytestmark = [
    pytest.mark.usefixtures("no_proxies"),
    pytest.mark.parametrize("anyio_backend", [BACKENDS[0], BACKENDS[2]], indirect=True),
]


def _runs_and_is_busy(wire: Wire) -> None:
    busy = answer(echo([KEY]).encode(), status="503 Busy", content_type="text/plain")
    for number, _ in enumerate(wire.requests()):
        wire.send(busy if number else answer(RUNNING))


ENDS: Final[dict[str, tuple[type[DaspError], Behaviour]]] = {
    "a job that failed": (JobFailed, says(FAILED)([KEY])),
    "transient errors": (HttpError, says("RAWECHO", "503 Busy", "text/html")([KEY])),
    "a fault": (SoapFault, says(FAULT_11, SERVER_ERROR, SOAP_1_1)([KEY])),
    "a timeout": (PollTimeout, _runs_and_is_busy),
}


@pytest.mark.parametrize("end", ENDS)
async def test_no_wait_shows_the_key(end: str, left_behind: Callable[..., list[str]]) -> None:
    expected, behaviour = ENDS[end]
    notes = Notes()
    with RawServer(behaviour) as server:
        async with api(KEY, server.url, clock=FakeClock()) as client:
            with pytest.raises(expected):
                await notes.passing(client.poll_until_done(JOB, timeout=100))
            async with client.poll_many([JOB], timeout=100) as outcomes:
                seen = [outcome async for outcome in outcomes]
    errors = [*notes.caught, *(outcome.error for outcome in seen if outcome.error)]
    assert errors
    for error in errors:
        assert_hidden(error, KEY)
    assert left_behind(KEY) == []


async def test_no_retry_shows_the_key(left_behind: Callable[..., list[str]]) -> None:
    notes = Notes()
    fault = says(FAULT_11, SERVER_ERROR, SOAP_1_1)([KEY])
    with RawServer(replies_and_closes(b""), fault) as server:
        async with api(KEY, server.url, attempts=3, clock=FakeClock()) as client:
            with pytest.raises(SoapFault):
                await notes.passing(client.get_job_status(JOB))
    assert_hidden(notes.caught[0], KEY)
    assert left_behind(KEY) == []


async def test_no_refused_connection_shows_a_secret() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    notes = Notes()
    async with api(KEY, f"http://127.0.0.1:{port}/") as client:
        for name in ECHOED:
            with pytest.raises(TransportError):
                await notes.passing(CALLS[name](client))
    for error in notes.caught:
        assert_hidden(error, KEY, PASSWORD)
