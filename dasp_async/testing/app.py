"""`FakeCustomerApi`: the service as an ASGI application, with jobs and trouble to script."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any, Final, NoReturn, TypeAlias
from uuid import UUID

from dasp_async import arguments
from dasp_async.clock import Clock, SystemClock
from dasp_async.models import JobRecord
from dasp_async.secret import Secret
from dasp_async.soap import SoapVersion
from dasp_async.testing import checks
from dasp_async.testing.contract import GET_JOB_STATUS, KEY, Operation
from dasp_async.testing.pages import page
from dasp_async.testing.reading import MAX_REQUEST_BYTES, Invocation, Reading, Request, read
from dasp_async.testing.script import (
    Delay,
    DroppedConnection,
    Fault,
    Job,
    RawAnswer,
    ReceivedCall,
    Script,
    Step,
    Trouble,
)
from dasp_async.testing.writing import write_fault, write_result

_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]

# A name that uvicorn can't write: it fails after it has taken the answer for begun, and so can
# only close the connection; were nothing begun, it would answer 500 in the application's stead.
_UNSENDABLE: Final = {"type": "http.response.start", "status": 200, "headers": [(b"\0", b"")]}


class FakeCustomerApi:
    """A stand-in for the service, which answers as its runtime, ASMX, does.

    An ASGI application: `httpx.AsyncClient(transport=httpx.ASGITransport(app=fake))`, or behind
    any ASGI server; the address is `/1.0/customerapi.asmx`. It has the operations GetJobStatus
    and Sql2012CreateBackup, in SOAP 1.1 and 1.2, its WSDL at `?WSDL`, and a help page for each
    operation at `?op=GetJobStatus`. It does no I/O of its own, and serves asyncio and trio.

    key: the API key to accept; any other one gets a fault. clock: whose seconds jobs and delays
    take; None for the system's own clock.

    Raises `TypeError` or `ValueError` for an argument of another kind, as its methods do.
    """

    def __init__(self, key: str = "test-key", *, clock: Clock | None = None) -> None:
        problem = arguments.problem_with_key(key)
        self._key = Secret(key)
        # No error below may have the key among the local variables of its traceback.
        del key
        if problem is not None:
            raise problem
        arguments.clock(clock)
        self._clock: Clock = SystemClock() if clock is None else clock
        self._jobs: dict[UUID, Job] = {}
        self._numbers = itertools.count(1)
        self._started = Script(steps=(), duration=None, error_message=None)
        self._trouble: list[Trouble] = []
        self._calls: list[ReceivedCall] = []

    @property
    def calls(self) -> tuple[ReceivedCall, ...]:
        """Every POST to the service's address so far, in the order they came."""
        return tuple(self._calls)

    def add_job(
        self,
        *steps: Step,
        duration: float | None = None,
        error_message: str | None = None,
        job_id: UUID | str | None = None,
        name: str = "Sql2012CreateBackup",
    ) -> UUID:
        """Start a job, and return its id.

        steps: what its looks get in turn, the last one for good. A word is the job's status,
        with dates to fit: none yet for `Pending`, a start date for other words, a completion
        date too for words like `Completed` and `Failed`. A `JobRecord` is answered as it is
        (a date that is None becomes 0001-01-01, which ASMX sends for none), None is a null
        result, and a `Fault` or a `RawAnswer` is answered instead. Without steps the job is
        Pending, then Running, then Completed, or Failed if there is an `error_message`.
        duration: instead of steps, the seconds of the clock that the job is Running.
        error_message: what a failed job says; None if it says nothing.
        job_id: a `UUID` or text that `UUID` reads; None for the next of a series of ids.
        name: the job's JobName.

        Raises `ValueError` for both steps and a duration.
        """
        script = Script(steps=steps, duration=duration, error_message=error_message)
        return self._add(script, name, None if job_id is None else arguments.job_id(job_id))

    def script_started_jobs(
        self, *steps: Step, duration: float | None = None, error_message: str | None = None
    ) -> None:
        """How the jobs go that operations start from now on; the parameters are `add_job`'s."""
        self._started = Script(steps=steps, duration=duration, error_message=error_message)

    def trouble(self, trouble: Trouble, times: int = 1) -> None:
        """Give trouble to so many calls, after those that trouble was already ordered for.

        A `Fault` takes the operation's place and a `RawAnswer` the whole service's: the call has
        no effect. A call that is delayed or dropped takes effect. A `Fault` is used up, but not
        seen, by a request that ASMX itself refuses.
        """
        checks.kind_of("trouble", trouble, Trouble)
        checks.count("times", times)
        self._trouble += [trouble] * times

    async def __call__(self, scope: Mapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Serve one ASGI connection: a request, or the server's lifespan."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        body = await _body(receive)
        if body is None:
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        other = page(scope, headers)
        if other is not None:
            await _send(send, other)
        else:
            await self._serve(Request(headers, body), send)

    async def _serve(self, request: Request, send: _Send) -> None:
        reading = read(request)
        number = len(self._calls)
        self._calls.append(self._received(request, reading))
        trouble = self._trouble.pop(0) if self._trouble else None
        if isinstance(trouble, Delay):
            await self._clock.sleep(trouble.seconds)
        answer = trouble if isinstance(trouble, RawAnswer) else self._answer(reading, trouble)
        if isinstance(trouble, DroppedConnection):
            await _drop(send, answer, trouble.after)
        await _send(send, answer)
        self._calls[number] = replace(self._calls[number], status=answer.status)

    def _received(self, request: Request, reading: Reading) -> ReceivedCall:
        return ReceivedCall(
            operation=None if reading.operation is None else reading.operation.name,
            version=reading.version,
            parameters=_recorded(reading.request),
            headers=request.headers,
            at=self._clock.monotonic(),
        )

    def _answer(self, reading: Reading, trouble: Trouble | None) -> RawAnswer:
        outcome = reading.request
        if isinstance(outcome, Invocation):
            outcome = self._outcome(outcome, reading.version, trouble)
        return write_fault(outcome, reading.version) if isinstance(outcome, Fault) else outcome

    def _outcome(
        self, invocation: Invocation, version: SoapVersion, trouble: Trouble | None
    ) -> Fault | RawAnswer:
        if isinstance(trouble, Fault):
            return trouble
        result = self._run(invocation.operation, invocation.values)
        if isinstance(result, (Fault, RawAnswer)):
            return result
        return invocation.not_understood or write_result(invocation.operation, version, result)

    def _run(
        self, operation: Operation, values: Mapping[str, Any]
    ) -> JobRecord | UUID | Fault | RawAnswer | None:
        """What the service's own code does."""
        key = values[KEY.name]
        if key is None:
            return _thrown("API key is missing.")
        if key != self._key.reveal():
            return _thrown("Invalid API key.")
        if operation is not GET_JOB_STATUS:
            return self._add(self._started, operation.name, None)
        job = self._jobs.get(values["jobId"])
        return _thrown("Job not found.") if job is None else job.look(self._clock.time())

    def _add(self, script: Script, name: str, job_id: UUID | None) -> UUID:
        job_id = self._free_id() if job_id is None else job_id
        self._jobs[job_id] = Job(name=name, script=script, started=self._clock.time())
        return job_id

    def _free_id(self) -> UUID:
        ids = (UUID(f"a0000000-0000-0000-0000-{number:012}") for number in self._numbers)
        return next(job_id for job_id in ids if job_id not in self._jobs)


def _recorded(request: Invocation | Fault | RawAnswer) -> dict[str, str | Secret]:
    if not isinstance(request, Invocation):
        return {}
    return {
        name: Secret(text) if name == KEY.name else text for name, text in request.texts.items()
    }


def _thrown(message: str) -> Fault:
    """The fault that ASMX makes of a plain exception."""
    return Fault(reason=f"Server was unable to process request. ---> {message}")


async def _lifespan(receive: _Receive, send: _Send) -> None:
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})


