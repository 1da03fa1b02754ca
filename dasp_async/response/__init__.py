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
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from dasp_async.dataset import read_tables
from dasp_async.errors import DaspError, HttpError, InvalidResponse
from dasp_async.messages import DESCRIBE
from dasp_async.operations import (
    NAMESPACE,
    Anything,
    Guid,
    Known,
    Member,
    Nothing,
    Operation,
    Record,
    Records,
    Rows,
)
from dasp_async.response.document import Unreadable, body_content, document
from dasp_async.response.fault import FAULT_TAGS, soap_fault
from dasp_async.response.text import cleaned, described, excerpt, masked
from dasp_async.soap import is_nil, is_soap
from dasp_async.xsd import guid_from_text

if TYPE_CHECKING:
    from uuid import UUID

    from lxml.etree import _Element

    from dasp_async.messages import HttpAnswer
    from dasp_async.secret import Mask
    from dasp_async.wsdl import ServiceDescription

ResultT = TypeVar("ResultT")

_SECONDS: Final = re.compile(r"\d{1,9}", re.ASCII)

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
    problem, speaks_soap = "", is_soap(answer.content_type)
    try:
        content = body_content(answer)
    except Unreadable as unreadable:
        problem, speaks_soap = cleaned(str(unreadable), mask), speaks_soap or unreadable.is_soap
    else:
        speaks_soap = True
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
            return _result(operation, content, mask)
        except ValueError as breach:
            problem = cleaned(str(breach), mask)
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
    if _SECONDS.fullmatch(header.strip()):
        return float(header)
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


def _result(operation: Operation[ResultT], content: list[_Element], mask: Mask) -> ResultT:
    """The result in the body's only element; raises `ValueError` where it breaks the contract."""
    response_tag = f"{{{NAMESPACE}}}{operation.name}Response"
    if [element.tag for element in content] != [response_tag]:
        found = ", ".join(str(element.tag) for element in content) or "nothing"
        raise ValueError(f"its body does not hold one {response_tag}, but {found}")
    if isinstance(operation.result, Anything):
        return cast("ResultT", masked(content[0], mask))
    result_tag = f"{{{NAMESPACE}}}{operation.name}Result"
    results = [child for child in content[0] if child.tag == result_tag]
    return cast("ResultT", _read(operation, operation.result, results, mask))


def _read(operation: Operation[Any], kind: Known, results: list[_Element], mask: Mask) -> Any:
    if isinstance(kind, Nothing):
        return None
    is_null = len(results) != 1 or is_nil(results[0])
    if isinstance(kind, Records) and is_null and len(results) <= 1:
        # A null array has no result element, an empty one an empty element.
        return []
    if isinstance(kind, Guid):
        return _job_id(operation, None if is_null else results[0])
    if is_null:
        raise ValueError(
            f"it has {len(results) or 'no'} {operation.name}Result; none, which is how ASMX "
            "writes null, may mean that the service does not know what was asked for"
        )
    if isinstance(kind, Rows):
        return _rows(results[0], kind, mask)
    if isinstance(kind, Records):
        tag = f"{{{NAMESPACE}}}{kind.item}"
        items = [item for item in results[0] if item.tag == tag and not is_nil(item)]
        return [kind.record.build(**_fields(item, kind.record, mask)) for item in items]
    fields = _fields(results[0], kind, mask)
    if not fields:
        raise ValueError(
            f"its {operation.name}Result is empty, which may mean that the service does not "
            "know what was asked for"
        )
    return kind.build(**fields)


def _job_id(operation: Operation[Any], element: _Element | None) -> UUID:
    text = "" if element is None or len(element) else element.text or ""
    try:
        job_id = guid_from_text(text)
    except ValueError:
        job_id = None
    # .NET's own null of a guid is all zeros.
    if job_id is None or job_id.int == 0:
        raise ValueError(
            f"its {operation.name}Result is no guid, so that there is no job to wait for; "
            "use `call` for what does not start a job"
        )
    return job_id


def _rows(element: _Element, kind: Rows, mask: Mask) -> list[Any]:
    tables = read_tables(element, mask)
    if kind.table not in tables:
        found = ", ".join(mask(name) for name in tables) or "none"
        raise ValueError(f"its DataSet has no table {kind.table}, but {found}")
    return [
        kind.build(**{field: row.get(column) for column, field in kind.columns})
        for row in tables[kind.table]
    ]


def _fields(element: _Element, record: Record[Any], mask: Mask) -> dict[str, Any]:
    members = _members_by_tag(record)
    fields: dict[str, Any] = {}
    for child in element:
        member = members.get(str(child.tag))
        if member is None:
            continue
        if member.field in fields:
            raise ValueError(f"it has two {member.name}")
        value = _value if member.item is None else _values
        fields[member.field] = value(child, member, mask)
    return fields


@cache
def _members_by_tag(record: Record[Any]) -> Mapping[str, Member]:
    return {f"{{{NAMESPACE}}}{member.name}": member for member in record.members}


def _values(element: _Element, member: Member, mask: Mask) -> tuple[Any, ...]:
    tag = f"{{{NAMESPACE}}}{member.item}"
    return tuple(
        _value(item, member, mask) for item in element if item.tag == tag and not is_nil(item)
    )


def _value(element: _Element, member: Member, mask: Mask) -> Any:
    if is_nil(element):
        return None
    if len(element):
        raise ValueError(f"its {member.name} holds elements, not text")
    try:
        return member.type.from_text(mask(element.text or ""))
    except ValueError as problem:
        raise ValueError(f"its {member.name} {problem}") from None


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
