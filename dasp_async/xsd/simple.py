"""XSD's simple types as data: one row a type, how its values are written and how they are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from dasp_async.xsd.binary import (
    base64_from_text,
    base64_to_text,
    hex_from_text,
    hex_to_text,
)
from dasp_async.xsd.moments import (
    date_from_text,
    date_time_from_text,
    date_time_to_text,
    date_to_text,
)
from dasp_async.xsd.numbers import (
    boolean_from_text,
    boolean_to_text,
    decimal_from_text,
    decimal_to_text,
    double_from_text,
    double_to_text,
    integer_from_text,
    integer_to_text,
)
from dasp_async.xsd.text import guid_from_text, guid_to_text, job_id_to_text, string_to_text


class SimpleType(NamedTuple):
    """A type whose values are texts on the wire.

    to_content raises `ValueError`, without showing the value, for one that is not of the type;
    from_text raises it for a text that is not, and gives None for an empty one, texts excepted.
    """

    name: str
    to_content: Callable[[object], str]
    from_text: Callable[[str], Any]


# Types that Python has nothing nearer for than text; XML Schema part 2 section 3
_TEXTS: Final = (
    *("string", "normalizedString", "token", "language", "anyURI", "QName"),
    *("Name", "NCName", "NMTOKEN", "ID", "IDREF", "ENTITY"),
    *("duration", "time", "gYear", "gYearMonth", "gMonth", "gMonthDay", "gDay"),
)
_INTEGERS: Final[Mapping[str, tuple[float, float]]] = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
    "unsignedByte": (0, 2**8 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedLong": (0, 2**64 - 1),
    "integer": (-math.inf, math.inf),
    "nonNegativeInteger": (0, math.inf),
    "positiveInteger": (1, math.inf),
    "nonPositiveInteger": (-math.inf, 0),
    "negativeInteger": (-math.inf, -1),
}

GUID: Final = SimpleType("guid", guid_to_text, guid_from_text)
JOB_ID: Final = SimpleType("guid", job_id_to_text, guid_from_text)
# By their names in XSD's namespace
SIMPLE_TYPES: Final[Mapping[str, SimpleType]] = {
    row.name: row
    for row in (
        *(SimpleType(name, string_to_text, str) for name in _TEXTS),
        *(
            SimpleType(name, partial(integer_to_text, low=low, high=high), integer_from_text)
            for name, (low, high) in _INTEGERS.items()
        ),
        SimpleType("boolean", boolean_to_text, boolean_from_text),
        SimpleType("decimal", decimal_to_text, decimal_from_text),
        SimpleType("double", double_to_text, double_from_text),
        SimpleType("float", double_to_text, double_from_text),
        SimpleType("dateTime", date_time_to_text, date_time_from_text),
        SimpleType("date", date_to_text, date_from_text),
        SimpleType("base64Binary", base64_to_text, base64_from_text),
        SimpleType("hexBinary", hex_to_text, hex_from_text),
    )
}
STRING: Final = SIMPLE_TYPES["string"]
INT: Final = SIMPLE_TYPES["int"]
DATE_TIME: Final = SIMPLE_TYPES["dateTime"]


def one_of(name: str, base: SimpleType, values: frozenset[str]) -> SimpleType:
    """The enumeration of that name: a type whose texts are these and no others."""
    return SimpleType(name, partial(_one_of_text, base, values), base.from_text)


def _one_of_text(base: SimpleType, values: frozenset[str], value: object) -> str:
    text = base.to_content(value)
    if text not in values:
        raise ValueError(f"must be one of {', '.join(sorted(values))}")
    return text


def blank_separated(name: str, item: SimpleType) -> SimpleType:
    """The list type of that name, which .NET makes of [Flags] enumerations."""
    return SimpleType(name, partial(_blank_separated_text, item), str)


def _blank_separated_text(item: SimpleType, value: object) -> str:
    return " ".join(item.to_content(each) for each in string_to_text(value).split())
