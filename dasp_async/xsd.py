"""XSD text ↔ Python values, for the types that the service's contract uses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from uuid import UUID

# XML 1.0 section 2.2, production [2] Char: all that a document can carry, escaped or not
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# XML Schema part 2 section 3.2.7.1; a year of more than 4 digits or before 1 has no datetime
_DATE_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
    r"(?:(Z)|([+-])(0\d|1[0-4]):([0-5]\d))?",
    re.ASCII,
)
_XML_BLANKS: Final = " \t\r\n"
_MAX_OFFSET: Final = timedelta(hours=14)


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
    guid = _uuid_or_none(text.strip(_XML_BLANKS))
    if guid is None:
        raise ValueError("is not a guid")
    return guid


def date_time_from_text(text: str) -> datetime | None:
    """A dateTime as the `datetime` with the same wall clock, never converted to another zone.

    Aware if the text has an offset or `Z`, else naive: which zone the service means then is
    unknown. Digits past the microsecond are cut off, since rounding could leave year 9999.
    `24:00:00` is midnight of the next day (XML Schema part 2 section 3.2.7.1), and the last
    moment of year 9999 where there is no next day. None for an empty text, which some stacks
    send for null. Raises `ValueError`.
    """
    text = text.strip(_XML_BLANKS)
    if not text:
        return None
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("is not a dateTime of the years 1 to 9999")
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    fraction = match[7] or ""
    midnight = hour == 24 and minute == second == 0 and not fraction.strip("0")
    try:
        moment = datetime(
            year,
            month,
            day,
            0 if midnight else hour,
            minute,
            second,
            int(fraction[:6].ljust(6, "0")),
            tzinfo=_zone(match),
        )
    except ValueError:
        raise ValueError("is not a dateTime: no such day or time") from None
    return _next_day(moment) if midnight else moment


def _zone(match: re.Match[str]) -> timezone | None:
    if match[8]:
        return UTC
    if not match[9]:
        return None
    offset = timedelta(hours=int(match[10]), minutes=int(match[11]))
    if offset > _MAX_OFFSET:
        raise ValueError("an offset is 14 hours at most")
    return timezone(-offset if match[9] == "-" else offset)


def _next_day(midnight: datetime) -> datetime:
    try:
        return midnight + timedelta(days=1)
    except OverflowError:
        return midnight.replace(hour=23, minute=59, second=59, microsecond=999_999)
