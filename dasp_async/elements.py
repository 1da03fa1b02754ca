"""An XML element of the service's → plain Python: by its description, or as far as it shows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias, cast, overload
from uuid import UUID

from dasp_async.arguments import kind_of
from dasp_async.dataset import is_data_set, read_tables
from dasp_async.soap import is_nil
from dasp_async.wsdl import OperationDescription
from dasp_async.xsd import ITEM_NAMES, ArrayType, Element, RecordType, SimpleType, local

if TYPE_CHECKING:
    from lxml.etree import _Element

Scalar: TypeAlias = str | bool | int | float | Decimal | date | UUID | bytes
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain] | None"

# A null takes no bytes on the wire, but it does in a dict.
MOST_MEMBERS: Final = 500_000


@overload
def to_python(element: _Element, described: OperationDescription) -> dict[str, Plain]: ...
@overload
def to_python(element: _Element, described: OperationDescription | None = None) -> Plain: ...
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

    Raises `ValueError` for a text that is not of its type, and for what is nested too deeply or
    has more than 500,000 members in all, null or not; `TypeError` for arguments of other kinds.
    """
    if not isinstance(getattr(element, "tag", None), str):
        raise TypeError(f"element must be lxml's, as `call` answers, not {type(element).__name__}")
    if described is not None:
        kind_of("described", described, OperationDescription)
    reading = _Reading()
    try:
        if described is None:
            return reading.as_it_shows(element)
        return reading.members(element, described.results)
    except RecursionError:
        problem = ValueError("its elements are nested too deeply")
    raise problem


class _Reading:
    """Reads one element and all in it, up to a number of members."""

    def __init__(self) -> None:
        self._left = MOST_MEMBERS

    def members(self, element: _Element, members: tuple[Element, ...]) -> dict[str, Plain]:
        self._count(len(members))
        children: dict[str, list[_Element]] = {}
        for child in element:
            children.setdefault(local(str(child.tag)), []).append(child)
        return {each.name: self._together(children.get(each.name, []), each) for each in members}

    def as_it_shows(self, element: _Element) -> Plain:
        if is_nil(element):
            return None
        if not len(element):
            return element.text or ""
        if is_data_set(element):
            tables = read_tables(element, str)
            self._count(sum(len(row) for rows in tables.values() for row in rows))
            return cast("Plain", tables)
        names = [local(str(child.tag)) for child in element]
        values = [self.as_it_shows(child) for child in element]
        if len(set(names)) == 1 and (len(names) > 1 or names[0] in ITEM_NAMES):
            return list(values)
        members: dict[str, list[Plain]] = {}
        for name, value in zip(names, values, strict=True):
            members.setdefault(name, []).append(value)
        return {name: found if len(found) > 1 else found[0] for name, found in members.items()}

    def _together(self, found: list[_Element], declared: Element) -> Plain:
        """The value of all elements of one name; the service writes one, or none for null."""
        values = [self._typed(each, declared) for each in found]
        return values[0] if len(values) == 1 else values or None

    def _typed(self, element: _Element, declared: Element) -> Plain:
        kind = declared.type
        if is_nil(element):
            return None
        if isinstance(kind, ArrayType):
            items = [child for child in element if local(str(child.tag)) == kind.item.name]
            return [self._typed(item, kind.item) for item in items]
        if isinstance(kind, RecordType):
            return self.members(element, kind.members)
        if isinstance(kind, SimpleType) and not len(element):
            try:
                return cast("Plain", kind.from_text(element.text or ""))
            except ValueError as problem:
                raise ValueError(f"{declared.name} {problem}") from None
        return self.as_it_shows(element)

    def _count(self, members: int) -> None:
        self._left -= members
        if self._left < 0:
            raise ValueError(f"it has more than {MOST_MEMBERS} members, null or not")
