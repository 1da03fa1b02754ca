"""An ADO.NET DataSet is read by its own schema: the captured ones, and what else .NET writes."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

import pytest
from lxml import etree

from dasp_async.dataset import Row, read_tables
from tests import samples

XS: Final = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
DIFFGRAM: Final = 'xmlns:diffgr="urn:schemas-microsoft-com:xml-diffgram-v1"'
MSDATA: Final = 'xmlns:msdata="urn:schemas-microsoft-com:xml-msdata"'
CALIFORNIA: Final = timezone(-timedelta(hours=7))


def as_it_is(text: str) -> str:
    return text


def schema(columns: str, *, table: str = "T", data_set: str = "NewDataSet") -> str:
    return (
        f'<xs:schema id="{data_set}" {XS} {MSDATA}><xs:element name="{data_set}" '
        'msdata:IsDataSet="true"><xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded">'
        f'<xs:element name="{table}"><xs:complexType><xs:sequence>{columns}</xs:sequence>'
        "</xs:complexType></xs:element></xs:choice></xs:complexType></xs:element></xs:schema>"
    )


def diffgram(content: str) -> str:
    return f"<diffgr:diffgram {DIFFGRAM} {MSDATA}>{content}</diffgr:diffgram>"


def tables(*parts: str) -> dict[str, list[Row]]:
    return read_tables(etree.fromstring(f"<Result>{''.join(parts)}</Result>"), as_it_is)


@pytest.mark.parametrize("group", ["soap11", "soap12"])
def test_the_captured_rows(group: str) -> None:
    envelope = etree.fromstring(samples.load(f"{group}/dataset").body)
    assert read_tables(envelope[0][0][0], as_it_is) == {
        "Day": [
            {
                "Date": datetime(2026, 3, 14, tzinfo=CALIFORNIA),
                "BytesSent": 1_000_000_007,
                "Gigabytes": Decimal("0.00"),
                "Note": None,
            },
            {
                "Date": datetime(2026, 3, 15, tzinfo=CALIFORNIA),
                "BytesSent": 2_000_000_014,
                "Gigabytes": Decimal("0.25"),
                "Note": "café <&>",
            },
        ]
    }


@pytest.mark.parametrize("group", ["soap11", "soap12"])
def test_a_captured_empty_data_set(group: str) -> None:
    envelope = etree.fromstring(samples.load(f"{group}/dataset-no-rows").body)
    assert read_tables(envelope[0][0][0], as_it_is) == {"Day": []}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("xs:string", " a ", " a "),
        ("xs:string", "", ""),
        ("xs:dateTime", "2026-03-14T09:26:53", datetime(2026, 3, 14, 9, 26, 53)),  # noqa: DTZ001 - no offset
        ("xs:date", "2026-03-14", date(2026, 3, 14)),
        ("xs:date", "2026-03-14-07:00", date(2026, 3, 14)),
        ("xs:int", "-12", -12),
        ("xs:unsignedLong", "18446744073709551615", 2**64 - 1),
        ("xs:short", " 7 ", 7),
        ("xs:decimal", "0.10", Decimal("0.10")),
        ("xs:decimal", "-.5", Decimal("-0.5")),
        ("xs:double", "1.5E-3", 0.0015),
        ("xs:float", "-INF", float("-inf")),
        ("xs:boolean", "true", True),
        ("xs:boolean", "0", False),
        ("xs:duration", "P1D", "P1D"),
        ("xs:base64Binary", "AAE=", b"\x00\x01"),
        ("xs:hexBinary", "00fF", b"\x00\xff"),
        ("other:int", "12", "12"),
        ("int", "12", "12"),
        *(
            (kind, "", None)
            for kind in ("xs:int", "xs:decimal", "xs:double", "xs:boolean", "xs:date")
        ),
    ],
)
def test_the_type_stands_in_the_schema(kind: str, text: str, value: object) -> None:
    found = tables(
        schema(f'<xs:element name="C" type="{kind}" minOccurs="0"/>'),
        diffgram(f"<NewDataSet><T><C>{text}</C></T></NewDataSet>"),
    )
    (row,) = found["T"]
    assert row == {"C": value}
    assert type(row["C"]) is type(value)


def test_a_type_may_be_restricted_or_missing() -> None:
    restricted = (
        '<xs:element name="A"><xs:simpleType><xs:restriction base="xs:int"/></xs:simpleType>'
        '</xs:element><xs:element name="B"/>'
    )
    content = "<NewDataSet><T><A>1</A><B>2</B></T></NewDataSet>"
    assert tables(schema(restricted), diffgram(content)) == {"T": [{"A": 1, "B": "2"}]}


def test_rows_are_found_whatever_the_data_sets_name_and_namespace() -> None:
    columns = '<xs:element name="C" type="xs:int"/>'
    content = '<Other xmlns="urn:x"><T><C>1</C><Unknown>x</Unknown></T><U><C>2</C></U></Other>'
    assert tables(schema(columns, data_set="Another"), diffgram(content)) == {"T": [{"C": 1}]}


def test_what_was_before_a_change_is_no_row() -> None:
    content = (
        "<NewDataSet><T><C>2</C></T></NewDataSet>"
        "<diffgr:before><T><C>1</C></T></diffgr:before>"
        "<diffgr:errors><T><C>3</C></T></diffgr:errors>"
    )
    columns = '<xs:element name="C" type="xs:int"/>'
    assert tables(schema(columns), diffgram(content)) == {"T": [{"C": 2}]}


@pytest.mark.parametrize(
    ("encoded", "name"),
    [
        ("Bytes_x0020_Sent", "Bytes Sent"),
        ("_x0031_st", "1st"),
        ("_x005F_x0020_", "_x0020_"),
        ("_x0001F680_", "🚀"),
        ("_x00110000_", "_x00110000_"),
        ("a_x20_b", "a_x20_b"),
    ],
)
def test_names_are_decoded(encoded: str, name: str) -> None:
    found = tables(
        schema(f'<xs:element name="{encoded}" type="xs:int"/>', table=encoded),
        diffgram(f"<NewDataSet><{encoded}><{encoded}>1</{encoded}></{encoded}></NewDataSet>"),
    )
    assert found == {name: [{name: 1}]}


def test_nil_is_none() -> None:
    nil = '<C xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    columns = '<xs:element name="C" type="xs:string"/>'
    content = diffgram(f"<NewDataSet><T>{nil}</T></NewDataSet>")
    assert tables(schema(columns), content) == {"T": [{"C": None}]}


def test_a_schema_that_marks_no_data_set_has_it_first() -> None:
    unmarked = schema('<xs:element name="C" type="xs:int"/>').replace('msdata:IsDataSet="true"', "")
    content = diffgram("<NewDataSet><T><C>1</C></T></NewDataSet>")
    assert tables(unmarked, content) == {"T": [{"C": 1}]}


def test_texts_are_masked() -> None:
    content = f"""<Result>{schema('<xs:element name="C"/>')}
    {diffgram("<NewDataSet><T><C>secret</C></T></NewDataSet>")}</Result>"""
    assert read_tables(etree.fromstring(content), lambda _: "***") == {"T": [{"C": "***"}]}


NO_DATA_SET: Final = "it does not hold one schema and one diffgram, as a DataSet does"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([], NO_DATA_SET),
        ([schema("")], NO_DATA_SET),
        ([diffgram("")], NO_DATA_SET),
        ([schema(""), schema(""), diffgram("")], NO_DATA_SET),
        (
            [
                schema('<xs:element name="C" type="xs:date"/>'),
                diffgram("<NewDataSet><T><C>2026-02-30</C></T></NewDataSet>"),
            ],
            "its column C is not a date: no such day",
        ),
        (
            [
                schema('<xs:element name="C" type="xs:int"/>'),
                diffgram("<NewDataSet><T><C><D/></C></T></NewDataSet>"),
            ],
            "its column C holds elements, not text",
        ),
    ],
)
def test_what_is_no_data_set(parts: list[str], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        tables(*parts)


def test_nulls_are_bounded_too() -> None:
    columns = "".join(f'<xs:element name="C{number}" type="xs:int"/>' for number in range(1000))
    for rows, is_read in ((500, True), (501, False)):
        parts = schema(columns), diffgram(f"<NewDataSet>{'<T/>' * rows}</NewDataSet>")
        if is_read:
            assert len(tables(*parts)["T"]) == rows
        else:
            with pytest.raises(ValueError, match="it has more than 500000 cells, null or not"):
                tables(*parts)
