"""Values are read as they were written, and anything else is a ValueError."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasp_async.xsd import GUID as GUID_TYPE
from dasp_async.xsd import (
    JOB_ID,
    SIMPLE_TYPES,
    blank_separated,
    content_of,
    guid_from_text,
    is_name,
    one_of,
    read_job_id,
    string_to_text,
)

boolean_from_text = SIMPLE_TYPES["boolean"].from_text
date_from_text = SIMPLE_TYPES["date"].from_text
date_time_from_text = SIMPLE_TYPES["dateTime"].from_text
date_time_to_text = SIMPLE_TYPES["dateTime"].to_content
decimal_from_text = SIMPLE_TYPES["decimal"].from_text
double_from_text = SIMPLE_TYPES["double"].from_text
guid_to_text = GUID_TYPE.to_content
integer_from_text = SIMPLE_TYPES["int"].from_text
int_to_text = SIMPLE_TYPES["int"].to_content

GUID = "01234567-89ab-cdef-0123-456789abcdef"
NIL = "00000000-0000-0000-0000-000000000000"

# .NET's format specifiers D, N, B and P, but for P's parentheses, which UUID does not read.
GUID_SPELLINGS = [
    GUID,
    GUID.upper(),
    GUID.replace("-", ""),
    f"{{{GUID}}}",
    f"{{{GUID.upper()}}}",
]
NOT_GUIDS = [
    "",
    " ",
    "x",
    GUID[:-1],
    GUID + "0",
    GUID.replace("0", "g"),
    GUID * 1000,
    "\0" * 32,
    "é" * 32,
]


# --- strings


@pytest.mark.parametrize("text", ["", " a ", "\t\r\n", "<&>", "日本語 🚀", "\x7f\ufffd\U0010ffff"])
def test_a_string_is_written_as_it_is(text: str) -> None:
    assert string_to_text(text) == text


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("my-secret\0", "holds U+0000 at position 9, which XML cannot carry"),
        ("\x1bmy-secret", "holds U+001B at position 0, which XML cannot carry"),
        ("\ud83d", "holds U+D83D at position 0, which XML cannot carry"),
        ("\udfff", "holds U+DFFF at position 0, which XML cannot carry"),
        ("ab\ufffe\0", "holds U+FFFE at position 2, which XML cannot carry"),
        ("\uffff", "holds U+FFFF at position 0, which XML cannot carry"),
        (b"my-secret", "must be text, not bytes"),
        (None, "must be text, not NoneType"),
    ],
)
def test_what_no_string_is_raises(value: object, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        string_to_text(value)
    assert str(caught.value) == complaint


# --- guids


@pytest.mark.parametrize("text", GUID_SPELLINGS)
def test_a_guid_is_read_in_every_spelling(text: str) -> None:
    assert guid_from_text(text) == read_job_id(text) == UUID(GUID)
    assert guid_from_text(f" \t\r\n{text} \t\r\n") == UUID(GUID)
    assert guid_to_text(text) == GUID


@pytest.mark.parametrize("text", NOT_GUIDS, ids=range(len(NOT_GUIDS)))
def test_what_no_guid_is_raises(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a guid$"):
        guid_from_text(text)
    with pytest.raises(ValueError, match=rf"got text of {len(text)} characters$"):
        read_job_id(text)


@pytest.mark.parametrize(
    ("value", "got"), [(None, "NoneType"), (1, "int"), (b"x" * 16, "bytes"), ([GUID], "list")]
)
def test_a_guid_is_a_uuid_or_text(value: object, got: str) -> None:
    with pytest.raises(ValueError, match=rf"^must be a uuid\.UUID or text .+; got {got}$"):
        read_job_id(value)


@pytest.mark.parametrize("value", [UUID(int=0), NIL, NIL.replace("-", ""), f"{{{NIL}}}"])
def test_the_nil_guid_is_never_sent_as_a_jobs_id(value: object) -> None:
    assert guid_to_text(value) == NIL
    for read in (read_job_id, JOB_ID.to_content):
        with pytest.raises(ValueError, match=r"^must not be the nil UUID \(all zeros\)$"):
            read(value)


def test_the_nil_guid_is_read_all_the_same() -> None:
    assert guid_from_text(NIL) == UUID(int=0)


@settings(deadline=None)
@given(st.uuids())
def test_a_guid_survives_the_round_trip(guid: UUID) -> None:
    assert guid_from_text(guid_to_text(guid)) == read_job_id(guid) == guid


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_guid_or_a_value_error(text: str) -> None:
    try:
        guid_from_text(text)
    except ValueError:
        return
    raise AssertionError(text)


# --- dateTimes

PLUS_14, MINUS_14 = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))

# The second column is isoformat(): the wall clock and the offset, and no equality across zones.
DATE_TIMES = [
    ("2026-03-14T09:26:53", "2026-03-14T09:26:53"),
    ("2026-03-14T09:26:53Z", "2026-03-14T09:26:53+00:00"),
    ("2026-03-14T09:26:53-07:00", "2026-03-14T09:26:53-07:00"),
    ("2026-03-14T09:26:53+05:45", "2026-03-14T09:26:53+05:45"),
    ("2026-03-14T09:26:53+14:00", "2026-03-14T09:26:53+14:00"),
    ("2026-03-14T09:26:53-14:00", "2026-03-14T09:26:53-14:00"),
    ("2026-03-14T09:26:53-00:00", "2026-03-14T09:26:53+00:00"),
    # fractions: cut off, never rounded
    ("2026-03-14T09:26:53.1", "2026-03-14T09:26:53.100000"),
    ("2026-03-14T09:26:53.1234567Z", "2026-03-14T09:26:53.123456+00:00"),
    ("2026-03-14T09:26:53.0000009", "2026-03-14T09:26:53"),
    ("2026-03-14T09:26:53.9999999-07:00", "2026-03-14T09:26:53.999999-07:00"),
    ("2026-03-14T09:26:53.123456789012", "2026-03-14T09:26:53.123456"),
    (f"2026-03-14T09:26:53.{'0' * 10_000}", "2026-03-14T09:26:53"),
    # both ends, which no conversion to another zone survives
    ("0001-01-01T00:00:00", "0001-01-01T00:00:00"),
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
    ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
    ("0001-01-01T00:00:00-07:53", "0001-01-01T00:00:00-07:53"),
    ("9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59.999999"),
    ("9999-12-31T23:59:59.9999999-14:00", "9999-12-31T23:59:59.999999-14:00"),
    # midnight at the end of a day
    ("2026-03-14T24:00:00", "2026-03-15T00:00:00"),
    ("2026-03-14T24:00:00.000Z", "2026-03-15T00:00:00+00:00"),
    ("2028-02-28T24:00:00+14:00", "2028-02-29T00:00:00+14:00"),
    ("2026-12-31T24:00:00-14:00", "2027-01-01T00:00:00-14:00"),
    ("9999-12-31T24:00:00", "9999-12-31T23:59:59.999999"),
    ("9999-12-31T24:00:00.0+14:00", "9999-12-31T23:59:59.999999+14:00"),
    # leap days and blanks
    ("2028-02-29T00:00:00", "2028-02-29T00:00:00"),
    (" \t\r\n2026-03-14T09:26:53\n", "2026-03-14T09:26:53"),
]

NO_FORM = "is not a dateTime of the years 1 to 9999"
NO_SUCH = "is not a dateTime: no such day or time"
NOT_DATE_TIMES = [
    # another form
    ("x", NO_FORM),
    ("2026-03-14", NO_FORM),
    ("2026-03-14 09:26:53", NO_FORM),
    ("2026-03-14t09:26:53", NO_FORM),
    ("2026-03-14T09:26", NO_FORM),
    ("2026-03-14T09:26:53.", NO_FORM),
    ("2026-03-14T09:26:53,5", NO_FORM),
    ("2026-03-14T09:26:53z", NO_FORM),
    ("2026-03-14T09:26:53 Z", NO_FORM),
    ("2026-03-14T09:26:53+0700", NO_FORM),
    ("2026-03-14T09:26:53+7:00", NO_FORM),
    ("2026-03-14T09:26:53+15:00", NO_FORM),
    ("2026-03-14T09:26:53+07:60", NO_FORM),
    ("2026-3-14T09:26:53", NO_FORM),
    ("26-03-14T09:26:53", NO_FORM),
    ("-2026-03-14T09:26:53", NO_FORM),
    ("12026-03-14T09:26:53", NO_FORM),
    ("2026-03-14T09:26:53\0", NO_FORM),
    ("2026-03-14T09:26:53\n2026-03-14T09:26:53", NO_FORM),
    ("\xa02026-03-14T09:26:53", NO_FORM),
    ("٢٠٢٦-03-14T09:26:53", NO_FORM),
    # no such moment
    ("0000-01-01T00:00:00", NO_SUCH),
    ("2026-00-14T09:26:53", NO_SUCH),
    ("2026-13-14T09:26:53", NO_SUCH),
    ("2026-02-29T09:26:53", NO_SUCH),
    ("2026-03-32T09:26:53", NO_SUCH),
    ("2026-03-14T25:00:00", NO_SUCH),
    ("2026-03-14T24:00:01", NO_SUCH),
    ("2026-03-14T24:01:00", NO_SUCH),
    ("2026-03-14T24:00:00.0000001", NO_SUCH),
    ("2026-03-14T09:60:53", NO_SUCH),
    ("2026-03-14T09:26:60", NO_SUCH),
    ("2026-03-14T09:26:53+14:01", NO_FORM),
    ("2026-03-14T09:26:53-14:59", NO_FORM),
]


@pytest.mark.parametrize(("text", "expected"), DATE_TIMES, ids=[t[:40] for t, _ in DATE_TIMES])
def test_a_date_time_keeps_its_wall_clock(text: str, expected: str) -> None:
    moment = date_time_from_text(text)
    assert moment is not None
    assert moment.isoformat() == expected


@pytest.mark.parametrize("text", ["", " ", "\t\r\n "])
def test_no_text_is_no_date_time(text: str) -> None:
    assert date_time_from_text(text) is None


@pytest.mark.parametrize(("text", "complaint"), NOT_DATE_TIMES)
def test_what_no_date_time_is_raises(text: str, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        date_time_from_text(text)
    assert str(caught.value) == complaint


OFFSETS = st.one_of(
    st.none(),
    st.sampled_from([UTC, PLUS_14, MINUS_14]),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@settings(deadline=None)
@given(moment=st.datetimes(), zone=OFFSETS)
def test_isoformat_survives_the_round_trip(moment: datetime, zone: timezone | None) -> None:
    written = moment.replace(tzinfo=zone).isoformat()
    read = date_time_from_text(written)
    assert read is not None
    assert read.isoformat() == written


def oracle(day: date, clock: str, fraction: str, zone: str) -> str | None:
    """What `datetime.fromisoformat` makes of it; None where it refuses."""
    midnight = clock == "24:00:00" and not fraction.strip(".0")
    if midnight and day == date.max:
        clock, fraction = "23:59:59", ".999999"
    elif midnight:
        day, clock = day + timedelta(days=1), "00:00:00"
    elif clock.startswith("24"):
        return None
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{fraction[:7]}{zone}")
    except ValueError:
        return None
    offset = moment.utcoffset() or timedelta()
    return moment.isoformat() if abs(offset) <= timedelta(hours=14) else None


@settings(deadline=None)
@given(
    day=st.dates() | st.sampled_from([date.min, date.max]),
    clock=st.from_regex(r"(2[34]|[01][0-9]):[0-5][0-9]:([0-5][0-9]|60)", fullmatch=True)
    | st.just("24:00:00"),
    fraction=st.from_regex(r"|\.[0-9]{1,12}|\.0{1,12}1?", fullmatch=True),
    zone=st.from_regex(r"|Z|[+-]14:00|[+-](0[0-9]|1[0-4]):[0-5][0-9]", fullmatch=True),
)
def test_the_standard_library_agrees(day: date, clock: str, fraction: str, zone: str) -> None:
    try:
        read = date_time_from_text(f"{day}T{clock}{fraction}{zone}")
    except ValueError:
        assert oracle(day, clock, fraction, zone) is None
    else:
        assert read is not None
        assert read.isoformat() == oracle(day, clock, fraction, zone)


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.text(alphabet="0123456789-+:.TZ \n", max_size=40),
        st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}.*"),
    )
)
def test_any_text_is_a_date_time_or_a_value_error(text: str) -> None:
    try:
        moment = date_time_from_text(text)
    except ValueError:
        return
    if moment is None:
        assert not text.strip()
    elif "T24" not in text:
        assert moment.replace(tzinfo=None).isoformat()[:19] == text.strip()[:19]


# --- numbers and moments, both ways


@given(st.integers(-(2**31), 2**31 - 1))
def test_a_whole_number_comes_back(number: int) -> None:
    assert integer_from_text(int_to_text(number)) == number


@given(st.datetimes(timezones=st.none() | st.sampled_from([UTC, timezone(timedelta(hours=-9.5))])))
def test_a_moment_comes_back(moment: datetime) -> None:
    back = date_time_from_text(date_time_to_text(moment))
    assert back is not None
    assert (back, back.utcoffset()) == (moment, moment.utcoffset())


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, max_value=10**20))
def test_a_decimal_is_read_exactly(number: Decimal) -> None:
    assert decimal_from_text(f"{number:f}") == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_read_exactly(number: float) -> None:
    assert double_from_text(repr(number)) == number


@pytest.mark.parametrize(
    ("reader", "texts"),
    [
        (integer_from_text, ["x", "+", "-", "1.0", "1e3", "٣", "1 2", "1_0", "9" * 101, "0x1"]),
        (decimal_from_text, ["x", "-", "1e3", "INF", "NaN", ".", "1_0.0", "9" * 101]),
        (double_from_text, ["x", "inf", "nan", "infinity", "-", "1e", "1_0.0", "+INF", "9" * 401]),
        (boolean_from_text, ["x", "True", "yes", "2"]),
        (date_from_text, ["x", "2026-02-30", "2026-3-1", "20260301", "2026-03-01T00:00:00"]),
    ],
)
def test_what_is_no_such_value(reader: Callable[[str], object], texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ValueError, match=r"^is not a"):
            reader(text)
    assert reader(" \t\r\n") is None


# --- every simple type

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
        lambda letter: letter >= " "
    )
)
BOUNDS: dict[str, tuple[int | None, int | None]] = {
    "byte": (-128, 127),
    "short": (-32768, 32767),
    "int": (-2147483648, 2147483647),
    "long": (-9223372036854775808, 9223372036854775807),
    "unsignedByte": (0, 255),
    "unsignedShort": (0, 65535),
    "unsignedInt": (0, 4294967295),
    "unsignedLong": (0, 18446744073709551615),
    "integer": (None, None),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
}
FAR = 10**99


def whole_numbers(low: int | None, high: int | None) -> st.SearchStrategy[int]:
    return st.integers(-FAR if low is None else low, FAR if high is None else high)


def zoned(moment: datetime, zone: timezone | None) -> datetime:
    return moment.replace(tzinfo=zone)


VALUES: dict[str, st.SearchStrategy[object]] = {
    **{name: whole_numbers(*bounds) for name, bounds in BOUNDS.items()},
    "boolean": st.booleans(),
    "decimal": st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-FAR, max_value=FAR
    ).filter(lambda number: int(number.as_tuple().exponent) >= -100 and abs(number.adjusted()) < 99)
    | st.integers(-FAR, FAR),
    "double": st.floats(allow_nan=False) | st.integers(-(2**53), 2**53),
    "float": st.floats(allow_nan=False, width=32),
    "dateTime": st.builds(zoned, st.datetimes(), OFFSETS),
    "date": st.dates(),
    "base64Binary": st.binary(min_size=1),
    "hexBinary": st.binary(min_size=1),
    "guid": st.uuids(),
}
TYPES = {**SIMPLE_TYPES, "guid": GUID_TYPE}


@settings(deadline=None, max_examples=2000)
@given(st.data())
def test_a_value_of_any_type_comes_back(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(TYPES)))
    value = data.draw(VALUES.get(name, TEXTS))
    text = TYPES[name].to_content(value)
    back = TYPES[name].from_text(text)
    assert back == value
    assert TYPES[name].to_content(back) == text or name in {"double", "float", "decimal"}
    if isinstance(value, datetime):
        assert back.utcoffset() == value.utcoffset()


def test_what_is_no_number_comes_back() -> None:
    for name in ("double", "float"):
        assert SIMPLE_TYPES[name].to_content(float("nan")) == "NaN"
        assert math.isnan(SIMPLE_TYPES[name].from_text("NaN"))
        for sign, text in ((1, "INF"), (-1, "-INF")):
            assert SIMPLE_TYPES[name].to_content(sign * math.inf) == text
            assert SIMPLE_TYPES[name].from_text(text) == sign * math.inf


@pytest.mark.parametrize("name", BOUNDS)
def test_the_bounds_of_a_whole_number(name: str) -> None:
    low, high = BOUNDS[name]
    kind = SIMPLE_TYPES[name]
    shown = f"^must be from {'-inf' if low is None else low} to {'inf' if high is None else high}$"
    for bound, outside in ((low, -1), (high, 1)):
        if bound is None:
            assert kind.from_text(kind.to_content(outside * FAR)) == outside * FAR
        else:
            assert kind.to_content(bound) == str(bound)
            with pytest.raises(ValueError, match=shown):
                kind.to_content(bound + outside)


def test_numbers_whose_class_writes_itself_otherwise() -> None:
    class Level(int, Enum):
        HIGH = 7

        def __repr__(self) -> str:
            return "high"

        __str__ = __repr__

    class Ratio(float):
        def __repr__(self) -> str:
            return "a ratio"

    assert int_to_text(Level.HIGH) == "7"
    assert SIMPLE_TYPES["double"].to_content(Level.HIGH) == "7"
    assert SIMPLE_TYPES["double"].to_content(Ratio(1.5)) == "1.5"


def test_binary_texts_as_other_stacks_write_them() -> None:
    assert SIMPLE_TYPES["hexBinary"].to_content(b"\x0a\xff") == "0AFF"
    assert SIMPLE_TYPES["hexBinary"].from_text(" 0aFf\n") == b"\x0a\xff"
    assert SIMPLE_TYPES["base64Binary"].from_text(" AA\r\nH/ ") == b"\x00\x01\xff"


SECRET = "a-text-to-hide"
ANYTHING: list[object] = [
    None,
    True,
    7,
    1.5,
    Decimal("1.5"),
    Decimal("NaN"),
    Decimal("1E+999999999999"),
    Decimal("1E-999999999999"),
    SECRET,
    f"{SECRET}\0",
    SECRET.encode(),
    [SECRET],
    {SECRET: SECRET},
    date(2026, 3, 1),
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=15))),
    UUID(GUID),
    object(),
]
# The classes of what each type takes; texts take text alone
TAKEN: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(BOUNDS, (int,)),
    "boolean": (bool,),
    "decimal": (int, Decimal),
    "double": (int, float),
    "float": (int, float),
    "dateTime": (date,),
    "date": (date,),
    "base64Binary": (bytes,),
    "hexBinary": (bytes,),
    "guid": (UUID, str),
}


def outcome(convert: Callable[[Any], object], given: object) -> object:
    """What comes of a value, or the error that says why nothing does."""
    try:
        return convert(given)
    except ValueError as problem:
        return problem


@pytest.mark.parametrize("name", TYPES)
def test_what_is_of_another_type_is_refused_and_not_shown(name: str) -> None:
    refused = 0
    for value in ANYTHING:
        text = outcome(TYPES[name].to_content, value)
        if isinstance(text, ValueError):
            refused += 1
            assert SECRET not in str(text)
        else:
            assert isinstance(value, TAKEN.get(name, (str,)))
            assert isinstance(value, bool) <= (name == "boolean")
    assert refused >= len(ANYTHING) - 4


@settings(deadline=None, max_examples=1000)
@given(name=st.sampled_from(sorted(TYPES)), text=st.text())
def test_any_text_is_read_or_refused_and_not_shown(name: str, text: str) -> None:
    value = outcome(TYPES[name].from_text, text)
    if isinstance(value, ValueError):
        assert re.fullmatch(r"is not [A-Za-z0-9: ]{1,50}", str(value))
    else:
        # No bytes are bytes too.
        can_be_none = name in VALUES.keys() - {"base64Binary", "hexBinary"}
        assert (value is None) == (can_be_none and not text.strip(" \t\r\n"))


COLOUR = one_of("Colour", SIMPLE_TYPES["string"], frozenset({"Red", "Dark Green"}))
DAYS = blank_separated("Days", one_of("Day", SIMPLE_TYPES["string"], frozenset({"Mon", "Tue"})))


def test_an_enumeration() -> None:
    assert COLOUR.name == "Colour"
    assert COLOUR.to_content("Dark Green") == "Dark Green"
    assert COLOUR.from_text("Blue") == "Blue"
    for value in ("red", "", " Red", SECRET):
        with pytest.raises(ValueError, match=r"^must be one of Dark Green, Red$"):
            COLOUR.to_content(value)
    with pytest.raises(ValueError, match=r"^must be text, not NoneType$"):
        COLOUR.to_content(None)


@given(st.lists(st.sampled_from(["Mon", "Tue"])), st.sampled_from([" ", "\t", " \r\n "]))
def test_a_list_of_flags(days: list[str], blank: str) -> None:
    assert DAYS.to_content(blank.join(days)) == " ".join(days)
    assert DAYS.from_text(" ".join(days)) == " ".join(days)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Mon Wed", "must be one of Mon, Tue"),
        ("Mon,Tue", "must be one of Mon, Tue"),
        (["Mon"], "must be text, not list"),
    ],
)
def test_what_is_no_list_of_flags(value: object, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        DAYS.to_content(value)


# XML 1.0 production [4] NameStartChar, without the colon, and what [4a] NameChar adds
STARTS = [
    ("A", "Z"),
    ("_", "_"),
    ("a", "z"),
    ("\xc0", "\xd6"),
    ("\xd8", "\xf6"),
    ("\xf8", "\u02ff"),
    ("\u0370", "\u037d"),
    ("\u037f", "\u1fff"),
    ("\u200c", "\u200d"),
    ("\u2070", "\u218f"),
    ("\u2c00", "\u2fef"),
    ("\u3001", "\ud7ff"),
    ("\uf900", "\ufdcf"),
    ("\ufdf0", "\ufffd"),
    ("\U00010000", "\U000effff"),
]
REST = [("-", "."), ("0", "9"), ("\xb7", "\xb7"), ("\u0300", "\u036f"), ("\u203f", "\u2040")]


def test_a_name_is_of_the_letters_that_xml_allows() -> None:
    edges = {
        chr(ord(edge) + step) for pair in STARTS + REST for edge in pair for step in (-1, 0, 1)
    }
    for letter in sorted(edges):
        can_start = any(low <= letter <= high for low, high in STARTS)
        can_follow = can_start or any(low <= letter <= high for low, high in REST)
        assert is_name(letter) == can_start, ascii(letter)
        assert is_name("a" + letter) == can_follow, ascii(letter)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 8), (0xB, 0xC), (0xE, 0x1F), (0xD800, 0xDFFF), (0xFFFE, 0xFFFF)]
)
def test_a_string_may_hold_all_but_what_xml_cannot_carry(low: int, high: int) -> None:
    for code in (low, high):
        with pytest.raises(ValueError, match=f"^holds U\\+{code:04X} at position 0"):
            string_to_text(chr(code))
    for code in {low - 1, high + 1} & set(range(1, 0x110000)):
        assert string_to_text(chr(code)) == chr(code)


def test_an_item_is_called_int_while_it_is_one() -> None:
    edge = 2**31
    numbers = [-edge - 1, -edge, edge - 1, edge]
    names = ["long", "int", "int", "long"]
    assert content_of(numbers) == list(zip(names, map(str, numbers), strict=True))


def test_what_is_no_binary_text() -> None:
    for text in ("A", "AAA", "AA!H/"):
        with pytest.raises(ValueError, match=r"^is not base64$"):
            SIMPLE_TYPES["base64Binary"].from_text(text)
    for text in ("0", "0g"):
        with pytest.raises(ValueError, match=r"^is not hexadecimal$"):
            SIMPLE_TYPES["hexBinary"].from_text(text)


@pytest.mark.parametrize(
    "name",
    [
        *("string", "normalizedString", "token", "language", "anyURI", "QName"),
        *("Name", "NCName", "NMTOKEN", "ID", "IDREF", "ENTITY"),
        *("duration", "time", "gYear", "gYearMonth", "gMonth", "gMonthDay", "gDay"),
    ],
)
def test_what_python_has_no_type_for_is_text(name: str) -> None:
    kind = SIMPLE_TYPES[name]
    assert (kind.name, kind.to_content("P1D"), kind.from_text("P1D")) == (name, "P1D", "P1D")
