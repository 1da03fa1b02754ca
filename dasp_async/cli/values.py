"""`name=value` words of a command line → parameters, by the types that the service describes."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple, cast

from dasp_async.secret import Secret, names_a_secret
from dasp_async.xsd import DATE_TIME, ArrayType, Element, RecordType, SimpleType, XsdType

# The longer ones first, since a `=` is in each of them
_SIGNS: Final = (":=@", ":=", "=@", "=")


class Word(NamedTuple):
    """A `name=value`; by its sign the value is text, JSON (`:=`), or a file's (`=@`, `:=@`)."""

    name: str
    sign: str
    value: Secret


def word(text: str) -> Word:
    """A word taken apart at its first sign, its file read; raises `ValueError`."""
    found = min(
        ((text.index(sign), order, sign) for order, sign in enumerate(_SIGNS) if sign in text),
        default=None,
    )
    if found is None or found[0] == 0:
        raise ValueError("is not name=value, name:=JSON, name=@FILE or name:=@FILE")
    place, _, sign = found
    name, value = text[:place], text[place + len(sign) :]
    try:
        return Word(name, sign, Secret(_content(Path(value)) if sign.endswith("@") else value))
    except ValueError as problem:
        raise ValueError(f"{name} {problem}") from None


def parameters_of(words: Sequence[Word], elements: Sequence[Element]) -> dict[str, object]:
    """The parameters in the order of the description; a name that it has not comes last.

    An array's items come one by one under its name, or all at once as JSON. Raises `ValueError`
    for a value that is not of its type, and for a secret that stands in the command line.
    """
    types: dict[str, XsdType] = {element.name: element.type for element in elements}
    by_name: dict[str, list[Word]] = {name: [] for name in types}
    for each in words:
        by_name.setdefault(each.name, []).append(each)
    values: dict[str, object] = {}
    for name, given in by_name.items():
        try:
            if given:
                values[name] = _together(given, types.get(name))
        except ValueError as problem:
            raise ValueError(f"{name} {problem}") from None
    return values


def _together(words: Sequence[Word], kind: XsdType | None) -> object:
    """The value of the words under one name."""
    if isinstance(kind, ArrayType) and all(each.sign in {"=", "=@"} for each in words):
        for each in words:
            _check_secrecy(each, None)
        return [_typed(text, kind.item.type) for each in words for text in _items(each)]
    if len(words) > 1:
        raise ValueError("comes twice; only an array's items may, if none of them is JSON")
    return _value(words[0], kind)


def _items(given: Word) -> list[str]:
    """An array's items: a file has one on each line."""
    return given.value.reveal().splitlines() if given.sign == "=@" else [given.value.reveal()]


def _value(given: Word, kind: XsdType | None) -> object:
    value: object = given.value.reveal()
    if given.sign in {":=", ":=@"}:
        try:
            value = json.loads(given.value.reveal(), parse_float=Decimal)
        except (ValueError, RecursionError) as problem:
            raise ValueError(f"is not JSON that can be read: {problem}") from None
    _check_secrecy(given, value)
    return _typed(value, kind)


def _check_secrecy(given: Word, value: object) -> None:
    """Raise `ValueError` for a secret that stands in the command line, or in an empty file."""
    is_secret = names_a_secret(given.name)
    if is_secret and given.sign == "=@" and not given.value.reveal():
        raise ValueError("is a secret, and its file is empty")
    if not given.sign.endswith("@") and (is_secret or _holds_a_secret(value)):
        raise ValueError(
            "is a secret, or holds one, and any user of this machine can read a command line; "
            f"write it to a file and say {given.name}{given.sign}@FILE"
        )


def _holds_a_secret(value: object) -> bool:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return any(names_a_secret(name) or _holds_a_secret(each) for name, each in members.items())
    return isinstance(value, list) and any(map(_holds_a_secret, cast("list[object]", value)))


def _content(path: Path) -> str:
    """A file's text, without the line break at its end that editors leave."""
    try:
        return path.read_text("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except OSError as problem:
        raise ValueError(f"can't be read from {path}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"can't be read from {path}: it is not text in UTF-8") from None


def _moment(text: str) -> datetime:
    """A moment, or the midnight of a day."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a date like 2026-03-01 or 2026-03-01T09:00:00Z") from None


def _typed(value: object, kind: XsdType | None) -> object:
    """A value as a type wants it, where text can be read as such; anything else as it is."""
    as_it_is: object = value
    if isinstance(value, str) and isinstance(kind, SimpleType):
        if kind is DATE_TIME:
            return _moment(value)
        return kind.from_text(value)
    if isinstance(value, Decimal) and isinstance(kind, SimpleType) and kind.name != "decimal":
        if math.isinf(float(value)):
            raise ValueError("is a number that no double can be")
        return float(value)
    if isinstance(value, list) and isinstance(kind, ArrayType):
        return [_typed(item, kind.item.type) for item in cast("list[object]", value)]
    if isinstance(value, dict) and isinstance(kind, RecordType):
        types: dict[str, XsdType] = {each.name: each.type for each in kind.members}
        members = cast("dict[str, object]", value)
        return {name: _typed(member, types.get(name)) for name, member in members.items()}
    return as_it_is
