"""What a test passes in, checked at once; the errors name the parameter."""

from __future__ import annotations

import math
from types import UnionType


def kind_of(name: str, value: object, kinds: UnionType) -> None:
    """Raise `TypeError` unless a value is of one of the kinds."""
    if not isinstance(value, kinds):
        raise TypeError(f"{name} must be {kinds}, not {type(value).__name__}")


def finite(name: str, value: object) -> None:
    """Raise `TypeError` or `ValueError` unless it is a finite number."""
    if not math.isfinite(_number(name, value)):
        raise ValueError(f"{name} must be a finite number; got {value}")


def not_negative(name: str, value: object) -> None:
    """Raise `TypeError` or `ValueError` unless it is a number from 0 to infinity."""
    if not _number(name, value) >= 0:
        raise ValueError(f"{name} must be 0 or more; got {value}")


def count(name: str, value: object) -> None:
    """Raise `TypeError` or `ValueError` unless it is a whole number, 0 or more."""
    if not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}")
    not_negative(name, value)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")
    return value
