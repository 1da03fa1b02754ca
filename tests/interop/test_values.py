"""Values of every kind, sent to the live runtime and read back as they were."""

from __future__ import annotations

import base64
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dasp_async import NIL, CustomerApi, ServiceDescription, SoapFault, SoapVersion, to_python
from tests.interop.mono import MonoService

VERSIONS = pytest.mark.parametrize("version", ["1.1", "1.2"])
# The event loop's fixture is the same for all examples, and the service keeps nothing of them.
FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

NOON = datetime(2026, 3, 14, 12)  # noqa: DTZ001 - of no known zone, as the service's own may be
EAST = timezone(timedelta(hours=5, minutes=30))
A_GUID = UUID("01234567-89ab-cdef-0123-456789abcdef")
THING: dict[str, Any] = {
    "Name": " a <b> & c ",
    "Count": -1,
    "Price": Decimal("1.50"),
    "When": NOON,
    "Tags": ["x", "", "y"],
    "Inner": None,
}


def client(mono: MonoService, version: str = "1.1") -> CustomerApi:
    return CustomerApi(
        "test-key", endpoint=mono.echo_url, version=SoapVersion(version), budget=None
    )


@pytest.fixture(scope="session")
def description(mono: MonoService) -> ServiceDescription:
    """The WSDL, fetched once."""

    async def fetched() -> ServiceDescription:
        async with client(mono) as api:
            return await api.describe()

    return anyio.run(fetched)


async def echoed(
    api: CustomerApi, operation: str, value: object, description: ServiceDescription
) -> Any:
    """What comes back, written and read by the service's description."""
    answer = await api.call(operation, {"value": value}, description=description)
    members = to_python(answer, description.operations[operation])
    assert isinstance(members, dict)
    return members[f"{operation}Result"]


async def undescribed(api: CustomerApi, operation: str, value: object) -> Any:
    """What comes back, written and read as the value and the answer show by themselves."""
    members = to_python(await api.call(operation, {"value": value}))
    assert isinstance(members, dict)
    return members[f"{operation}Result"]


# A value, and what shows of it in an answer that no description explains
VALUES: list[tuple[str, Any, Any]] = [
    ("EchoString", 'caf\u00e9 <&> "\'" ]]> \U0001f680', 'caf\u00e9 <&> "\'" ]]> \U0001f680'),
    ("EchoString", "  both ends \t\n ", "  both ends \t\n "),
    ("EchoString", " ", " "),
    ("EchoString", "\n\t", "\n\t"),
    ("EchoString", "", ""),
    ("EchoString", "e\u0301 \u2028 \u0085 \ufeff \u00a0", "e\u0301 \u2028 \u0085 \ufeff \u00a0"),
    ("EchoString", "x" * 1_000_000, "x" * 1_000_000),
    ("EchoInt", 0, "0"),
    ("EchoInt", -(2**31), "-2147483648"),
    ("EchoInt", 2**31 - 1, "2147483647"),
    ("EchoLong", -(2**63), "-9223372036854775808"),
    ("EchoLong", 2**63 - 1, "9223372036854775807"),
    ("EchoDecimal", Decimal("-0.10"), "-0.10"),
    ("EchoDecimal", Decimal(2**96 - 1), "79228162514264337593543950335"),
    ("EchoDecimal", Decimal("1E-28"), "0.0000000000000000000000000001"),
    ("EchoDouble", 1.5, "1.5"),
    ("EchoDouble", float("inf"), "INF"),
    ("EchoDouble", float("-inf"), "-INF"),
    ("EchoBoolean", True, "true"),
    ("EchoBoolean", False, "false"),
    ("EchoDateTime", NOON, "2026-03-14T12:00:00"),
    ("EchoDateTime", NOON.replace(microsecond=1), "2026-03-14T12:00:00.000001"),
    ("EchoDateTime", datetime.min, "0001-01-01T00:00:00"),  # noqa: DTZ901 - .NET's own
    ("EchoDateTime", datetime.max, "9999-12-31T23:59:59.999999"),  # noqa: DTZ901 - .NET's own
    # The same instant, which the service tells in its own zone
    ("EchoDateTime", NOON.replace(microsecond=500_000, tzinfo=UTC), "2026-03-14T05:00:00.5-07:00"),
    ("EchoDateTime", NOON.replace(tzinfo=EAST), "2026-03-13T23:30:00-07:00"),
    ("EchoDateTime", NOON.replace(month=1, tzinfo=EAST), "2026-01-13T22:30:00-08:00"),
    ("EchoGuid", A_GUID, str(A_GUID)),
    ("EchoGuid", UUID(int=0), str(UUID(int=0))),
    ("EchoBytes", bytes(range(256)), base64.b64encode(bytes(range(256))).decode()),
    ("EchoColour", "DarkBlue", "DarkBlue"),
    ("EchoNullable", 7, "7"),
    ("EchoNullable", NIL, None),
    ("EchoStrings", ["a", "", " b ", "c"], ["a", "", " b ", "c"]),
    ("EchoStrings", ["one"], ["one"]),
    ("EchoStrings", [], ""),
    ("EchoInts", [1, -2, 3], ["1", "-2", "3"]),
    ("EchoInts", [1], ["1"]),
]


