"""Numbers and truth values as XSD writes them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from dasp_async.xsd.text import or_none

# Patterns that `re` makes at the first number: not at import, which they'd slow
_INTEGER: Final = r"(?a)[+-]?\d{1,100}"
_DECIMAL: Final = r"(?a)[+-]?(?:\d{1,100}(?:\.\d{0,100})?|\.\d{1,100})"
_DOUBLE: Final = r"(?a)[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,9})?"
# XML Schema part 2 section 3.2.5.1; Python spells them otherwise.
_SPECIAL_DOUBLES: Final = {"INF": "inf", "-INF": "-inf", "NaN": "nan"}
_SPECIAL_TEXTS: Final = {text: name for name, text in _SPECIAL_DOUBLES.items()}
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def integer_to_text(value: object, low: float = -math.inf, high: float = math.inf) -> str:
    """A whole number within bounds, which are allowed too."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be a whole number, not {type(value).__name__}")  # noqa: TRY004 - one kind for all
    if not low <= value <= high:
        raise ValueError(f"must be from {low} to {high}")
    # Not `str`, which a subclass may have made its own, as enumerations do.
    return int.__repr__(value)


def boolean_to_text(value: object) -> str:
    """A boolean."""
    if not isinstance(value, bool):
        raise ValueError(f"must be True or False, not {type(value).__name__}")  # noqa: TRY004 - one kind for all
    return "true" if value else "false"


def double_to_text(value: object) -> str:
    """A double; what is infinite or no number has names of its own in XSD."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"must be a number, not {type(value).__name__}")  # noqa: TRY004 - one kind for all
    # As above; numpy's floats say what they are.
    text = float.__repr__(value) if isinstance(value, float) else int.__repr__(value)
    return _SPECIAL_TEXTS.get(text, text)


def decimal_to_text(value: object) -> str:
    """A `Decimal`, without an exponent, or a whole number."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError(f"must be a Decimal, not {type(value).__name__}")  # noqa: TRY004 - one kind for all
    number = Decimal(value)
    # Not even written out if its exponent could ask for gigabytes of digits
    text = f"{number:f}" if abs(number.adjusted()) <= 100 else ""
    if re.fullmatch(_DECIMAL, text) is None:
        raise ValueError("must be a finite decimal of at most 100 digits on each side")
    return text


@or_none
def integer_from_text(text: str) -> int:
    """A whole number of any size; None for an empty text. Raises `ValueError`."""
    if re.fullmatch(_INTEGER, text) is None:
        raise ValueError("is not a whole number")
    return int(text)


@or_none
def decimal_from_text(text: str) -> Decimal:
    """A decimal, exactly; None for an empty text. Raises `ValueError`."""
    if re.fullmatch(_DECIMAL, text) is None:
        raise ValueError("is not a decimal")
    return Decimal(text)


@or_none
def double_from_text(text: str) -> float:
    """A double or a float; None for an empty text. Raises `ValueError`."""
    if text not in _SPECIAL_DOUBLES and re.fullmatch(_DOUBLE, text) is None:
        raise ValueError("is not a double")
    return float(_SPECIAL_DOUBLES.get(text, text))


@or_none
def boolean_from_text(text: str) -> bool:
    """A boolean; None for an empty text. Raises `ValueError`."""
    if text not in _BOOLEANS:
        raise ValueError("is not a boolean")
    return _BOOLEANS[text]
