"""What fuzzing has found, each finding as a sample that stays mended."""

from __future__ import annotations

import encodings
import sys
import time
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import pytest
from lxml import etree

from dasp_async import DaspError, HttpError, InvalidResponse, to_python
from dasp_async.dataset import read_tables
from dasp_async.elements import MOST_MEMBERS
from dasp_async.messages import HttpAnswer
from dasp_async.operations import BANDWIDTH_GET_USAGE, GET_JOB_STATUS, Anything, Operation
from dasp_async.response import read_answer, read_description
from dasp_async.response.encoding import LONGEST_LABEL
from dasp_async.response.text import MOST_ATTRIBUTES
from dasp_async.secret import Mask, Secret
from dasp_async.wsdl import OperationDescription
from dasp_async.wsdl.document import LONGEST_ATTRIBUTE
from dasp_async.wsdl.document import MOST_ATTRIBUTES as MOST_WSDL_ATTRIBUTES
from dasp_async.xsd import MOST_IN_SCOPE, STRING, ArrayType, Element, RecordType
from tests.fuzz.seeds import WSDL, response

ErrorT = TypeVar("ErrorT", bound=DaspError)

MASK: Final = Mask(Secret("test-key"))
ANY: Final[Operation[Any]] = Operation("Op", (), Anything(), writes=False)
XSD: Final = "http://www.w3.org/2001/XMLSchema"
DIFFGRAM: Final = "urn:schemas-microsoft-com:xml-diffgram-v1"


def answer(body: str, content_type: str = "text/xml") -> HttpAnswer:
    return HttpAnswer(200, content_type, body=body.encode())


def error_of(kind: type[ErrorT], read: Callable[..., object], given: HttpAnswer) -> ErrorT:
    with pytest.raises(kind) as caught:
        read(given, mask=MASK, now=0.0)
    return caught.value


def read_job(given: HttpAnswer, **context: Any) -> object:
    return read_answer(GET_JOB_STATUS, given, **context)


@contextmanager
def cheap(seconds: float = 1.0, megabytes: float = 40.0) -> Generator[None]:
    """Fails if what is done in it takes more; five times as long where each line is traced."""
    seconds *= 1 if sys.gettrace() is None else 5
    tracemalloc.start()
    started = time.process_time()
    try:
        yield
        taken, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (taken < seconds, peak < megabytes * 1e6) == (True, True), (taken, peak)


# --- texts that raised something else


@pytest.mark.parametrize("digits", [1_000, 4_301, 15_000])
@pytest.mark.parametrize("end", ["", ";", " "])
def test_a_character_reference_of_thousands_of_digits(digits: int, end: str) -> None:
    page = f"<html>busy &#{'1' * digits}{end}</html>"
    error = error_of(HttpError, read_job, answer(page, "text/html"))
    assert error.excerpt == "busy \ufffd"


def test_a_character_reference_with_zeros_before_it_is_read() -> None:
    page = f"<html>&#{'0' * 900}65;</html>"
    assert error_of(HttpError, read_job, answer(page, "text/html")).excerpt == "A"


def data_set(columns: str, rows: str = "", declared: str = "") -> str:
    return (
        f'<x:schema xmlns:x="{XSD}" {declared}><x:element name="D"><x:complexType><x:choice>'
        f'<x:element name="R"><x:complexType><x:sequence>{columns}</x:sequence></x:complexType>'
        "</x:element></x:choice></x:complexType></x:element></x:schema>"
        f'<g:diffgram xmlns:g="{DIFFGRAM}"><D>{rows}</D></g:diffgram>'
    )


def read_usage(given: HttpAnswer, **context: Any) -> object:
    return read_answer(BANDWIDTH_GET_USAGE, given, **context)


@pytest.mark.parametrize("half", ["_xD800_", "_xDFFF_", "_x0000D83D_"])
def test_half_a_surrogate_pair_in_a_name(half: str) -> None:
    column = f'<x:element name="{half}" type="x:int"/>'
    content = data_set(column, f"<R><{half}>x</{half}></R>")
    message = str(
        error_of(InvalidResponse, read_usage, answer(response("BandwidthGetUsage", content)))
    )
    message.encode()
    assert f"its column {half} is not a whole number" in message


# --- small answers that cost much


def test_many_columns_among_many_namespaces() -> None:
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(990))
    content = data_set('<x:element name="a" type="x:int"/>' * 20_000, declared=declared)
    given = answer(response("BandwidthGetUsage", content))
    with cheap():
        error = error_of(InvalidResponse, read_usage, given)
    assert f"more than {MOST_IN_SCOPE} namespaces are declared in one place" in str(error)


def test_as_many_namespaces_as_a_data_set_needs() -> None:
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(MOST_IN_SCOPE - 2))
    content = data_set('<x:element name="a" type="x:int"/>', "<R><a>1</a></R>", declared)
    assert read_tables(etree.fromstring(f"<r>{content}</r>"), str) == {"R": [{"a": 1}]}


def read_any(given: HttpAnswer, **context: Any) -> object:
    return read_answer(ANY, given, **context)


