"""One call: admitted by the guard, sent, read, settled, and retried where that does no harm."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import uuid4

import anyio
from anyio.lowlevel import current_token

from dasp_async.budget import Admitted, UsedUp, Waiting
from dasp_async.envelope import Written, render
from dasp_async.errors import DaspError
from dasp_async.messages import WSDL_REQUEST, HttpAnswer
from dasp_async.operations import KEY
from dasp_async.polling import Load, NotNow, Schedule
from dasp_async.response import read_answer, read_description
from dasp_async.secret import Concealed, Mask, Secret

if TYPE_CHECKING:
    from dasp_async.clock import Clock
    from dasp_async.exchanges import Listeners
    from dasp_async.guard import Guard
    from dasp_async.messages import HttpRequest
    from dasp_async.operations import Operation
    from dasp_async.soap import SoapVersion
    from dasp_async.transport import Transport
    from dasp_async.wsdl import ServiceDescription

ResultT = TypeVar("ResultT")

logger: Final = logging.getLogger("dasp_async")

RETRY_PAUSES: Final = Schedule(initial=0.5, factor=2.0, maximum=8.0, jitter=0.0)


class Calls:
    """The calls of one client; they belong to one event loop, and so many are under way at once."""

    def __init__(
        self,
        key: Secret,
        *,
        version: SoapVersion,
        guard: Guard,
        transport: Transport,
        mask: Mask,
        clock: Clock,
        listeners: Listeners,
        attempts: int,
        max_in_flight: int,
    ) -> None:
        self._key = key
        self._key_element = Written.of(KEY, key)
        self._version = version
        self._guard = guard
        self._transport = transport
        self._mask = mask
        self._clock = clock
        self._listeners = listeners
        self._attempts = attempts
        self._in_flight = anyio.Semaphore(max_in_flight, fast_acquire=True)
        self._process = uuid4().hex
        self._event_loop: object = None
        self._is_proven = False

    def is_proven(self) -> bool:
        """Whether a call has had a good answer."""
        return self._is_proven

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def retried(
        self, attempt: Callable[[int], Awaitable[ResultT]], *, writes: bool = False
    ) -> ResultT:
        """A direct call: more than one attempt where that can help and do no harm.

        attempt: makes one, given its number, from 1 on.
        """
        attempts = 1 if writes else self._attempts
        number = 1
        while True:
            try:
                return await attempt(number)
            except DaspError as error:
                pause = retry_pause(error, number - 1)
                if pause is None or number == attempts:
                    raise
                number += 1
                logger.warning("%s; attempt %d of %d in %.1f s", error, number, attempts, pause)
            await self._clock.sleep(pause)

    async def call(self, operation: Operation[ResultT], *arguments: object) -> ResultT:
        """A direct call with these arguments after the key.

        An argument that is a `Secret` is as hidden as the key.
        """
        # Once for all attempts, since an iterable's items come only once.
        prepared = self._prepared(operation, arguments)
        return await self.retried(
            lambda number: self._attempt(operation, *prepared, attempt=number, load=None),
            writes=operation.writes,
        )

    async def look(
        self, operation: Operation[ResultT], *arguments: object, attempt: int, load: Load | None
    ) -> ResultT:
        """One attempt; `load` is for a look of waits, which raises `NotNow` if it must wait."""
        prepared = self._prepared(operation, arguments)
        return await self._attempt(operation, *prepared, attempt=attempt, load=load)

    async def describe(self) -> ServiceDescription:
        """The service's WSDL. No call of the service's: it has no key, and none is counted."""
        return await self.retried(self._describe)

    async def _describe(self, attempt: int) -> ServiceDescription:
        self._be_usable_here()
        async with self._in_flight:
            return await self._exchange(read_description, WSDL_REQUEST, self._mask, attempt)

    def _prepared(
        self, operation: Operation[Any], arguments: tuple[object, ...]
    ) -> tuple[HttpRequest, Mask]:
        """The request, and what hides its secrets; before a call is counted or anything awaited.

        So a wrong argument costs no call.
        """
        request = render(operation, self._version, (self._key_element, *arguments))
        secrets: list[Secret] = []
        for argument in arguments:
            if isinstance(argument, Secret):
                secrets.append(argument)
            elif isinstance(argument, Concealed):
                secrets += argument.secrets
        return request, Mask(self._key, *secrets) if secrets else self._mask

    async def _attempt(
        self,
        operation: Operation[ResultT],
        request: HttpRequest,
        mask: Mask,
        *,
        attempt: int,
        load: Load | None,
    ) -> ResultT:
        self._be_usable_here()
        async with self._in_flight:
            call = await self._admitted(operation.name, load)
            # A call that is cancelled is not settled: it may still turn out as a failed log-in.
            try:
                result = await self._exchange(
                    partial(read_answer, operation), request, mask, attempt
                )
            except Exception as error:
                await self._guard.settle(call, error)
                raise
            self._is_proven = True
            await self._guard.settle(call, None)
            return result

    async def _admitted(self, operation: str, load: Load | None) -> int:
        waiting = None if load is None else Waiting(self._process, load.jobs, load.overdue)
        while True:
            admission = await self._guard.admit(operation, waiting)
            if isinstance(admission, Admitted):
                if load is not None:
                    load.admitted()
                return admission.call
            used_up = admission if isinstance(admission, UsedUp) else None
            if load is not None:
                raise NotNow(admission.pause, used_up)
            if used_up is not None:
                raise used_up.refusal(operation, used_up.pause)
            await self._clock.sleep(admission.pause)

    async def _exchange(
        self, read: Callable[..., ResultT], request: HttpRequest, mask: Mask, attempt: int
    ) -> ResultT:
        began = self._clock.monotonic()
        answer: HttpAnswer | None = None
        try:
            answer = await self._transport.send(request, mask)
            result = read(answer, mask=mask, now=self._clock.time())
        except BaseException as error:
            self._listeners.hear(request, attempt, answer, error, self._clock.monotonic() - began)
            raise
        self._listeners.hear(request, attempt, answer, None, self._clock.monotonic() - began)
        return result

    def _be_usable_here(self) -> None:
        self._transport.refuse_if_closed()
        loop = current_token()
        self._event_loop = self._event_loop or loop
        if self._event_loop != loop:
            raise RuntimeError(
                "this client was used in another event loop, to which its connections belong; "
                "make one in each"
            )


def retry_pause(error: DaspError, retries: int) -> float | None:
    """The seconds until a direct call is tried again, after so many retries; None for never.

    A Retry-After that is longer than the longest pause is the caller's to wait for.
    """
    asked = error.retry_after or 0.0
    if not error.transient or asked > RETRY_PAUSES.maximum:
        return None
    return max(RETRY_PAUSES.delay(retries), asked)
