"""`CustomerApi`: a client made of its settings; what it can do is in its two parts."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from datetime import timedelta
from random import Random
from types import EllipsisType
from typing import TYPE_CHECKING, Literal, Self, Unpack
from uuid import UUID

from dasp_async import arguments
from dasp_async.budget import CallBudget, Caller
from dasp_async.budget.memory import MemoryBudget
from dasp_async.calls import Calls
from dasp_async.clock import Clock, SystemClock
from dasp_async.exchanges import Listeners
from dasp_async.guard import Guard
from dasp_async.jobs import Jobs
from dasp_async.models import Exchange, FaultRules, JobRules, JobStatus
from dasp_async.operations import ENDPOINT, GET_JOB_STATUS
from dasp_async.polling import Load, Looks, Schedule
from dasp_async.secret import Mask, Secret
from dasp_async.service import Operations
from dasp_async.settings import VARIABLES, Settings
from dasp_async.soap import SoapVersion
from dasp_async.transport import HttpClient, Transport
from dasp_async.transport.endpoint import problem_with_endpoint

if TYPE_CHECKING:
    from types import TracebackType


class CustomerApi(Jobs, Operations):
    """A client of DiscountASP.NET's CustomerApi.

    ```python
    async with CustomerApi.from_env() as api:
        status = await api.poll_until_done(job_id)
    ```

    One client serves any number of tasks of one event loop: asyncio, uvloop or trio. Making one
    does no I/O. Use it with `async with`, or call `aclose` when done.

    key: the API key from the control panel, any text that is not empty. It is shown nowhere.
    endpoint: the service's address; https, unless it is on this machine or `allow_http` is set.
    version: the SOAP version of requests, also "1.1" or "1.2"; answers may be in either.
    http_client: an `httpx.AsyncClient` or `httpx2.AsyncClient` to use instead of an own one.
    It is never changed nor closed; its default headers, proxies and hooks hold.
    attempt_timeout: seconds for one attempt, from connecting to the answer's last byte; None
    for no limit.
    attempts: how often a direct call that only reads is tried when errors are transient; an
    answer that asks to wait for more than 8 seconds (Retry-After) ends it.
    max_in_flight: how many attempts are under way at once; more wait for their turn.
    max_response_bytes: longer answers are refused.
    schedule: the pauses between looks of a wait. budget: counts the calls, and remembers what
    may lock the address out; share one among clients. Left out, it is a `MemoryBudget` of 1000
    calls a day at the vendor's endpoint, and none elsewhere; None means that no call is counted.
    job_rules: which answers mean that a job is over. fault_rules: what faults' texts mean.
    on_exchange: a plain function, called after every attempt with names and numbers, for
    metrics; what it raises is logged. clock: another clock, for tests.

    Raises `ValueError` or `TypeError`, here or when a method is awaited, if an argument is
    wrong; nothing has been sent then.
    """

    # Until the one that is given is known to hold no password
    _endpoint = ENDPOINT

    def __init__(
        self,
        key: str,
        *,
        endpoint: str = ENDPOINT,
        version: SoapVersion | Literal["1.1", "1.2"] = SoapVersion.SOAP_1_1,
        http_client: HttpClient | None = None,
        allow_http: bool = False,
        attempt_timeout: float | timedelta | None = 30.0,
        attempts: int = 3,
        max_in_flight: int = 20,
        max_response_bytes: int = 4 * 1024 * 1024,
        schedule: Schedule = Schedule(),  # noqa: B008 - frozen
        job_rules: JobRules = JobRules(),  # noqa: B008 - frozen
        budget: CallBudget | EllipsisType | None = ...,
        fault_rules: FaultRules = FaultRules(),  # noqa: B008 - frozen
        on_exchange: Callable[[Exchange], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        problem = arguments.problem_with_key(key)
        secret = Secret(key)
        # No error below may have the key among the local variables of its traceback.
        del key
        problem = problem or problem_with_endpoint(endpoint, allow_http=allow_http)
        if problem is not None:
            # Nor a password that a URL has no place for.
            del endpoint
            raise problem
        self._endpoint = endpoint
        mask = Mask(secret)
        arguments.http_client(http_client)
        arguments.kind_of("schedule", schedule, Schedule)
        arguments.kind_of("job_rules", job_rules, JobRules)
        arguments.kind_of("fault_rules", fault_rules, FaultRules)
        arguments.budget(budget)
        arguments.callback("on_exchange", on_exchange)
        arguments.clock(clock)
        self._clock: Clock = SystemClock() if clock is None else clock
        self._schedule = schedule
        self._job_rules = job_rules
        max_in_flight = arguments.whole("max_in_flight", max_in_flight, least=1)
        transport = Transport(
            endpoint,
            http_client=http_client,
            attempt_timeout=arguments.limit("attempt_timeout", attempt_timeout),
            max_response_bytes=arguments.whole("max_response_bytes", max_response_bytes, least=1),
            keep_alive=max_in_flight,
        )
        self._calls = Calls(
            secret,
            version=arguments.version(version),
            guard=Guard(
                _budget(budget, endpoint, self._clock),
                Caller.of(secret.reveal(), endpoint),
                fault_rules,
            ),
            transport=transport,
            mask=mask,
            clock=self._clock,
            listeners=Listeners(on_exchange),
            attempts=arguments.whole("attempts", attempts, least=1),
            max_in_flight=max_in_flight,
        )
        self._looks = Looks(
            self._look,
            clock=self._clock,
            is_proven=self._calls.is_proven,
            is_too_often=fault_rules.is_too_often,
            random=Random(),  # noqa: S311 - jitter is no secret
        )

    @classmethod
    def from_env(cls, **settings: Unpack[Settings]) -> Self:
        """A client with the key in `DASP_API_KEY`, and the settings that it is given.

        `DASP_ENDPOINT` and `DASP_SOAP_VERSION` ("1.1" or "1.2") are used where they are set.
        Raises `ValueError` if the key is missing or a value is wrong, and `TypeError` as the
        class itself does.
        """
        for name in VARIABLES.keys() & settings.keys():
            # No error may have the values among the local variables of its traceback.
            settings = Settings()
            raise TypeError(f"{name} is read from {VARIABLES[name]}; the class itself takes it")
        if not os.environ.get("DASP_API_KEY"):
            raise ValueError("set DASP_API_KEY to the API key from the control panel")
        try:
            return cls(
                os.environ["DASP_API_KEY"],
                endpoint=os.environ.get("DASP_ENDPOINT") or ENDPOINT,
                version=arguments.version(
                    os.environ.get("DASP_SOAP_VERSION") or SoapVersion.SOAP_1_1
                ),
                **settings,
            )
        except ValueError as found:
            name, _, problem = str(found).partition(" ")
        # Who sets variables knows of no parameters.
        raise ValueError(f"{VARIABLES.get(name, name)} {problem}")

    def __repr__(self) -> str:
        return f"<CustomerApi {self._endpoint}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; a client that was passed in stays open."""
        await self._calls.aclose()

    async def _look(self, job_id: UUID, load: Load | None, attempt: int) -> JobStatus:
        record = await self._calls.look(GET_JOB_STATUS, job_id, attempt=attempt, load=load)
        return self._job_rules.read(record, job_id=job_id, seen_at=self._clock.time())


def _budget(budget: CallBudget | EllipsisType | None, endpoint: str, clock: Clock) -> CallBudget:
    """The budget a client was given, or that of its endpoint; without limit if it wants none."""
    if budget is ...:
        budget = MemoryBudget(clock=clock) if endpoint == ENDPOINT else None
    return MemoryBudget(limit=math.inf, clock=clock) if budget is None else budget
