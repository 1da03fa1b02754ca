"""Python values of any kind → XML content: a text, nothing, or elements in order."""

from __future__ import annotations

import base64
import enum
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeAlias, cast
from uuid import UUID

from dasp_async.xsd.moments import date_time_to_text, date_to_text
from dasp_async.xsd.numbers import (
    INT,
    boolean_to_text,
    decimal_to_text,
    double_to_text,
    integer_to_text,
)
from dasp_async.xsd.text import string_to_text, texts


class Nil(enum.Enum):
    """`NIL`: a null that is written, as `xsi:nil`; `None` leaves the element out instead."""

    NIL = "nil"


NIL: Final = Nil.NIL

Content: TypeAlias = "str | Nil | list[tuple[str, Content]]"

# Namespaces in XML section 3, production [4] NCName, without its rarer letters
_NAME: Final = re.compile(r"[^\W\d][\w.-]*")

# The first row that fits: a bool is an int and a datetime a date. The names are those of XSD's
# types, by which ASMX calls the items of an array.
_KINDS: Final[tuple[tuple[type, str, Callable[[object], str]], ...]] = (
    (str, "string", string_to_text),
    (bool, "boolean", boolean_to_text),
    (int, "int", integer_to_text),
    (float, "double", double_to_text),
    (Decimal, "decimal", decimal_to_text),
    (datetime, "dateTime", date_time_to_text),
    (date, "date", date_to_text),
    (UUID, "guid", str),
    (bytes, "base64Binary", lambda value: base64.b64encode(cast("bytes", value)).decode()),
)


# The names that ASMX gives the items of arrays of simple values
ITEM_NAMES: Final = frozenset({"long", *(name for _, name, _ in _KINDS)})


def strings_to_content(values: object) -> Content:
    """An array of strings."""
    return [("string", text) for text in texts(values)]


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


def checked_name(name: object) -> str:
    """The name of an element; raises `ValueError`."""
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise ValueError(f"must have names that XML allows; got {name!r}")
    return name


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
    for kind, name, to_text in _KINDS:
        if isinstance(value, kind):
            is_long = name == "int" and value not in INT
            return "long" if is_long else name, to_text(value)
    raise ValueError(f"must be a value that XSD has a type for, not {type(value).__name__}")