@VERSIONS
@pytest.mark.parametrize(("operation", "value", "shown"), VALUES)
async def test_a_value_comes_back(
    mono: MonoService,
    description: ServiceDescription,
    *,
    version: str,
    operation: str,
    value: Any,
    shown: Any,
) -> None:
    async with client(mono, version) as api:
        assert await echoed(api, operation, value, description) == (None if value is NIL else value)
        assert await undescribed(api, operation, value) == shown


@VERSIONS
async def test_what_is_no_number_comes_back(
    mono: MonoService, description: ServiceDescription, version: str
) -> None:
    async with client(mono, version) as api:
        assert math.isnan(await echoed(api, "EchoDouble", math.nan, description))
        assert await undescribed(api, "EchoDouble", math.nan) == "NaN"


@VERSIONS
@pytest.mark.parametrize("operation", ["EchoString", "EchoBytes", "EchoStrings", "EchoThings"])
async def test_a_null_comes_back_as_nothing(
    mono: MonoService, description: ServiceDescription, version: str, operation: str
) -> None:
    async with client(mono, version) as api:
        assert await echoed(api, operation, None, description) is None
        assert to_python(await api.call(operation, {"value": None})) == ""


@VERSIONS
async def test_a_null_among_strings_comes_back(
    mono: MonoService, description: ServiceDescription, version: str
) -> None:
    async with client(mono, version) as api:
        assert await echoed(api, "EchoStrings", ["a", NIL, ""], description) == ["a", None, ""]
        # Without a description its element has to be named.
        sent = ["a", {"string": NIL}, ""]
        assert await undescribed(api, "EchoStrings", sent) == ["a", None, ""]


@VERSIONS
async def test_no_strings_are_not_null(
    mono: MonoService, description: ServiceDescription, version: str
) -> None:
    async with client(mono, version) as api:
        assert await echoed(api, "EchoStrings", [], description) == []


@VERSIONS
async def test_no_bytes_are_not_null(
    mono: MonoService, description: ServiceDescription, version: str
) -> None:
    async with client(mono, version) as api:
        assert await echoed(api, "EchoBytes", b"", description) == b""


@VERSIONS
async def test_records_come_back(
    mono: MonoService, description: ServiceDescription, version: str
) -> None:
    inner: dict[str, Any] = {**THING, "Name": None, "Price": NIL, "Tags": []}
    async with client(mono, version) as api:
        back = await echoed(api, "EchoThings", [THING, {**THING, "Inner": inner}, NIL], description)
    assert back == [THING, {**THING, "Inner": {**inner, "Price": None}}, None]


@VERSIONS
async def test_a_data_set_is_read(
    mono: MonoService, description: ServiceDescription, version: str
) -> None:
    values = {
        "text": " a <b> ",
        "number": -5,
        "amount": Decimal("1.50"),
        "moment": NOON,
        "flag": True,
        "guid": A_GUID,
        "bytes": b"\x00\xff",
    }
    columns = ("Text", "Number", "Amount", "Moment", "Is it?", "Guid", "Bytes")
    # In a DataSet's schema a Guid is a string.
    given = dict(zip(columns, {**values, "guid": str(A_GUID)}.values(), strict=True))
    nulls = dict.fromkeys(columns)
    async with client(mono, version) as api:
        answer = await api.call("EchoRow", values, description=description)
    expected = {"Kinds of Value": [given, {**nulls, "Text": "after"}, nulls], "Empty": []}
    assert to_python(answer, description.operations["EchoRow"]) == {"EchoRowResult": expected}
    assert to_python(answer) == {"EchoRowResult": expected}


# XML 1.0 section 2.2, production [2] Char
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))
BLANKS = st.text(" \t\n\r\x85\xa0\u2028ax<&\U0001f680")


def units(text: str) -> str:
    """A text's UTF-16 units in hexadecimal."""
    encoded = text.encode("utf-16-be")
    return " ".join(encoded[at : at + 2].hex() for at in range(0, len(encoded), 2))


