"""Whether a call is safe: asks the budget before each, and tells it what came of it."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from dasp_async.budget import Admitted, CallBudget, Caller, Closed, NotYet, UsedUp, Verdict
from dasp_async.errors import CallRefused, HttpError, LockoutRisk, SoapFault
from dasp_async.soap import is_soap

if TYPE_CHECKING:
    from dasp_async.budget import Waiting
    from dasp_async.models import FaultRules

logger: Final = logging.getLogger("dasp_async")

_REFUSALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Guard:
    """Stands between one client and the service.

    The service allows 1000 calls a day and blocks an address after 25 failed log-ins (staff
    post in the vendor's forum, 2006); what is known of both is in the budget.
    """

    def __init__(self, budget: CallBudget, caller: Caller, fault_rules: FaultRules) -> None:
        self._budget = budget
        self._caller = caller
        self._fault_rules = fault_rules

    async def admit(self, operation: str, waiting: Waiting | None) -> Admitted | NotYet | UsedUp:
        """Count a call, if it may be made now; raises `LockoutRisk` if it is not safe."""
        admission = await self._budget.admit(self._caller, waiting)
        if isinstance(admission, Closed):
            raise LockoutRisk(
                f"{operation}: not sent, since the last answers could be failed log-ins (so far "
                f"{admission.faults}) and the service blocks an address after 25; check the key, "
                "the white list and the job ids. The next call is let through in "
                f"{admission.pause:.0f} s",
                operation=operation,
                retry_after=admission.pause,
                faults=admission.faults,
            )
        return admission

    async def settle(self, call: int, error: Exception | None) -> None:
        """Note what came of a call: an error, or None for a result."""
        verdict = Verdict.GOOD if error is None else verdict_of(error, self._fault_rules)
        try:
            await self._budget.settle(self._caller, call, verdict)
        except CallRefused as refusal:
            # The call was made, so its outcome counts; unsettled, it stands as a possible fault.
            logger.warning("what came of a call could not be noted: %s", refusal)


def verdict_of(error: Exception, rules: FaultRules) -> Verdict:
    """What an error says about the key; the first row that fits decides.

    | the error | verdict |
    | --- | --- |
    | a fault that asks for fewer calls, as "too many failed log-ins" does | doubtful |
    | a fault about the account | the key is refused |
    | a fault about the job | doubtful |
    | any other fault, HTTP 401 and 403 | a fault |
    | HTTP 500 with SOAP's content type: a fault that can't be read | doubtful |
    | anything else | nothing |
    """
    if isinstance(error, SoapFault):
        if rules.is_too_often(error.reason):
            return Verdict.DOUBTFUL
        if rules.is_account(error.reason):
            return Verdict.REFUSED_KEY
        return Verdict.DOUBTFUL if rules.is_unknown_job(error.reason) else Verdict.FAULT
    if isinstance(error, HttpError):
        if error.status_code in _REFUSALS:
            return Verdict.FAULT
        # ASMX answers every fault with 500, and writes characters into it that XML can't hold.
        if error.status_code == HTTPStatus.INTERNAL_SERVER_ERROR and is_soap(error.content_type):
            return Verdict.DOUBTFUL
    return Verdict.NOTHING
