"""Numbers and truth values as XSD writes them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from dasp_async.xsd.text import or_none

# The values of an xs:int
INT: Final = range(-(2**31), 2**31)
_INTEGER: Final = re.compile(r"[+-]?\d{1,100}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:\d{1,100}(?:\.\d{0,100})?|\.\d{1,100})", re.ASCII)
_DOUBLE: Final = re.compile(
    r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,9})?", re.ASCII
)
# XML Schema part 2 section 3.2.5.1; Python spells them otherwise.
_SPECIAL_DOUBLES: Final = {"INF": "inf", "-INF": "-inf", "NaN": "nan"}
_SPECIAL_TEXTS: Final = {text: name for name, text in _SPECIAL_DOUBLES.items()}
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def int_to_text(value: object) -> str:
    """An xs:int."""
    text = integer_to_text(value)
    if value not in INT:
        raise ValueError(f"must be from {INT[0]} to {INT[-1]}")
    return text


def integer_to_text(value: object) -> str:
    """A whole number of any size."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be a whole number, not {type(value).__name__}")  # noqa: TRY004 - one kind for all
    return str(value)


def boolean_to_text(value: object) -> str:
    """A boolean."""
    return "true" if value else "false"


def double_to_text(value: object) -> str:
    """A double; what is infinite or no number has names of its own in XSD."""
    text = repr(value)
    return _SPECIAL_TEXTS.get(text, text)


def decimal_to_text(value: object) -> str:
    """A `Decimal`, without an exponent."""
    text = f"{value:f}"
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError("must be a finite decimal of at most 100 digits on each side")
    return text


@or_none
def integer_from_text(text: str) -> int:
    """A whole number of any size; None for an empty text. Raises `ValueError`."""
    if _INTEGER.fullmatch(text) is None:
        raise ValueError("is not a whole number")
    return int(text)


@or_none
def decimal_from_text(text: str) -> Decimal:
    """A decimal, exactly; None for an empty text. Raises `ValueError`."""
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError("is not a decimal")
    return Decimal(text)


@or_none
def double_from_text(text: str) -> float:
    """A double or a float; None for an empty text. Raises `ValueError`."""
    if text not in _SPECIAL_DOUBLES and _DOUBLE.fullmatch(text) is None:
        raise ValueError("is not a double")
    return float(_SPECIAL_DOUBLES.get(text, text))


@or_none
def boolean_from_text(text: str) -> bool:
    """A boolean; None for an empty text. Raises `ValueError`."""
    if text not in _BOOLEANS:
        raise ValueError("is not a boolean")
    return _BOOLEANS[text]
