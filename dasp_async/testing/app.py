"""`FakeCustomerApi`: the service as an ASGI application, with jobs and trouble to script."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from dasp_async import arguments
from dasp_async.clock import Clock, SystemClock
from dasp_async.secret import Secret
from dasp_async.soap import SoapVersion
from dasp_async.testing import checks
from dasp_async.testing.account import Account, Mailbox
from dasp_async.testing.asgi import Receive, Send, body_of, drop, lifespan, send_whole
from dasp_async.testing.contract import KEY, OPERATIONS, Contract, Operation
from dasp_async.testing.gate import FrequencyLimit, Gate
from dasp_async.testing.pages import page
from dasp_async.testing.reading import Invocation, Reading, Request, read
from dasp_async.testing.received import ReceivedCall, difference
from dasp_async.testing.script import (
    Delay,
    DroppedConnection,
    Fault,
    RawAnswer,
    Script,
    Step,
    Trouble,
    thrown,
)
from dasp_async.testing.types import GUID, LARGEST_DECIMAL
from dasp_async.testing.writing import write_fault, write_result

logger: Final = logging.getLogger("dasp_async")


class FakeCustomerApi:
    """A stand-in for the service, which answers as its runtime, ASMX, does.

    An ASGI application: `httpx.AsyncClient(transport=httpx.ASGITransport(app=fake))`, or behind
    any ASGI server; the address is `/1.0/customerapi.asmx`. It answers SOAP 1.1 and 1.2, its
    WSDL at `?WSDL`, and a help page for each operation at `?op=GetJobStatus`. It does no I/O of
    its own, and serves asyncio and trio.

    key: the API key to accept; any other one gets a fault.
    sandbox_key: a second key, for which operations that write do nothing and answer as if they
    had: one that starts a job answers the id of no job. (What the real service answers then is
    not known.) None for no such key.
    operations: the service's operations: rows of your own, or some that `dataclasses.replace`
    has changed. None for those that are known, which are `OPERATIONS.values()`.
    daily_limit: how many calls each key has in 24 hours of the clock; the real service allows
    1000. None for any number. frequency_limit: how often each operation can be called with a
    key; None for no limit. A call beyond either gets a fault, and is not counted.
    lockout_after: the number of log-ins that fail, with a wrong key or none, after which all
    calls from that client's address get a fault, for good; None for never.
    clock: whose seconds jobs, delays and limits take; None for the system's own clock.

    The words of its own faults are made up, since the service's are not known. Raises
    `TypeError` or `ValueError` for an argument of another kind, as its methods do.
    """

    def __init__(
        self,
        key: str = "test-key",
        *,
        sandbox_key: str | None = None,
        operations: Iterable[Operation] | None = None,
        daily_limit: int | None = None,
        frequency_limit: FrequencyLimit | None = None,
        lockout_after: int | None = 25,
        clock: Clock | None = None,
    ) -> None:
        problem = _problem_with_keys(key, sandbox_key)
        secret = Secret(key)
        sandbox_secret = None if sandbox_key is None else Secret(sandbox_key)
        # No error below may have the keys among the local variables of its traceback.
        del key, sandbox_key
        if problem is not None:
            raise problem
        for name, number in (("daily_limit", daily_limit), ("lockout_after", lockout_after)):
            if number is not None:
                arguments.whole(name, number, least=0)
        checks.kind_of("frequency_limit", frequency_limit, FrequencyLimit | None)
        arguments.clock(clock)
        self._clock: Clock = SystemClock() if clock is None else clock
        self._contract = Contract(OPERATIONS.values() if operations is None else operations)
        self._gate = Gate(secret, sandbox_secret, daily_limit, frequency_limit, lockout_after)
        self._account = Account(self._clock)
        self._trouble: list[Trouble] = []
        self._calls: list[ReceivedCall] = []

    @property
    def clock(self) -> Clock:
        """The clock that it goes by, for the client that is to go by it too."""
        return self._clock

    @property
    def calls(self) -> tuple[ReceivedCall, ...]:
        """Every POST to the service's address so far, in the order they came."""
        return tuple(self._calls)

    @property
    def mailboxes(self) -> tuple[Mailbox, ...]:
        """The mailboxes that SMAddUser made, in the order they came."""
        return tuple(self._account.mailboxes)

    @property
    def aliases(self) -> dict[str, tuple[str | None, ...]]:
        """The addresses of each alias, by its own address: `info@example.com`.

        A domain is one of the account's as soon as it has a mailbox or an alias.
        """
        return {
            f"{alias}@{domain}": addresses
            for (domain, alias), addresses in self._account.aliases.items()
        }

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
        checks.kind_of("name", name, str)
        number = None if job_id is None else arguments.job_id(job_id)
        return self._account.add_job(script, name, number)

    def script_started_jobs(
        self, *steps: Step, duration: float | None = None, error_message: str | None = None
    ) -> None:
        """How the jobs go that operations start from now on; the parameters are `add_job`'s."""
        self._account.started = Script(steps=steps, duration=duration, error_message=error_message)

    def add_bandwidth(self, use_date: date, quantity: Decimal | int | None) -> None:
        """Add a row to what BandwidthGetUsage answers.

        use_date: a date is its midnight. It goes out with the offset it has; the real service
        sends its own zone's. quantity: as a decimal; None for a column that is null.
        """
        checks.kind_of("use_date", use_date, date)
        if isinstance(quantity, bool):
            raise TypeError("quantity must be a Decimal or a whole number, not bool")
        checks.kind_of("quantity", quantity, Decimal | int | None)
        if quantity is not None and not (
            Decimal(quantity).is_finite()
            and -LARGEST_DECIMAL <= Decimal(quantity) <= LARGEST_DECIMAL
        ):
            raise ValueError(f"quantity must be from {-LARGEST_DECIMAL} to {LARGEST_DECIMAL}")
        moment = use_date if isinstance(use_date, datetime) else datetime.combine(use_date, time())
        self._account.bandwidth.append((moment, quantity))

    def assert_called(
        self,
        operation: str,
        parameters: Mapping[str, object] = MappingProxyType({}),
        *,
        times: int | None = None,
    ) -> None:
        """Raise `AssertionError`, which lists all calls, unless an operation was called like that.

        operation: its name on the wire. parameters: those to be compared, by their names on the
        wire, as the texts they have there; a `UUID`, a number or a bool stands for its text, a
        list for an array, None for null. times: how often; None for once or more.
        """
        checks.kind_of("operation", operation, str)
        checks.kind_of("parameters", parameters, Mapping)
        checks.each_kind_of("parameters", parameters, str)
        if times is not None:
            arguments.whole("times", times, least=0)
        found = difference(self._calls, operation, parameters, times)
        if found is not None:
            raise AssertionError(found)

    def trouble(self, trouble: Trouble, times: int = 1) -> None:
        """Give trouble to so many calls, after those that trouble was already ordered for.

        A `Fault` takes the operation's place and a `RawAnswer` the whole service's: the call has
        no effect. A call that is delayed or dropped takes effect. A `Fault` is used up, but not
        seen, by a request that ASMX itself refuses.
        """
        checks.kind_of("trouble", trouble, Trouble)
        arguments.whole("times", times, least=0)
        self._trouble += [trouble] * times

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one ASGI connection: a request, or the server's lifespan."""
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        body = await body_of(receive)
        if body is None:
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        other = page(scope, headers, self._contract)
        if other is not None:
            await send_whole(send, other)
        else:
            address = (scope.get("client") or ("", 0))[0]
            await self._serve(Request(headers, body), address, send)

    async def _serve(self, request: Request, address: str, send: Send) -> None:
        reading = read(request, self._contract)
        number = len(self._calls)
        self._calls.append(self._received(request, reading))
        trouble = self._trouble.pop(0) if self._trouble else None
        if isinstance(trouble, Delay):
            await self._clock.sleep(trouble.seconds)
        answer = trouble
        if not isinstance(answer, RawAnswer):
            answer = self._answer(reading, address, trouble)
        if isinstance(trouble, DroppedConnection):
            await drop(send, answer, trouble.after)
        await send_whole(send, answer)
        self._calls[number] = replace(self._calls[number], status=answer.status)

    def _received(self, request: Request, reading: Reading) -> ReceivedCall:
        outcome = reading.request
        return ReceivedCall(
            operation=None if reading.operation is None else reading.operation.name,
            version=reading.version,
            parameters=outcome.sent if isinstance(outcome, Invocation) else {},
            headers=request.headers,
            at=self._clock.monotonic(),
        )

    def _answer(self, reading: Reading, address: str, trouble: Trouble | None) -> RawAnswer:
        outcome = reading.request
        if isinstance(outcome, Invocation):
            outcome = self._outcome(outcome, reading.version, address, trouble)
        return write_fault(outcome, reading.version) if isinstance(outcome, Fault) else outcome

    def _outcome(
        self, called: Invocation, version: SoapVersion, address: str, trouble: Trouble | None
    ) -> Fault | RawAnswer:
        if isinstance(trouble, Fault):
            return trouble
        try:
            result = self._run(called, address)
            if isinstance(result, (Fault, RawAnswer)):
                return result
            return called.not_understood or write_result(called.operation, version, result)
        except Exception as error:
            # As ASMX answers any exception; the log has the traceback.
            logger.exception("the answer of %s failed", called.operation.name)
            return thrown(f"{type(error).__name__}: {error}")

    def _run(self, called: Invocation, address: str) -> Any:
        """What the service's own code does: a result, or what is answered instead of one."""
        operation, key = called.operation, called.values[KEY.key]
        now = self._clock.monotonic()
        refusal = self._gate.refusal(key, operation.name, address, now)
        if refusal is not None:
            return refusal
        if operation.writes and self._gate.is_sandbox(key):
            return self._account.free_id() if operation.result is GUID else None
        return operation.answer(self._account, called.values)


def _problem_with_keys(key: object, sandbox_key: object) -> ValueError | TypeError | None:
    problem = arguments.problem_with_key(key)
    if problem is not None or sandbox_key is None:
        return problem
    if key == sandbox_key:
        return ValueError("sandbox_key must not be the key itself")
    problem = arguments.problem_with_key(sandbox_key)
    return None if problem is None else type(problem)(f"sandbox_{problem}")
