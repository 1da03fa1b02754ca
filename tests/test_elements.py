"""A response in plain Python, by the types that its operation is described with."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import pytest
from lxml import etree

from dasp_async import OperationDescription, to_python
from dasp_async.soap import XSI
from dasp_async.xsd import (
    DATA_SET,
    DATE_TIME,
    GUID,
    INT,
    SIMPLE_TYPES,
    STRING,
    ArrayType,
    Element,
    OpaqueType,
    RecordType,
    XsdType,
)
from tests import samples

NIL: Final = f'xmlns:i="{XSI}" i:nil="true"'
STRINGS: Final = ArrayType.of(Element("string", STRING, nillable=True))
FILE: Final = RecordType(
    "File", (Element("Name", STRING), Element("Size", INT), Element("Tags", STRINGS))
)


def read(content: str, *results: Element) -> object:
    """What becomes of a response with this content and these results."""
    described = OperationDescription(
        name="X",
        documentation="",
        parameters=(),
        results=results,
        soap_action="",
        versions=frozenset(),
    )
    return to_python(etree.fromstring(f'<XResponse xmlns="urn:x">{content}</XResponse>'), described)


# A type, what stands in the response, and what is read of it
VALUES: Final[list[tuple[XsdType, str, object]]] = [
    (STRING, "<R>7</R>", "7"),
    (STRING, "<R/>", ""),
    (STRING, "", None),
    (STRING, f"<R {NIL}/>", None),
    (INT, "<R>7</R>", 7),
    (SIMPLE_TYPES["boolean"], "<R>false</R>", False),
    (SIMPLE_TYPES["decimal"], "<R>1.50</R>", Decimal("1.50")),
    (SIMPLE_TYPES["base64Binary"], "<R>AAE=</R>", b"\0\1"),
    (DATE_TIME, "<R>2026-03-01T09:00:00Z</R>", datetime(2026, 3, 1, 9, tzinfo=UTC)),
    (GUID, f"<R>{UUID(int=7)}</R>", UUID(int=7)),
    (STRINGS, "", None),
    (STRINGS, "<R/>", []),
    (STRINGS, "<R><string>x</string></R>", ["x"]),
    (STRINGS, f"<R><string>x</string><string {NIL}/><other/></R>", ["x", None]),
    (ArrayType.of(Element("F", FILE)), "<R/>", []),
    (
        ArrayType.of(Element("F", FILE)),
        "<R><F><Name>n</Name><Size>1</Size><Tags/><New>x</New></F></R>",
        [{"Name": "n", "Size": 1, "Tags": []}],
    ),
    (FILE, "<R><Size>1</Size></R>", {"Name": None, "Size": 1, "Tags": None}),
    (OpaqueType("xml", "is any XML"), "<R><a>1</a><b/></R>", {"a": "1", "b": ""}),
    (OpaqueType("F[]", "comes repeatedly"), "<R>1</R><R>2</R>", ["1", "2"]),
    # Not as described: what there is is shown.
    (STRING, "<R><a>1</a></R>", {"a": "1"}),
]


@pytest.mark.parametrize(("kind", "content", "value"), VALUES)
def test_a_value_is_read_by_its_type(kind: XsdType, content: str, value: object) -> None:
    assert read(content, Element("R", kind)) == {"R": value}


def test_all_results_are_there_in_their_order() -> None:
    found = read("<Out>2</Out><R>1</R>", Element("R", INT), Element("Out", INT), Element("No", INT))
    assert found == {"R": 1, "Out": 2, "No": None}


def test_nothing_is_an_empty_dict() -> None:
    assert read("") == {}


def test_a_data_set_is_its_rows() -> None:
    envelope = etree.fromstring(samples.load("soap11/dataset-no-rows").body)
    described = OperationDescription(
        name="BandwidthGetUsage",
        documentation="",
        parameters=(),
        results=(Element("BandwidthGetUsageResult", DATA_SET),),
        soap_action="",
        versions=frozenset(),
    )
    assert to_python(envelope[0][0], described) == {"BandwidthGetUsageResult": {"Day": []}}


def test_a_text_of_another_type_is_named() -> None:
    with pytest.raises(ValueError, match=r"^Size is not a whole number$"):
        read("<R><Size>much</Size></R>", Element("R", FILE))
