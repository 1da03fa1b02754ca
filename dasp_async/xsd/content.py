"""Python values of any kind → XML content: a text, nothing, or elements in order."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeAlias, cast
from uuid import UUID

from dasp_async.xsd.names import checked_name
from dasp_async.xsd.simple import GUID, SIMPLE_TYPES, STRING, SimpleType


class Nil(enum.Enum):
    """`NIL`: a null that is written, as `xsi:nil`; `None` leaves the element out instead."""

    NIL = "nil"


NIL: Final = Nil.NIL
"""As a parameter's value: a null that is written, as `xsi:nil`; `None` leaves it out instead."""

Content: TypeAlias = "str | Nil | list[tuple[str, Content]]"

# The first row that fits: a bool is an int and a datetime a date.
_KINDS: Final[tuple[tuple[type, SimpleType], ...]] = (
    (str, STRING),
    (bool, SIMPLE_TYPES["boolean"]),
    (int, SIMPLE_TYPES["integer"]),
    (float, SIMPLE_TYPES["double"]),
    (Decimal, SIMPLE_TYPES["decimal"]),
    (datetime, SIMPLE_TYPES["dateTime"]),
    (date, SIMPLE_TYPES["date"]),
    (UUID, GUID),
    (bytes, SIMPLE_TYPES["base64Binary"]),
)
_INT: Final = range(-(2**31), 2**31)

# The names that ASMX gives the items of arrays of simple values: those of their types
ITEM_NAMES: Final = frozenset({"int", "long", *(row.name for _, row in _KINDS)} - {"integer"})


def content_of(value: object) -> Content:
    """A value's content; raises `ValueError` without showing the value.

    A list's items are called by their XSD types, as ASMX calls them, or by the key of a mapping
    of one. In mappings `None` leaves an element out.
    """
    if value is NIL:
        return NIL
    if isinstance(value, Mapping):
        return _members(cast("Mapping[object, object]", value))
    if isinstance(value, list | tuple):
        return [_item(item) for item in cast("Iterable[object]", value)]
    return _simple(value)[1]


def _members(values: Mapping[object, object]) -> list[tuple[str, Content]]:
    return [
        (checked_name(name), content_of(value))
        for name, value in values.items()
        if value is not None
    ]


def _item(value: object) -> tuple[str, Content]:
    if isinstance(value, Mapping):
        members = _members(cast("Mapping[object, object]", value))
        if len(members) != 1:
            raise ValueError("must have items that are simple values, or mappings of one name each")
        return members[0]
    return _simple(value)


def _simple(value: object) -> tuple[str, str]:
    """The name that ASMX gives an item of this kind, and the value's text."""
    for kind, row in _KINDS:
        if isinstance(value, kind):
            name = row.name
            if name == "integer":
                name = "int" if value in _INT else "long"
            return name, row.to_content(value)
    raise ValueError(f"must be a value that XSD has a type for, not {type(value).__name__}")
