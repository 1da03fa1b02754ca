"""Status, headers and bytes → the result as a dataclass, or the one right error.

The first row that fits decides:

| the answer | outcome |
| --- | --- |
| a body in an encoding that was not asked for | `HttpError` |
| an envelope with a fault in its body, whatever the status | `SoapFault` |
| a status of 300 or more | `HttpError` |
| an envelope or a SOAP content type, but cut, unsafe or off the contract | `InvalidResponse` |
| no envelope | `HttpError` |
| an envelope with the operation's response | the result |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from dasp_async.errors import DaspError, HttpError, InvalidResponse
from dasp_async.messages import DESCRIBE
from dasp_async.response.document import Unreadable, body_content, document
from dasp_async.response.fault import FAULT_TAGS, soap_fault
from dasp_async.response.result import result_of
from dasp_async.response.text import cleaned, described, excerpt
from dasp_async.soap import is_soap

if TYPE_CHECKING:
    from lxml.etree import _Element

    from dasp_async.messages import HttpAnswer
    from dasp_async.operations import Operation
    from dasp_async.secret import Mask
    from dasp_async.wsdl import ServiceDescription

ResultT = TypeVar("ResultT")

_SECONDS: Final = r"[0-9]{1,9}"

_HINTS: Final[Mapping[int, str]] = {
    401: "the key may be wrong, or this address not white-listed in the control panel",
    403: "the key may be wrong, or this address not white-listed in the control panel",
    404: "the endpoint may be wrong",
}


def read_answer(
    operation: Operation[ResultT], answer: HttpAnswer, *, mask: Mask, now: float
) -> ResultT:
    """The result that an answer holds; the errors are in the table above.

    mask: strikes secrets out of every text that comes from the answer. now: seconds since
    1970, to read a Retry-After that is a date.
    """
    outcome = _outcome(operation, answer, mask, now)
    if not isinstance(outcome, DaspError):
        return outcome
    try:
        raise outcome
    finally:
        # Else the error, by its traceback, and this frame would hold each other, and the answer.
        del outcome


def _outcome(
    operation: Operation[ResultT], answer: HttpAnswer, mask: Mask, now: float
) -> ResultT | DaspError:
    """The result or the error; one raised here would have the answer's elements in its frames."""
    if not answer.readable:
        return _http_error(operation.name, answer, mask, now)
    content: list[_Element] = []
    problem, speaks_soap = "", True
    try:
        content = body_content(answer)
    except Unreadable as unreadable:
        problem = cleaned(str(unreadable), mask)
        speaks_soap = unreadable.is_soap or is_soap(answer.content_type)
    for element in content:
        if element.tag in FAULT_TAGS:
            return soap_fault(
                operation.name,
                element,
                retry_after=retry_after(answer.retry_after, now),
                mask=mask,
            )
    if answer.status >= 300 or not speaks_soap:
        return _http_error(operation.name, answer, mask, now)
    if not problem:
        try:
            result: ResultT = result_of(operation, content, mask)
        except ValueError as breach:
            problem = cleaned(str(breach), mask)
        else:
            return result
    return InvalidResponse(
        f"{operation.name}: {problem}; {described(answer, mask)}", operation=operation.name
    )


def read_description(answer: HttpAnswer, *, mask: Mask, now: float) -> ServiceDescription:
    """The service that an answer's WSDL describes.

    Raises `HttpError` for a status of 300 or more and for an encoding that was not asked for,
    and `InvalidResponse` for what is not a WSDL or unsafe. mask, now: as in `read_answer`.
    """
    from dasp_async.wsdl.document import read_wsdl  # noqa: PLC0415 - slow to import, seldom needed

    if answer.status >= 300 or not answer.readable:
        raise _http_error(DESCRIBE, answer, mask, now)
    try:
        return read_wsdl(document(answer), served_at=_moment(answer.date))
    except (Unreadable, ValueError) as unreadable:
        problem = cleaned(str(unreadable), mask)
    raise InvalidResponse(f"{DESCRIBE}: {problem}; {described(answer, mask)}", operation=DESCRIBE)


def retry_after(header: str | None, now: float) -> float | None:
    """The seconds a Retry-After header asks for (RFC 9110 section 10.2.3); None if unreadable."""
    if header is None:
        return None
    seconds = header.strip()
    if re.fullmatch(_SECONDS, seconds):
        return float(seconds)
    moment = _moment(header)
    return None if moment is None else max(0.0, moment.timestamp() - now)


def _moment(header: str | None) -> datetime | None:
    """An HTTP date (RFC 9110 section 5.6.7); None if it can't be read."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - slow to import, seldom needed

    try:
        moment = parsedate_to_datetime(header or "")
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return moment


def _http_error(operation: str, answer: HttpAnswer, mask: Mask, now: float) -> HttpError:
    hint = _HINTS.get(answer.status)
    if hint is None and 300 <= answer.status < 400:
        hint = "redirects are never followed, since the body holds the key"
    return HttpError(
        f"{operation}: {described(answer, mask)}{f' ({hint})' if hint else ''}",
        operation=operation,
        retry_after=retry_after(answer.retry_after, now),
        status_code=answer.status,
        content_type=mask(answer.content_type),
        excerpt=excerpt(answer, mask),
    )
