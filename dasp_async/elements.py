"""An XML element of the service's → plain Python: by its description, or as far as it shows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, cast
from uuid import UUID

from dasp_async.dataset import is_data_set, read_tables
from dasp_async.soap import is_nil
from dasp_async.xsd import ITEM_NAMES, ArrayType, Element, RecordType, SimpleType

if TYPE_CHECKING:
    from lxml.etree import _Element

    from dasp_async.wsdl import OperationDescription

Scalar: TypeAlias = str | bool | int | float | Decimal | date | UUID | bytes
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain] | None"


def to_python(element: _Element, described: OperationDescription | None = None) -> Plain:
    """A response, or another element: its content by names without their namespaces.

    described: the operation that answered, as `describe` has it. The content is then a dict of its
    results by their types: an array is a list, however many items it has, a record a dict of all
    its members, a number an int, and None stands for null. What it can't describe, and all of it
    without a description, is what the element shows by itself:

    | the element | Python |
    | --- | --- |
    | `xsi:nil` | None |
    | has no elements in it | its text |
    | a DataSet | a dict of its tables, each a list of rows, each a dict of typed columns |
    | an array: its elements have the name of an XSD type, or one name that comes again | a list |
    | anything else | a dict; what comes again in it is a list |

    Raises `ValueError` for a text that is not of its type, and for what is nested too deeply.
    """
    try:
        return _as_it_shows(element) if described is None else _members(element, described.results)
    except RecursionError:
        problem = ValueError("its elements are nested too deeply")
    raise problem


def _members(element: _Element, members: tuple[Element, ...]) -> dict[str, Plain]:
    children: dict[str, list[_Element]] = {}
    for child in element:
        children.setdefault(_name(child), []).append(child)
    return {each.name: _together(children.get(each.name, []), each) for each in members}


def _together(found: list[_Element], declared: Element) -> Plain:
    """The value of all elements of one name; the service writes one, or none for null."""
    values = [_typed(each, declared) for each in found]
    return values[0] if len(values) == 1 else values or None


def _typed(element: _Element, declared: Element) -> Plain:
    kind = declared.type
    if is_nil(element):
        return None
    if isinstance(kind, ArrayType):
        items = [child for child in element if _name(child) == kind.item.name]
        return [_typed(item, kind.item) for item in items]
    if isinstance(kind, RecordType):
        return _members(element, kind.members)
    if isinstance(kind, SimpleType) and not len(element):
        try:
            return cast("Plain", kind.from_text(element.text or ""))
        except ValueError as problem:
            raise ValueError(f"{declared.name} {problem}") from None
    return _as_it_shows(element)


def _as_it_shows(element: _Element) -> Plain:
    if is_nil(element):
        return None
    if not len(element):
        return element.text or ""
    if is_data_set(element):
        return cast("Plain", read_tables(element, str))
    names = [_name(child) for child in element]
    values = [_as_it_shows(child) for child in element]
    if len(set(names)) == 1 and (len(names) > 1 or names[0] in ITEM_NAMES):
        return list(values)
    members: dict[str, list[Plain]] = {}
    for name, value in zip(names, values, strict=True):
        members.setdefault(name, []).append(value)
    return {name: found if len(found) > 1 else found[0] for name, found in members.items()}


def _name(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2]