def with_attributes(number: int) -> HttpAnswer:
    attributes = " ".join(f'a{n}="x"' for n in range(number))
    return answer(response("Op", f"<b {attributes}/>"))


def test_an_element_of_many_attributes() -> None:
    with cheap():
        error = error_of(InvalidResponse, read_any, with_attributes(40_000))
    assert f"it has an element of more than {MOST_ATTRIBUTES} attributes" in str(error)
    assert read_answer(ANY, with_attributes(MOST_ATTRIBUTES), mask=MASK, now=0.0) is not None


def test_many_data_sets_of_nulls() -> None:
    columns = "".join(f'<x:element name="a{n}"/>' for n in range(700))
    each = f"<d>{data_set(columns, '<R/>' * 700)}</d>"
    element = etree.fromstring(f"<r>{each * 30}</r>")
    with cheap(5, 120), pytest.raises(ValueError, match=f"more than {MOST_MEMBERS} members"):
        to_python(element)
    assert to_python(etree.fromstring(f"<r>{each}</r>"))


def test_a_long_charset_is_not_remembered_for_good() -> None:
    before = set(vars(encodings)["_cache"])
    label = "x" * 10_000
    for n in range(3):
        error_of(HttpError, read_job, answer("<p/>", f"text/html; charset={label}{n}"))
    assert not any(len(each) > LONGEST_LABEL for each in set(vars(encodings)["_cache"]) - before)


def described(members: int) -> OperationDescription:
    record = RecordType("A", tuple(Element(f"a{n}", STRING) for n in range(members)))
    return OperationDescription(
        name="Op",
        documentation="",
        parameters=(),
        results=(Element("OpResult", ArrayType.of(Element("A", record))),),
        soap_action="",
        versions=frozenset(),
    )


def test_many_records_of_nulls() -> None:
    element = etree.fromstring(f"<OpResponse><OpResult>{'<A/>' * 700}</OpResult></OpResponse>")
    with cheap(5, 120), pytest.raises(ValueError, match=f"more than {MOST_MEMBERS} members"):
        to_python(element, described(1_000))
    assert to_python(element, described(100))


PLACES: Final = ("target", "schema", "port", "element", "style", "action")


def wsdl(
    long: str = "", length: int = 0, *, operations: int = 4_000, types: str = "", part: str = ""
) -> str:
    """A WSDL of many operations of one message; the text at one place is so long."""
    text = dict.fromkeys(PLACES, "") | {long: "x" * length}
    ports = "".join(
        f'<w:operation name="O{n}"><w:input message="t:In"/></w:operation>'
        for n in range(operations)
    )
    return (
        f'<w:definitions xmlns:w="{WSDL}" xmlns:b="{WSDL}soap/" xmlns:s="{XSD}" xmlns:t="urn:t"'
        f' targetNamespace="urn:t{text["target"]}"><w:types>'
        f'<s:schema targetNamespace="urn:t{text["schema"]}">{types}'
        + "".join(f'<s:element name="e{n}"/>' for n in range(operations))
        + f'</s:schema></w:types><w:message name="In"><w:part {part} '
        f'element="t:Op{text["element"]}"/></w:message><w:portType name="P{text["port"]}">{ports}'
        f'</w:portType><w:binding type="t:P{text["port"]}"><b:binding style="{text["style"]}"'
        f' soapAction="{text["action"]}"/>{ports}</w:binding></w:definitions>'
    )


@pytest.mark.parametrize("place", PLACES)
def test_a_long_name_that_is_a_part_of_many(place: str) -> None:
    given = answer(wsdl(place, 20_000))
    with cheap(2, 40):
        error = error_of(InvalidResponse, read_description, given)
    assert f"an attribute of more than {LONGEST_ATTRIBUTE} characters" in str(error)


@pytest.mark.parametrize("place", PLACES)
def test_a_name_that_is_not_too_long(place: str) -> None:
    given = answer(wsdl(place, LONGEST_ATTRIBUTE - 5))
    assert read_description(given, mask=MASK, now=0.0).operations


def test_many_operations_of_an_element_of_many_attributes() -> None:
    part = " ".join(f'a{n}="x"' for n in range(100_000))
    with cheap(2, 40):
        error = error_of(InvalidResponse, read_description, answer(wsdl(part=part)))
    assert f"an element of more than {MOST_WSDL_ATTRIBUTES} attributes" in str(error)


def test_many_operations_of_a_large_enumeration_and_what_cant_be_read() -> None:
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(MOST_IN_SCOPE))
    values = "".join(f'<s:enumeration value="{n}"/>' for n in range(5_000))
    types = (
        '<s:element name="Op"><s:complexType><s:sequence><s:element name="a" type="t:E"/>'
        f'<s:element {declared} name="b" type="s:int"/></s:sequence></s:complexType></s:element>'
        f'<s:simpleType name="E"><s:restriction base="s:string">{values}</s:restriction>'
        "</s:simpleType>"
    )
    given = answer(wsdl(types=types, operations=1_500))
    with cheap(4, 40):
        (operation,) = read_description(given, mask=MASK, now=0.0).operations.values()
    assert operation.problem is not None
