"""Strings and guids as XSD writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Final, TypeVar, cast
from uuid import UUID

T = TypeVar("T")

# XML 1.0 section 2.2, production [2] Char: all that a document can carry, escaped or not
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

XML_BLANKS: Final = " \t\r\n"


def or_none(reader: Callable[[str], T]) -> Callable[[str], T | None]:
    """A reader of texts without blanks around them, which gives None for an empty one."""

    @wraps(reader)
    def read(text: str) -> T | None:
        text = text.strip(XML_BLANKS)
        return reader(text) if text else None

    return read


def string_to_text(value: object) -> str:
    """A string as it is, if XML can carry it; the message never shows the value."""
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {type(value).__name__}")  # noqa: TRY004 - one kind for all
    found = _NOT_XML.search(value)
    if found is not None:
        place, code = found.start(), ord(found.group())
        del value, found
        raise ValueError(f"holds U+{code:04X} at position {place}, which XML cannot carry")
    return value


def texts(values: object) -> list[str]:
    """A list of strings, each as `string_to_text` takes it."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"must be a list of texts, not {type(values).__name__}")  # noqa: TRY004 - one kind for all
    return [string_to_text(value) for value in cast("Iterable[object]", values)]


def guid_to_text(value: object) -> str:
    """A job id or the like in the spelling .NET writes; see `read_guid` for what is taken."""
    return str(read_guid(value))


def read_guid(value: object) -> UUID:
    """A `UUID`, or any text that `UUID` reads.

    Raises `ValueError` for anything else, and for the nil UUID: ASMX reads a missing guid as
    nil, so it always means that something got lost. The message never shows the value.
    """
    if isinstance(value, UUID):
        guid = value
    elif isinstance(value, str):
        guid = _uuid_or_none(value) or _refuse_guid(f"text of {len(value)} characters")
    else:
        guid = _refuse_guid(type(value).__name__)
    if guid.int == 0:
        raise ValueError("must not be the nil UUID (all zeros)")
    return guid


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _refuse_guid(got: str) -> UUID:
    raise ValueError(
        "must be a uuid.UUID or text that UUID reads, "
        f"like '01234567-89ab-cdef-0123-456789abcdef'; got {got}"
    )


def guid_from_text(text: str) -> UUID:
    """A guid in any spelling of .NET's: with hyphens or none, braced, in either case."""
    guid = _uuid_or_none(text.strip(XML_BLANKS))
    if guid is None:
        raise ValueError("is not a guid")
    return guid