@FEW
@given(text=TEXTS | BLANKS, version=st.sampled_from(["1.1", "1.2"]))
async def test_any_text_arrives(mono: MonoService, text: str, version: str) -> None:
    async with client(mono, version) as api:
        answer = to_python(await api.call("CodeUnits", {"value": text}))
    assert answer == {"CodeUnitsResult": units(text)}


@FEW
@given(texts=st.lists(TEXTS | BLANKS), version=st.sampled_from(["1.1", "1.2"]))
async def test_any_texts_come_back(
    mono: MonoService, description: ServiceDescription, texts: list[str], version: str
) -> None:
    # ASMX writes a CR as it is, which is a LF to any parser (XML 1.0 section 2.11).
    expected = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]
    async with client(mono, version) as api:
        assert await echoed(api, "EchoStrings", texts, description) == expected


@FEW
@given(st.integers(-(2**96) + 1, 2**96 - 1), st.integers(0, 28))
async def test_any_decimal_comes_back(
    mono: MonoService, description: ServiceDescription, digits: int, places: int
) -> None:
    # Not `scaleb`, which would round.
    value = Decimal(f"{digits}E-{places}")
    async with client(mono) as api:
        back = await echoed(api, "EchoDecimal", value, description)
    # .NET keeps the zeros at the end too.
    assert (back, back.as_tuple().exponent) == (value, -places)


@FEW
@given(st.datetimes())
async def test_any_date_of_no_zone_comes_back(
    mono: MonoService, description: ServiceDescription, moment: datetime
) -> None:
    async with client(mono) as api:
        assert await echoed(api, "EchoDateTime", moment, description) == moment


# Not within a day of what .NET's dates begin and end with, in any zone
INSTANTS = st.datetimes(
    datetime(1, 1, 3),  # noqa: DTZ001 - hypothesis wants it so
    datetime(9999, 12, 29),  # noqa: DTZ001 - hypothesis wants it so
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda at: timezone(timedelta(minutes=at))),
)


@FEW
@given(INSTANTS)
async def test_any_instant_comes_back(
    mono: MonoService, description: ServiceDescription, moment: datetime
) -> None:
    async with client(mono) as api:
        back = await echoed(api, "EchoDateTime", moment, description)
    # What the server's zone was before it had standard time has seconds, which no offset can tell.
    apart = abs(back - moment)
    assert apart < timedelta(minutes=1) if moment.year < 1900 else not apart


# Mono does not write all 17 digits of each; 15 every runtime keeps.
DOUBLES = st.floats(-1e300, 1e300, allow_subnormal=False).map(
    lambda number: float(f"{number:.15g}")
)


@FEW
@given(st.integers(-(2**63), 2**63 - 1), DOUBLES, st.binary(min_size=1))
async def test_any_number_and_bytes_come_back(
    mono: MonoService, description: ServiceDescription, whole: int, number: float, data: bytes
) -> None:
    async with client(mono) as api:
        assert await echoed(api, "EchoLong", whole, description) == whole
        assert await echoed(api, "EchoDouble", number, description) == number
        assert await echoed(api, "EchoBytes", data, description) == data


@pytest.mark.parametrize(
    ("operation", "value"),
    [
        ("EchoInt", 2**31),
        ("EchoLong", -(2**63) - 1),
        ("EchoBoolean", "yes"),
        ("EchoDateTime", "14 March"),
        ("EchoGuid", "no-guid"),
        ("EchoDecimal", "1,5"),
        ("EchoColour", "Blue"),
    ],
)
async def test_what_the_service_can_not_read_is_sent_by_no_description(
    mono: MonoService, description: ServiceDescription, operation: str, value: object
) -> None:
    async with client(mono) as api:
        with pytest.raises(SoapFault, match="There is an error in XML document") as caught:
            await api.call(operation, {"value": value})
        with pytest.raises(ValueError, match=f"^{operation}: value|^value"):
            await echoed(api, operation, value, description)
    assert caught.value.code.endswith("}Client")


@VERSIONS
async def test_a_decimal_of_more_digits_than_net_has(
    mono: MonoService, description: ServiceDescription, version: str
) -> None:
    # XSD has no bounds, and so a description can't tell.
    async with client(mono, version) as api:
        with pytest.raises(SoapFault, match="too large or too small for a Decimal"):
            await echoed(api, "EchoDecimal", Decimal(2**96), description)
        assert await echoed(api, "EchoDecimal", Decimal("1.5E-28"), description) == Decimal("2E-28")
