"""An attempt told of: to a hook, and to the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from anyio import get_cancelled_exc_class

from dasp_async.errors import SoapFault
from dasp_async.messages import HttpAnswer, HttpRequest
from dasp_async.models import Exchange

# A service can send any text as one; a log's fields and a metric's labels have no room for more.
LONGEST_CODE: Final = 200

logger: Final = logging.getLogger("dasp_async")


class Listeners:
    """Those who are told: `hook`, if there is one, and the log, if it takes what is at DEBUG."""

    __slots__ = ("_hook",)

    def __init__(self, hook: Callable[[Exchange], None] | None) -> None:
        self._hook = hook

    def hear(
        self,
        request: HttpRequest,
        attempt: int,
        answer: HttpAnswer | None,
        error: BaseException | None,
        seconds: float,
    ) -> None:
        """An attempt is over: it had an answer, or none, and ended with an error, or a result."""
        is_logged = logger.isEnabledFor(logging.DEBUG)
        if self._hook is None and not is_logged:
            return
        exchange = Exchange(
            operation=request.operation,
            attempt=attempt,
            status_code=None if answer is None else answer.status,
            error=None if error is None else type(error).__name__,
            fault_code=error.code[:LONGEST_CODE] if isinstance(error, SoapFault) else None,
            milliseconds=1000 * seconds,
            request_bytes=len(request.body),
            response_bytes=0 if answer is None else len(answer.body),
        )
        if is_logged:
            # One field, which clashes with none of those that a program gives its own records
            logger.debug("%s", line(exchange), extra={"dasp_async": asdict(exchange)})
        if self._hook is not None:
            try:
                self._hook(exchange)
            except (Exception, get_cancelled_exc_class()):
                # The answer must not be lost for it: it may be the id of a job that was started.
                # What is not awaited is never cancelled, so a cancellation is the hook's own too.
                logger.exception("on_exchange raised an error, which is ignored")


def line(exchange: Exchange) -> str:
    """An exchange in words."""
    again = f", attempt {exchange.attempt}" if exchange.attempt > 1 else ""
    answer = "no answer" if exchange.status_code is None else f"HTTP {exchange.status_code}"
    ending = f", {exchange.error}" if exchange.error else ""
    return (
        f"{exchange.operation}{again}: {answer} in {exchange.milliseconds:.0f} ms{ending}, "
        f"request {exchange.request_bytes} bytes, answer {exchange.response_bytes}"
    )