async def _body(receive: _Receive) -> bytes | None:
    """A request's body, or enough of it to see that it is too large; None if it breaks off."""
    parts: list[bytes] = []
    size = 0
    more = True
    # To its end, too large or not: httpx's transport for ASGI leaves a stream half read open.
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if size <= MAX_REQUEST_BYTES:
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        more = message.get("more_body", False)
    return b"".join(parts)


async def _send(send: _Send, answer: RawAnswer) -> None:
    await send(_start(answer))
    await send({"type": "http.response.body", "body": _bytes(answer)})


async def _drop(send: _Send, answer: RawAnswer, after: int | None) -> NoReturn:
    if after is None:
        with contextlib.suppress(Exception):
            await send(dict(_UNSENDABLE))
    else:
        await send(_start(answer))
        part = _bytes(answer)[:-1][:after]
        await send({"type": "http.response.body", "body": part, "more_body": True})
    raise ConnectionResetError("the fake closed the connection")


def _start(answer: RawAnswer) -> _Message:
    headers = {
        "Content-Type": answer.content_type,
        "Content-Length": str(len(_bytes(answer))),
        **answer.headers,
    }
    return {
        "type": "http.response.start",
        "status": answer.status,
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ],
    }


def _bytes(answer: RawAnswer) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else answer.body.encode()
