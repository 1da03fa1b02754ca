"""The body of a request → an operation's parameters, as ASMX's deserializer reads them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from dasp_async.operations import NAMESPACE
from dasp_async.secret import Secret
from dasp_async.soap import XSI
from dasp_async.testing.contract import Operation
from dasp_async.testing.document import Element as XmlElement
from dasp_async.testing.document import NotXml
from dasp_async.testing.types import ArrayType, Element, SimpleType, ValueType

_NIL: Final = f"{{{XSI}}}nil"


def read_parameters(
    body: XmlElement, operation: Operation
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters as they were sent, by name, and as values, by key.

    What is not looked for is silently left out, and what is missing is null. Raises `NotXml`
    for a value with markup in it, and `ValueError` for a text that is not of its type.
    """
    sent: dict[str, Any] = {}
    values = {each.key: each.type.missing for each in operation.parameters}
    for call in body.children:
        if call.tag == _tag(operation.name):
            _fill(call.children, operation.parameters, sent, values)
    return sent, values


def _fill(
    children: Iterable[XmlElement],
    members: Iterable[Element],
    sent: dict[str, Any],
    values: dict[str, Any],
) -> None:
    awaited = {_tag(each.name): each for each in members}
    for child in children:
        # Of two of a name the first counts.
        member = awaited.pop(child.tag, None)
        if member is not None:
            sent[member.name], values[member.key] = _read(child, member.type)


def _read(element: XmlElement, kind: ValueType) -> tuple[Any, Any]:
    """What was sent, and the value that is read from it."""
    if isinstance(kind, SimpleType):
        return _read_text(element, kind)
    if isinstance(kind, ArrayType):
        # xsi:nil counts for arrays and for items that can be null, and for nothing else.
        return (None, None) if _is_nil(element) else _read_items(element, kind.item)
    sent: dict[str, Any] = {}
    values = {each.key: each.type.missing for each in kind.members}
    _fill(element.children, kind.members, sent, values)
    return sent, values


def _read_text(element: XmlElement, kind: SimpleType) -> tuple[Any, Any]:
    if not element.is_text:
        raise NotXml("a value is text")
    try:
        value = kind.from_text(element.text)
    except ValueError as problem:
        line, position = element.after
        raise ValueError(
            f"There is an error in XML document ({line}, {position}). ---> {problem}"
        ) from None
    return (value if isinstance(value, Secret) else element.text), value


def _read_items(element: XmlElement, kind: ValueType) -> tuple[list[Any], list[Any]]:
    pairs = [
        (None, None) if kind.missing is None and _is_nil(child) else _read(child, kind)
        for child in element.children
        if child.tag == _tag(kind.name)
    ]
    return [sent for sent, _ in pairs], [value for _, value in pairs]


def _is_nil(element: XmlElement) -> bool:
    return element.attributes.get(_NIL, "").strip() in {"true", "1"}


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
