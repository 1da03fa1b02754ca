"""Strings and guids as XSD writes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar
from uuid import UUID

T = TypeVar("T")

# XML 1.0 section 2.2, production [2] Char, turned round: what no document can carry, escaped or not
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

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
        raise ValueError(
            f"holds U+{ord(found[0]):04X} at position {found.start()}, which XML cannot carry"
        )
    return value


def guid_to_text(value: object) -> str:
    """A guid in the spelling .NET writes: a `UUID`, or any text that `UUID` reads."""
    return str(_guid(value))


def job_id_to_text(value: object) -> str:
    """A job's id as `read_job_id` takes it."""
    return str(read_job_id(value))


def read_job_id(value: object) -> UUID:
    """A job's id: a `UUID`, or any text that `UUID` reads.

    Raises `ValueError` for anything else, and for the nil UUID: ASMX reads a missing guid as
    nil, so as a job's id it always means that something got lost. The message never shows the
    value.
    """
    guid = _guid(value)
    if guid.int == 0:
        raise ValueError("must not be the nil UUID (all zeros)")
    return guid


def _guid(value: object) -> UUID:
    if isinstance(value, UUID):
        return value
    got = type(value).__name__
    if isinstance(value, str):
        guid = _uuid_or_none(value)
        if guid is not None:
            return guid
        got = f"text of {len(value)} characters"
    raise ValueError(
        "must be a uuid.UUID or text that UUID reads, "
        f"like '01234567-89ab-cdef-0123-456789abcdef'; got {got}"
    )


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def guid_from_text(text: str) -> UUID:
    """A guid in any spelling of .NET's: with hyphens or none, braced, in either case."""
    guid = _uuid_or_none(text.strip(XML_BLANKS))
    if guid is None:
        raise ValueError("is not a guid")
    return guid
