"""The elements in a SOAP body → an operation's result, as its row says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from dasp_async.response.text import masked
from dasp_async.soap import is_nil
from dasp_async.xsd import DATE_TIME, guid_from_text

if TYPE_CHECKING:
    from uuid import UUID

    from lxml.etree import _Element

    from dasp_async.secret import Mask


def result_of(operation: Operation[Any], content: list[_Element], mask: Mask) -> Any:
    """The result in the body's only element; raises `ValueError` where it breaks the contract."""
    response_tag = f"{{{NAMESPACE}}}{operation.name}Response"
    if len(content) != 1 or content[0].tag != response_tag:
        found = ", ".join(str(element.tag) for element in content) or "nothing"
        raise ValueError(f"its body does not hold one {response_tag}, but {found}")
    if isinstance(operation.result, Anything):
        return masked(content[0], mask)
    result_tag = f"{{{NAMESPACE}}}{operation.name}Result"
    results = [child for child in content[0] if child.tag == result_tag]
    return _read(operation, operation.result, results, mask)


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
    from dasp_async.dataset import read_tables  # noqa: PLC0415 - not for jobs, so not at import

    tables = read_tables(element, mask)
    if kind.table not in tables:
        found = ", ".join(mask(name) for name in tables) or "none"
        raise ValueError(f"its DataSet has no table {kind.table}, but {found}")
    return [
        kind.build(**{field: row.get(column) for column, field in kind.columns})
        for row in tables[kind.table]
    ]


def _fields(element: _Element, record: Record[Any], mask: Mask) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for child in element:
        member = record.by_tag.get(str(child.tag))
        if member is None:
            continue
        if member.field in fields:
            raise ValueError(f"it has two {member.name}")
        value = _value if member.item is None else _values
        fields[member.field] = value(child, member, mask)
    return fields


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
    text = element.text or ""
    try:
        # A date has no room for a secret.
        return member.type.from_text(text if member.type is DATE_TIME else mask(text))
    except ValueError as problem:
        raise ValueError(f"its {member.name} {problem}") from None
