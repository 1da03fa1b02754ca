"""Dates and moments as XSD writes them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final

from dasp_async.xsd.text import or_none

# XML Schema part 2 section 3.2.7.1; a year of more than 4 digits or before 1 has no datetime
_DATE_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT(?:(24:00:00(?:\.0+)?)|\d\d:\d\d:\d\d(?:\.\d+)?)"
    r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?",
    re.ASCII,
)
_DATE: Final = r"(?a)(\d{4})-(\d\d)-(\d\d)(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?"
_MAX_OFFSET: Final = timedelta(hours=14)
_MINUTE: Final = timedelta(minutes=1)


def date_time_to_text(value: object) -> str:
    """A `datetime` by its own wall clock, with its offset if it has one; a `date` at midnight."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
    else:
        raise ValueError(f"must be a datetime or a date, not {type(value).__name__}")  # noqa: TRY004 - one kind for all
    offset = moment.utcoffset() or timedelta()
    if abs(offset) > _MAX_OFFSET or offset % _MINUTE:
        raise ValueError("has an offset that XSD can't write: whole minutes, 14 hours at most")
    return moment.isoformat()


def date_to_text(value: object) -> str:
    """A `date`, without an offset."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError(f"must be a date, not {type(value).__name__}")  # noqa: TRY004 - one kind for all
    return value.isoformat()


@or_none
def date_from_text(text: str) -> date:
    """A date, whatever its offset; None for an empty text. Raises `ValueError`."""
    match = re.fullmatch(_DATE, text)
    if match is None:
        raise ValueError("is not a date of the years 1 to 9999")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise ValueError("is not a date: no such day") from None


@or_none
def date_time_from_text(text: str) -> datetime:
    """A dateTime as the `datetime` with the same wall clock, never converted to another zone.

    Aware if the text has an offset or `Z`, else naive: which zone the service means then is
    unknown. Digits past the microsecond are cut off, since rounding could leave year 9999.
    `24:00:00` is midnight of the next day (XML Schema part 2 section 3.2.7.1), and the last
    moment of year 9999 where there is no next day. None for an empty text, which some stacks
    send for null. Raises `ValueError`.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("is not a dateTime of the years 1 to 9999")
    try:
        if match[1] is None:
            return datetime.fromisoformat(text)
        return _next_day(datetime.fromisoformat(text.replace("T24:", "T00:")))
    except ValueError:
        raise ValueError("is not a dateTime: no such day or time") from None


def _next_day(midnight: datetime) -> datetime:
    try:
        return midnight + timedelta(days=1)
    except OverflowError:
        return midnight.replace(hour=23, minute=59, second=59, microsecond=999_999)
