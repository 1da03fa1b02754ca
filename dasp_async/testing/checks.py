"""What a test passes in, checked at once; the errors name the parameter."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from types import UnionType
from typing import Final, TypeVar, cast

from dasp_async.arguments import number

ItemT = TypeVar("ItemT")

# Namespaces in XML section 3, production [4] NCName, without its rarer letters
_NAME: Final = re.compile(r"[^\W\d][\w.-]*")


def kind_of(name: str, value: object, kinds: type | UnionType) -> None:
    """Raise `TypeError` unless a value is of one of the kinds."""
    if not isinstance(value, kinds):
        wanted = kinds.__name__ if isinstance(kinds, type) else kinds
        raise TypeError(f"{name} must be {wanted}, not {type(value).__name__}")


def each_kind_of(name: str, values: object, kind: type[ItemT]) -> tuple[ItemT, ...]:
    """The values; raises `TypeError` unless all are of the kind."""
    # An empty text is iterable too, and of no kind.
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be rows of {kind.__name__}, not {type(values).__name__}")
    rows = tuple(cast("Iterable[ItemT]", values))
    for place, row in enumerate(rows):
        kind_of(f"{name}[{place}]", row, kind)
    return rows


def xml_name(name: str, value: object) -> None:
    """Raise `TypeError` or `ValueError` unless it can be the name of an element."""
    kind_of(name, value, str)
    if _NAME.fullmatch(str(value)) is None:
        raise ValueError(f"{name} must be a name that XML allows; got {value!r}")


def finite(name: str, value: object) -> None:
    """Raise `TypeError` or `ValueError` unless it is a finite number."""
    if not math.isfinite(number(name, value)):
        raise ValueError(f"{name} must be a finite number; got {value}")


def not_negative(name: str, value: object) -> None:
    """Raise `TypeError` or `ValueError` unless it is a number from 0 to infinity."""
    if not number(name, value) >= 0:
        raise ValueError(f"{name} must be 0 or more; got {value}")


def encodable(name: str, value: object, encoding: str) -> None:
    """Raise `TypeError` or `ValueError` unless it is text that the encoding has."""
    kind_of(name, value, str)
    try:
        str(value).encode(encoding)
    except UnicodeEncodeError:
        raise ValueError(f"{name} must be text that {encoding} has") from None
