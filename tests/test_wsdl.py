"""A service's WSDL is read as ASMX means it; what can't be read is named, in bounded time."""

from __future__ import annotations

import pickle
import random
import re
import time
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from dasp_async.messages import HttpAnswer
from dasp_async.response.document import document
from dasp_async.soap import XSD, SoapVersion
from dasp_async.wsdl import OperationDescription, ServiceDescription
from dasp_async.wsdl.document import read_wsdl
from dasp_async.wsdl.schema import MOST_ELEMENTS
from dasp_async.xsd import (
    DATA_SET,
    GUID,
    MOST_IN_SCOPE,
    SIMPLE_TYPES,
    ArrayType,
    Element,
    OpaqueType,
    RecordType,
    XsdType,
)
from tests.samples import load

NAMESPACE: Final = "http://api.discountasp.net/"
CAPTURED: Final = load("http/wsdl").body
BOTH: Final = frozenset(SoapVersion)


def read(wsdl: bytes | str) -> ServiceDescription:
    body = wsdl if isinstance(wsdl, bytes) else wsdl.encode()
    return read_wsdl(document(HttpAnswer(200, "text/xml", body=body)))


def shown(kind: XsdType, seen: tuple[XsdType, ...] = ()) -> str:
    """A type with all that it consists of, as far as it has not been shown yet."""
    if isinstance(kind, OpaqueType):
        return f"{kind.name}: {kind.reason}"
    if any(kind is each for each in seen) or not isinstance(kind, ArrayType | RecordType):
        return kind.name
    seen = (*seen, kind)
    if isinstance(kind, ArrayType):
        return f"{kind.name} of {marked(kind.item, seen)}"
    return f"{kind.name}{{{'; '.join(marked(each, seen) for each in kind.members)}}}"


def marked(element: Element, seen: tuple[XsdType, ...] = ()) -> str:
    """An element: `!` marks one that is required, `?` one that may be nil."""
    marks = "!" * element.required + "?" * element.nillable
    return f"{element.name}{marks} {shown(element.type, seen)}"


def test_a_type_in_itself_is_printed_by_its_name() -> None:
    node = RecordType("Node", ())
    nodes = ArrayType.of(Element("Node", node))
    node.members = (Element("children", nodes),)
    assert (repr(node), repr(nodes)) == ("RecordType('Node')", "ArrayType('Node[]')")
    assert "RecordType('Node')" in repr(nodes.item)


# --- the captured WSDL

# Parameters after the key, the result, the documentation
CONTRACT: Final[dict[str, tuple[list[str], str, str]]] = {
    "GetJobStatus": (
        ["jobId! guid"],
        (
            "JobStatus{JobName string; Status string; StartDateTime! dateTime; "
            "CompletedDateTime! dateTime; ErrorMessage string}"
        ),
        "Get the status on an asynchronous job",
    ),
    "Sql2012CreateBackup": (
        ["databaseName string"],
        "guid",
        "Start a backup of a SQL 2012 database; its result is a jobId for GetJobStatus",
    ),
    "GetDomainNames": (
        [],
        "string[] of string? string",
        "A list of strings, one of them null and one of them empty",
    ),
    "GetNoDomainNames": (
        ["want string"],
        "string[] of string? string",
        "An empty list of strings, or null where want is 'null'",
    ),
    "BandwidthGetUsage": (
        ["startDate! dateTime", "endDate! dateTime"],
        "DataSet: is read here, and not written",
        "Bandwidth used on each day from startDate to endDate",
    ),
    "EchoDateTime": (
        ["value! dateTime"],
        "string",
        "What the server understood of a date: its kind, its ticks and its round-trip text",
    ),
    "EchoString": (
        ["value string"],
        "string",
        "The same string again, with its length in UTF-16 units ('null' for null)",
    ),
}


def test_the_captured_description() -> None:
    found = read(CAPTURED)
    assert found.namespace == NAMESPACE
    assert found.served_at is None
    assert found.operation("EchoString") is found.operations["EchoString"]
    assert list(found.operations) == list(CONTRACT)
    for name, (parameters, result, documentation) in CONTRACT.items():
        operation = found.operations[name]
        required = "!" * (name == "Sql2012CreateBackup")
        assert operation.name == name
        assert list(map(marked, operation.parameters)) == ["key string", *parameters]
        assert list(map(marked, operation.results)) == [f"{name}Result{required} {result}"]
        assert operation.soap_action == NAMESPACE + name
        assert operation.versions == BOTH
        assert operation.documentation == documentation
        assert operation.problem is None


def test_a_description_keeps_the_services_time() -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    assert read_wsdl(etree.fromstring(CAPTURED), served_at=moment).served_at == moment


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("getjobstatus", "'getjobstatus'; did you mean GetJobStatus?"),
        ("GetJobState", "'GetJobState'; did you mean GetJobStatus?"),
        ("Nothing", "'Nothing'"),
    ],
)
def test_an_operation_that_is_not_there(name: str, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(CAPTURED).operation(name)
    assert str(caught.value) == f"the service's description has no operation {complaint}"


# --- small ones


PORT: Final = (
    '<w:operation name="{}"><w:input message="t:In"/><w:output message="t:Out"/></w:operation>'
)


def wsdl(
    content: str = "",
    response: str = "",
    types: str = "",
    *,
    schemas: str = "",
    form: str = 'elementFormDefault="qualified"',
    name: str = "Op",
    message: str = '<w:part name="parameters" element="t:{}"/>',
    port: str | None = None,
    bound: str | None = None,
    soap: str = "soap",
    more: str = "",
) -> str:
    """The WSDL of an operation with this content of its wrapper and its response's."""
    if port is None:
        port = PORT.format(name)
    if bound is None:
        bound = operation(name, soap)
    return f"""<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/"
 xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
 xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/"
 xmlns:http="http://schemas.xmlsoap.org/wsdl/http/"
 xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:m="http://microsoft.com/wsdl/types/"
 xmlns:t="{NAMESPACE}" xmlns:o="urn:other" targetNamespace="{NAMESPACE}"><w:types>
<s:schema targetNamespace="{NAMESPACE}" {form}>
<s:element name="Op"><s:complexType><s:sequence>{content}</s:sequence></s:complexType></s:element>
<s:element name="OpResponse"><s:complexType>{response and f"<s:sequence>{response}</s:sequence>"}
</s:complexType></s:element>{types}</s:schema>{schemas}</w:types>
<w:message name="In">{message.format("Op")}</w:message>
<w:message name="Out">{message.format("OpResponse")}</w:message>
<w:portType name="Port">{port}</w:portType>
<w:binding name="B" type="t:Port"><{soap}:binding/>{bound}</w:binding>{more}</w:definitions>"""


def operation(
    name: str = "Op", soap: str = "soap", *, inside: str = "", attributes: str = ""
) -> str:
    """An operation in a binding."""
    return (
        f'<w:operation name="{name}">'
        f'<{soap}:operation soapAction="{NAMESPACE}{name}" {attributes}/>'
        f'<w:input><{soap}:body use="literal"/>{inside}</w:input>'
        f'<w:output><{soap}:body use="literal"/></w:output></w:operation>'
    )


def member(name: str, kind: str, more: str = "") -> str:
    return f'<s:element minOccurs="0" name="{name}" type="{kind}" {more}/>'


def record(name: str, *members: str, attributes: str = "", after: str = "") -> str:
    return (
        f'<s:complexType name="{name}" {attributes}><s:sequence>{"".join(members)}</s:sequence>'
        f"{after}</s:complexType>"
    )


def array(name: str, item: str, kind: str, more: str = "") -> str:
    return record(name, member(item, kind, f'maxOccurs="unbounded" {more}'))


def derived(name: str, base: str, *members: str, attributes: str = "") -> str:
    return (
        f'<s:complexType name="{name}" {attributes}><s:complexContent mixed="false">'
        f'<s:extension base="{base}"><s:sequence>{"".join(members)}</s:sequence></s:extension>'
        "</s:complexContent></s:complexType>"
    )


def values(*texts: str) -> str:
    return (
        '<s:restriction base="s:string">'
        + "".join(f'<s:enumeration value="{text}"/>' for text in texts)
        + "</s:restriction>"
    )


def inline(content: str, attributes: str = "") -> str:
    return (
        f'<s:element minOccurs="0" name="a"><s:complexType {attributes}>{content}'
        "</s:complexType></s:element>"
    )


def enumeration(name: str, *texts: str) -> str:
    return f'<s:simpleType name="{name}">{values(*texts)}</s:simpleType>'


def flags(name: str, *texts: str) -> str:
    return (
        f'<s:simpleType name="{name}"><s:list><s:simpleType>{values(*texts)}</s:simpleType>'
        "</s:list></s:simpleType>"
    )


MICROSOFT: Final = """<s:schema targetNamespace="http://microsoft.com/wsdl/types/">
<s:simpleType name="guid"><s:restriction base="s:string"/></s:simpleType>
<s:simpleType name="char"><s:restriction base="s:unsignedShort"/></s:simpleType></s:schema>"""
A: Final = member("a", "t:A")
NET_2_DATA_SET: Final = inline(
    f'<s:sequence maxOccurs="unbounded"><s:any namespace="{XSD}"/>'
    '<s:any namespace="urn:schemas-microsoft-com:xml-diffgram-v1"/></s:sequence>'
)
ABSTRACT: Final = "is abstract: a value would have to say its type"
ELSEWHERE: Final = "is not in the service's namespace"
ANY_XML: Final = "holds XML of any kind"

# The content of the wrapper, the types that it needs, and what is read of it
READ: Final[dict[str, tuple[str, str, list[str]]]] = {
    "nothing": ("", "", []),
    "simple types": (
        "".join(f'<s:element name="{each}" type="s:{each}"/>' for each in SIMPLE_TYPES),
        "",
        [f"{each}! {each}" for each in SIMPLE_TYPES],
    ),
    "nillable": (member("a", "s:int", 'nillable="true"'), "", ["a? int"]),
    "nillable by number": (member("a", "s:int", 'nillable="1"'), "", ["a? int"]),
    "blanks around a type": (member("a", " s:int\n"), "", ["a int"]),
    "guid": (member("a", "m:guid") + member("b", "m:char"), "", ["a guid", "b unsignedShort"]),
    "array": (A, array("A", "string", "s:string"), ["a string[] of string string"]),
    "array of nillable": (
        A,
        array("A", "int", "s:int", 'nillable="true"'),
        ["a int[] of int? int"],
    ),
    "array of a bounded number": (
        A,
        record("A", member("int", "s:int", 'maxOccurs="5"')),
        ["a int[] of int int"],
    ),
    "inline array": (
        inline('<s:sequence><s:element name="n" type="s:int" maxOccurs="2"/></s:sequence>'),
        "",
        ["a int[] of n! int"],
    ),
    "array of arrays": (
        A,
        array("A", "B", "t:B") + array("B", "int", "s:int"),
        ["a B[] of B int[] of int int"],
    ),
    "array of records": (
        A,
        array("A", "R", "t:R", 'nillable="true"') + record("R", member("x", "s:int")),
        ["a R[] of R? R{x int}"],
    ),
    "array of what is inline": (
        A,
        record(
            "A",
            inline(f"<s:sequence>{member('x', 's:int')}</s:sequence>").replace(
                'minOccurs="0"', 'minOccurs="0" maxOccurs="unbounded"', 1
            ),
        ),
        ["a a[] of a a{x int}"],
    ),
    "record": (
        A,
        record("A", member("x", "s:int"), '<s:element name="y" type="s:string"/>'),
        ["a A{x int; y! string}"],
    ),
    "empty record": (A, '<s:complexType name="A"/>', ["a A{}"]),
    "annotated": (
        inline(f"<s:annotation/><s:sequence>{member('x', 's:int')}</s:sequence>"),
        "",
        ["a a{x int}"],
    ),
    "record in itself": (
        A,
        record("A", member("x", "s:int"), member("in", "t:A")),
        ["a A{x int; in A}"],
    ),
    "record in an array in itself": (
        A,
        record("A", member("x", "s:int"), member("in", "t:AA")) + array("AA", "A", "t:A"),
        ["a A{x int; in A[] of A A}"],
    ),
    "array of itself": (A, array("A", "A", "t:A"), ["a A[] of A A[]"]),
    "inherited": (
        A,
        derived("A", "t:B", member("x", "s:int")) + record("B", member("y", "s:int")),
        ["a A{y int; x int}"],
    ),
    "inherited twice": (
        A,
        derived("A", "t:B", member("x", "s:int"))
        + derived("B", "t:C", attributes='abstract="false"')
        + record("C", member("z", "s:int")),
        ["a A{z int; x int}"],
    ),
    "abstract": (A, record("A", attributes='abstract="true"'), [f"a A: {ABSTRACT}"]),
    "derived from itself": (
        A,
        derived("A", "t:A", member("x", "s:int")),
        ["a A: is derived from itself, or too often"],
    ),
    "derived in a circle": (
        A,
        derived("A", "t:B") + derived("B", "t:A"),
        ["a A: is derived from itself, or too often"],
    ),
    "derived from nothing known": (
        A,
        derived("A", "t:B"),
        ["a A: is derived from what is not described"],
    ),
    "enumeration": (A, enumeration("A", "x", "y"), ["a A"]),
    "flags": (
        A,
        flags("A", "x", "y"),
        ["a A"],
    ),
    "restricted": (
        A,
        '<s:simpleType name="A"><s:restriction base="s:short"/></s:simpleType>',
        ["a short"],
    ),
    "restricted from what is not XSD's": (
        A,
        '<s:simpleType name="A"><s:restriction base="o:B"/></s:simpleType>',
        ["a B: is not described"],
    ),
    "list of a named type": (
        A,
        '<s:simpleType name="A"><s:list itemType="s:int"/></s:simpleType>',
        ["a A: is derived in a way that is not read here"],
    ),
    "list of what is not read": (
        A,
        '<s:simpleType name="A"><s:list><s:simpleType/></s:list></s:simpleType>',
        ["a A: is derived in a way that is not read here"],
    ),
    "union": (
        A,
        '<s:simpleType name="A"><s:union memberTypes="s:int s:string"/></s:simpleType>',
        ["a A: is derived in a way that is not read here"],
    ),
    "inline enumeration": (
        f'<s:element name="a"><s:annotation/>{enumeration("ignored", "x")}</s:element>',
        "",
        ["a! a"],
    ),
    "DataSet": (NET_2_DATA_SET, "", ["a DataSet: is read here, and not written"]),
    "DataSet of .NET 1.1": (
        inline('<s:sequence><s:element ref="s:schema"/><s:any/></s:sequence>'),
        "",
        ["a DataSet: is read here, and not written"],
    ),
    "typed DataSet": (
        inline('<s:sequence><s:any namespace="http://tempuri.org/Days.xsd"/></s:sequence>'),
        "",
        ["a a: has any, which is not read here"],
    ),
    "XmlNode": (
        inline("<s:sequence><s:any/></s:sequence>", 'mixed="true"'),
        "",
        [f"a a: {ANY_XML}"],
    ),
    "XmlElement": (
        inline("<s:sequence><s:any/></s:sequence>"),
        "",
        ["a a: has any, which is not read here"],
    ),
    "attributes": (
        A,
        record("A", after='<s:attribute name="x" type="s:int"/>'),
        ["a A: has attribute, which is not read here"],
    ),
    "choice": (
        A,
        record("A", "<s:choice/>"),
        ["a A: has choice, which is not read here"],
    ),
    "all": (inline("<s:all/>"), "", ["a a: has all, which is not read here"]),
    "inherited choice": (
        A,
        derived("A", "t:B") + record("B", "<s:choice/>"),
        ["a A: has choice, which is not read here"],
    ),
    "simpleContent": (
        inline('<s:simpleContent><s:extension base="s:string"/></s:simpleContent>'),
        "",
        ["a a: has simpleContent, which is not read here"],
    ),
    "restricted content": (
        inline('<s:complexContent><s:restriction base="t:B"/></s:complexContent>'),
        "",
        ["a a: has complexContent, which is not read here"],
    ),
    "sequence that comes again": (
        inline(f'<s:sequence maxOccurs="unbounded">{member("x", "s:int")}</s:sequence>'),
        "",
        ["a a: is a sequence that comes repeatedly"],
    ),
    "no type at all": ('<s:element name="a"/>', "", ["a! anyType: would have to say its type"]),
    "anyType": (member("a", "s:anyType"), "", ["a anyType: would have to say its type"]),
    "type that XSD has and Python not": (
        member("a", "s:NOTATION"),
        "",
        ["a NOTATION: is not described"],
    ),
    "type that is not there": (A, "", ["a A: is not described"]),
    "type of a prefix that is not declared": (
        member("a", "nowhere:int"),
        "",
        ["a int: is not described"],
    ),
    "array beside others": (
        member("a", "s:int", 'maxOccurs="unbounded"') + member("b", "s:int"),
        "",
        ["a int[]: comes repeatedly, with no element around it", "b int"],
    ),
    "array of the wrapper's own": (
        member("a", "s:int", 'maxOccurs="unbounded"'),
        "",
        ["a int[]: comes repeatedly, with no element around it"],
    ),
    "element ref": (
        '<s:element ref="t:G" minOccurs="0"/>',
        '<s:element name="G" type="s:int" nillable="true"/>',
        ["G? int"],
    ),
    "element ref to itself": (
        '<s:element ref="t:G"/>',
        '<s:element name="G" ref="t:G"/>',
        ["G! anyType: would have to say its type"],
    ),
    "element ref to nothing": ('<s:element ref="t:G"/>', "", ["G G: is not described"]),
    "element ref elsewhere": (
        '<s:element ref="o:G" minOccurs="0"/>',
        "",
        ["G G: is not described"],
    ),
    "unqualified": (
        member("a", "s:int", 'form="unqualified"'),
        "",
        [f"a int: {ELSEWHERE}"],
    ),
}


@pytest.mark.parametrize("case", READ)
def test_what_is_read_of_a_schema(case: str) -> None:
    content, types, expected = READ[case]
    (found,) = read(wsdl(content, types=types, schemas=MICROSOFT)).operations.values()
    assert found.problem is None
    assert list(map(marked, found.parameters)) == expected


def test_names_that_xml_does_not_allow() -> None:
    types = record("A", member("x&gt;&lt;y", "s:int"), member("z", "s:int"))
    a, b = read(wsdl(A + member("b c", "s:int"), types=types)).operations["Op"].parameters
    refused = "is of an element whose name XML does not allow"
    assert marked(a) == f"a A{{x><y int: {refused}; z int}}"
    assert marked(b) == f"b c int: {refused}"


OTHER: Final = f"""<s:schema targetNamespace="urn:other" elementFormDefault="qualified">
{record("A", member("x", "s:int"))}<s:element name="G" type="s:int"/></s:schema>"""


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (member("a", "o:A"), f"a A{{x int: {ELSEWHERE}}}"),
        ('<s:element ref="o:G"/>', f"G! int: {ELSEWHERE}"),
    ],
)
def test_types_of_another_namespace(content: str, expected: str) -> None:
    found = read(wsdl(content, schemas=OTHER)).operations["Op"]
    assert list(map(marked, found.parameters)) == [expected]


@pytest.mark.parametrize("form", ["", 'elementFormDefault="unqualified"'])
def test_a_schema_that_is_unqualified(form: str) -> None:
    own = member("b", "s:int", 'form="qualified"')
    found = read(wsdl(member("a", "s:int") + own, form=form)).operations["Op"]
    assert list(map(marked, found.parameters)) == [f"a int: {ELSEWHERE}", "b int"]


@pytest.mark.parametrize(
    ("response", "results", "signature"),
    [
        ("", [], "Op() -> nothing"),
        (member("OpResult", "s:int"), ["OpResult int"], "Op() -> int"),
        (
            member("OpResult", "s:int") + member("b", "s:string") + member("c", "s:date"),
            ["OpResult int", "b string", "c date"],
            "Op() -> int, b: string, c: date",
        ),
        (
            "<s:choice/>",
            [
                (
                    "OpResponse xml: its element {http://api.discountasp.net/}OpResponse has "
                    "choice, which is not read here"
                )
            ],
            "Op() -> xml",
        ),
    ],
)
def test_what_is_answered(response: str, results: list[str], signature: str) -> None:
    found = read(wsdl(response=response)).operations["Op"]
    assert found.problem is None
    assert list(map(marked, found.results)) == results
    assert found.signature == signature


def test_a_signature() -> None:
    content = member("key", "s:string") + A
    found = read(wsdl(content, types=array("A", "string", "s:string"))).operations["Op"]
    assert found.signature == "Op(key: string, a: string[]) -> nothing"


def test_values_of_types_that_are_read() -> None:
    content = member("a", "t:A") + member("b", "t:B") + member("c", "m:guid")
    types = enumeration("A", "x", "y z") + flags("B", "x", "y")
    a, b, c = read(wsdl(content, types=types, schemas=MICROSOFT)).operations["Op"].parameters
    assert a.to_content("y z") == "y z"
    assert b.to_content(" x\ty ") == "x y"
    assert c.type is GUID
    for element in (a, b):
        with pytest.raises(ValueError, match=r"^must be one of x, y( z)?$"):
            element.to_content("no-such-value")
        with pytest.raises(ValueError, match=r"^must be text, not int$"):
            element.to_content(1)


def test_one_type_is_one_object_wherever_it_is_used() -> None:
    a, b = read(wsdl(A + member("b", "t:A"), types=record("A"))).operations["Op"].parameters
    assert a.type is b.type


# --- bindings

TWO_PORTS: Final = """<w:operation name="Add"><w:documentation> First
 of <b>two</b> </w:documentation><w:input message="t:In"/><w:output message="t:Out"/></w:operation>
<w:operation name="Add"><w:input name="Op2" message="t:In2"/><w:output name="Op2" message="t:Out2"/>
</w:operation>"""
TWO_MESSAGES: Final = (
    '<w:message name="In2"><w:part element="t:Op2"/></w:message>'
    '<w:message name="Out2"><w:part element="t:Op2Response"/></w:message>'
)
TWO_ELEMENTS: Final = (
    f'<s:element name="Op2" type="t:Op2T"/>{record("Op2T", member("x", "s:int"))}'
    '<s:element name="Op2Response"><s:complexType/></s:element>'
)


def test_overloads_are_told_apart_by_the_names_of_their_inputs() -> None:
    bound = operation("Add") + operation("Add").replace("<w:input>", '<w:input name="Op2">')
    found = read(
        wsdl(
            member("y", "s:int"), types=TWO_ELEMENTS, port=TWO_PORTS, bound=bound, more=TWO_MESSAGES
        )
    ).operations
    assert {name: list(map(marked, each.parameters)) for name, each in found.items()} == {
        "Op": ["y int"],
        "Op2": ["x int"],
    }
    assert found["Op"].documentation == "First of two"
    assert found["Op2"].documentation == ""


def test_an_input_may_be_named_in_the_port_type_alone() -> None:
    port = TWO_PORTS.replace('message="t:In"', 'name="Named" message="t:In"')
    assert list(read(wsdl(port=port, bound=operation("Add"))).operations) == ["Op"]


@pytest.mark.parametrize(
    ("soap", "version"), [("soap", SoapVersion.SOAP_1_1), ("soap12", SoapVersion.SOAP_1_2)]
)
def test_one_binding(soap: str, version: SoapVersion) -> None:
    found = read(wsdl(soap=soap)).operations["Op"]
    assert found.versions == {version}
    assert found.soap_action == f"{NAMESPACE}Op"


SOAP_1_2: Final = (
    f'<w:binding name="C" type="t:Port"><soap12:binding/>{operation(soap="soap12")}</w:binding>'
)


def test_both_bindings() -> None:
    assert read(wsdl(more=SOAP_1_2)).operations["Op"].versions == BOTH


@pytest.mark.parametrize("rpc", [0, 1])
def test_what_is_wrong_with_one_binding_is_wrong_with_the_operation(rpc: int) -> None:
    broken = [operation(), SOAP_1_2]
    broken[rpc] = broken[rpc].replace("soapAction", 'style="rpc" soapAction')
    found = read(wsdl(bound=broken[0], more=broken[1])).operations["Op"]
    assert found.versions == BOTH
    assert found.problem == "it is of style rpc, not document"


def test_a_binding_to_http_get_is_none_to_soap() -> None:
    http = (
        '<w:binding name="H" type="t:Port"><http:binding verb="GET"/>'
        '<w:operation name="Other"><http:operation location="/Other"/></w:operation></w:binding>'
    )
    assert list(read(wsdl(more=http)).operations) == ["Op"]


# An operation in its binding, or what else is not as it should be, and the problem
PROBLEMS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "rpc style": (
        {"bound": operation(attributes='style="rpc"')},
        "it is of style rpc, not document",
    ),
    "rpc style of the binding": (
        {"bound": operation(), "soap": 'soap style="rpc"'},
        "it is of style rpc, not document",
    ),
    "encoded": (
        {"bound": operation().replace("literal", "encoded")},
        "its use is encoded, not literal",
    ),
    "encoded answer": (
        {"bound": operation()[::-1].replace("literal"[::-1], "encoded"[::-1], 1)[::-1]},
        "its use is encoded, not literal",
    ),
    "header": (
        {"bound": operation(inside='<soap:header message="t:H" part="Auth" use="literal"/>')},
        "it takes a SOAP header, Auth",
    ),
    "nameless header": (
        {"bound": operation(inside="<soap:header/>")},
        "it takes a SOAP header",
    ),
    "one-way": (
        {"port": '<w:operation name="Op"><w:input message="t:In"/></w:operation>'},
        "it has no output",
    ),
    "no input": (
        {"port": '<w:operation name="Op"><w:output message="t:Out"/></w:operation>'},
        "it has no input",
    ),
    "not in the port type": ({"port": ""}, "its port type does not describe it"),
    "rpc message": (
        {"message": '<w:part name="a" type="s:int"/>'},
        "its input is no single element, as document/literal wrapped has it",
    ),
    "message of two parts": (
        {"message": '<w:part element="t:Op"/><w:part element="t:Op"/>'},
        "its input is no single element, as document/literal wrapped has it",
    ),
    "message that is not there": (
        {
            "port": '<w:operation name="Op"><w:input message="t:In"/><w:output message="t:No"/>'
            "</w:operation>"
        },
        "its output is no single element, as document/literal wrapped has it",
    ),
    "other response": (
        {
            "port": '<w:operation name="Op"><w:input message="t:In"/><w:output message="t:In"/>'
            "</w:operation>"
        },
        "its response is Op, not OpResponse",
    ),
    "bare element": (
        {
            "message": '<w:part element="t:Bare"/>',
            "types": '<s:element name="Bare" type="s:int"/>',
        },
        "its element {http://api.discountasp.net/}Bare wraps no elements",
    ),
    "element that is not there": (
        {"message": '<w:part element="t:No"/>'},
        "its element {http://api.discountasp.net/}No is not described",
    ),
    "element of another namespace": (
        {"message": '<w:part element="o:G"/>', "schemas": OTHER},
        "its element {urn:other}G is not in the service's namespace",
    ),
    "choice": (
        {"content": "<s:choice/>"},
        "its element {http://api.discountasp.net/}Op has choice, which is not read here",
    ),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_hinders_a_call_is_said(case: str) -> None:
    changes, problem = PROBLEMS[case]
    text = wsdl(**changes).replace('</soap style="rpc"', "</soap")
    text = text.replace('soap style="rpc":binding', 'soap:binding style="rpc"')
    (found,) = read(text).operations.values()
    assert found.problem == problem


def test_a_header_does_not_hide_the_rest() -> None:
    bound = operation(inside='<soap:header part="Auth"/>')
    found = read(wsdl(A, member("OpResult", "s:int"), record("A"), bound=bound)).operations["Op"]
    assert found.signature == "Op(a: A) -> int"


def test_one_that_cant_be_read_does_not_hide_others() -> None:
    found = read(
        wsdl(
            "<s:choice/>",
            types=TWO_ELEMENTS,
            port=TWO_PORTS,
            bound=operation("Add") + operation("Add").replace("<w:input>", '<w:input name="Op2">'),
            more=TWO_MESSAGES,
        )
    ).operations
    assert {name: each.problem is None for name, each in found.items()} == {
        "Op": False,
        "Op2": True,
    }


DEFINITIONS: Final = '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/">{}</definitions>'
NO_ROOT: Final = "not WSDL 1.1's {http://schemas.xmlsoap.org/wsdl/}definitions"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<html/>", f"its root is html, {NO_ROOT}"),
        (
            '<d:description xmlns:d="http://www.w3.org/ns/wsdl"/>',
            f"its root is {{http://www.w3.org/ns/wsdl}}description, {NO_ROOT}",
        ),
        (
            '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>',
            "it has no operation bound to SOAP",
        ),
        (wsdl(bound=""), "it has no operation bound to SOAP"),
        (wsdl(soap="http", bound=""), "it has no operation bound to SOAP"),
        (
            DEFINITIONS.format('<import location="a?wsdl=1"/><import location="b"/>'),
            "it has no operation bound to SOAP; it imports a?wsdl=1, b, which is not fetched",
        ),
    ],
)
def test_what_describes_no_service(text: str, problem: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(text)
    assert str(caught.value) == problem


# --- documents that mean harm


def timed(text: str) -> tuple[ServiceDescription, float]:
    started = time.process_time()
    return read(text), time.process_time() - started


MANY: Final = 6_000
NO_MORE: Final = f"its types have more than {MOST_ELEMENTS} elements in all"


def so_many(make: Callable[[int], str]) -> str:
    return "".join(map(make, range(MANY)))


EXTENDS_A: Final = (
    '<s:complexType name="A{}"><s:complexContent><s:extension base="t:A"/></s:complexContent>'
    "</s:complexType>"
)

# Wrapper's content, the types, and the problem
HARMFUL: Final[dict[str, tuple[str, str, str | None]]] = {
    "a chain of types": (
        member("a", "t:A0"),
        so_many(lambda n: record(f"A{n}", member("x", f"t:A{n + 1}"))),
        None,
    ),
    "a chain of arrays": (
        member("a", "t:A0"),
        so_many(lambda n: array(f"A{n}", "x", f"t:A{n + 1}")),
        None,
    ),
    "a chain of derived types": (
        member("a", "t:A0"),
        so_many(lambda n: derived(f"A{n}", f"t:A{n + 1}")),
        None,
    ),
    "many derived from a large one": (
        so_many(lambda n: member(f"a{n}", f"t:A{n}")),
        record("A", so_many(lambda n: member(f"x{n}", "s:int"))) + so_many(EXTENDS_A.format),
        NO_MORE,
    ),
    "many derived from a large one that is not read": (
        so_many(lambda n: member(f"a{n}", f"t:A{n}")),
        record("A", so_many(lambda n: member(f"x{n}", "s:int")) + "<s:any/>")
        + so_many(EXTENDS_A.format),
        NO_MORE,
    ),
    "a large element that many refer to": (
        so_many(lambda _: '<s:element ref="t:G"/>'),
        '<s:element name="G">' + so_many(lambda _: "<s:key/>") + "</s:element>",
        None,
    ),
    "an enumeration that many are of": (
        so_many(lambda n: member(f"a{n}", "t:A")),
        enumeration("A", *map(str, range(4 * MANY))),
        None,
    ),
    "nested to the limit": (
        member("a", "t:A"),
        record(
            "A",
            '<s:element name="x"><s:complexType><s:sequence>' * 80
            + "</s:sequence></s:complexType></s:element>" * 80,
        ),
        None,
    ),
    "a list of lists": (
        member("a", "t:A"),
        '<s:simpleType name="A">'
        + "<s:list><s:simpleType>" * 100
        + "</s:simpleType></s:list>" * 100
        + "</s:simpleType>",
        None,
    ),
}


@pytest.mark.parametrize("case", HARMFUL)
def test_types_that_mean_harm_take_bounded_time(case: str) -> None:
    content, types, problem = HARMFUL[case]
    found, seconds = timed(wsdl(content, types=types))
    assert found.operations["Op"].problem == problem
    assert seconds < 20


BINDINGS: Final[dict[str, dict[str, Any]]] = {
    "one operation bound many times": {
        "content": so_many(lambda n: member(f"a{n}", "s:int")),
        "bound": '<w:operation name="Op"/>' * MANY,
        "port": '<w:operation name="Op"><w:documentation>' + "x" * 200_000 + "</w:documentation>"
        '<w:input message="t:In"/><w:output message="t:Out"/></w:operation>',
    },
    "many operations of one message": {
        "content": so_many(lambda n: member(f"a{n}", "s:int")),
        "bound": so_many(lambda n: f'<w:operation name="O{n}"/>'),
        "port": so_many(
            lambda n: f'<w:operation name="O{n}"><w:input message="t:In"/></w:operation>'
        ),
    },
    "many operations of one name": {
        "bound": '<w:operation name="Op"/>' * MANY,
        "port": '<w:operation name="Op"/>' * MANY,
    },
    "a message of many parts": {
        "message": '<w:part element="t:Op"/>' * MANY,
        "bound": so_many(lambda n: f'<w:operation name="O{n}"/>'),
        "port": so_many(
            lambda n: f'<w:operation name="O{n}"><w:input message="t:In"/></w:operation>'
        ),
    },
}


@pytest.mark.parametrize("case", BINDINGS)
def test_bindings_that_mean_harm_take_bounded_time(case: str) -> None:
    found, seconds = timed(wsdl(**BINDINGS[case]))
    assert found.operations
    assert seconds < 20


def test_many_namespaces_in_one_place_are_not_looked_through() -> None:
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(900))
    types = f'<s:complexType {declared} name="A"><s:sequence>' + (
        so_many(lambda n: member(f"a{n}", "s:int")) + "</s:sequence></s:complexType>"
    )
    found, seconds = timed(wsdl(A, types=types))
    assert found.operations["Op"].problem == (
        f"more than {MOST_IN_SCOPE} namespaces are declared in one place"
    )
    assert seconds < 5


def test_what_is_half_read_is_not_taken_for_the_whole() -> None:
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(MOST_IN_SCOPE))
    types = record("A", member("x", "t:B")) + record("B", member("y", "s:int", declared))
    types += f'<s:element name="Op2"><s:complexType><s:sequence>{A}</s:sequence></s:complexType>'
    types += '</s:element><s:element name="Op2Response"><s:complexType/></s:element>'
    found = read(
        wsdl(
            A,
            types=types,
            port=TWO_PORTS,
            bound=operation("Add") + operation("Add").replace("<w:input>", '<w:input name="Op2">'),
            more=TWO_MESSAGES,
        )
    ).operations
    for name in ("Op", "Op2"):
        assert found[name].parameters == ()
        assert found[name].problem == (
            f"more than {MOST_IN_SCOPE} namespaces are declared in one place"
        )


def test_what_one_operation_left_unread_is_no_problem_of_the_next() -> None:
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(MOST_IN_SCOPE))
    found = read(
        wsdl(
            member("a", "t:B") + member("b", "t:C"),
            types=TWO_ELEMENTS
            + record("B", member("x", "s:int", declared))
            + record("C", member("y", "s:int", declared)),
            port=TWO_PORTS,
            bound=operation("Add") + operation("Add").replace("<w:input>", '<w:input name="Op2">'),
            more=TWO_MESSAGES,
        )
    ).operations
    assert found["Op"].problem is not None
    assert found["Op2"].problem is None


def test_as_many_namespaces_as_are_needed() -> None:
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(MOST_IN_SCOPE - 9))
    text = wsdl().replace("<w:definitions", f"<w:definitions {declared}", 1)
    assert read(text).operations["Op"].problem is None


# --- any document at all


def mutated(chance: random.Random, changes: int) -> bytes:
    """The captured WSDL with attributes and elements gone, doubled, renamed and swapped."""
    root = deepcopy(etree.fromstring(CAPTURED))
    for _ in range(changes):
        elements = list(root.iter("*"))
        one, other = chance.choice(elements), chance.choice(elements)
        attributes = [(each, name) for each in elements for name in each.attrib]
        holder, attribute = chance.choice(attributes)
        way = chance.randrange(8)
        parent = one.getparent()
        if way == 0:
            del holder.attrib[attribute]
        elif way == 1:
            holder.set(attribute, chance.choice(["", "0", "true", "unbounded", ":", "{}", "tns:"]))
        elif way == 2:
            giver, given_name = chance.choice(attributes)
            holder.set(attribute, giver.get(given_name, ""))
        elif way == 3:
            value = holder.attrib.pop(attribute)
            holder.set(chance.choice(attributes)[1], value)
        elif way == 4:
            one.tag = other.tag
        elif way == 5:
            one.append(deepcopy(other))
        elif parent is not None and way == 6:
            parent.remove(one)
        elif parent is not None:
            parent.replace(one, deepcopy(other))
    return etree.tostring(root)


def test_every_mutation_is_a_description_or_a_value_error() -> None:
    outcomes: set[type] = set()

    @settings(max_examples=300, deadline=None)
    @given(st.randoms(use_true_random=False), st.integers(1, 40))
    def try_one(chance: random.Random, changes: int) -> None:
        body = mutated(chance, changes)
        try:
            found = read(body)
        except ValueError:
            outcomes.add(ValueError)
            return
        outcomes.add(ServiceDescription)
        for each in found.operations.values():
            assert isinstance(each, OperationDescription)
            assert each.signature
            for element in (*each.parameters, *each.results):
                assert marked(element)

    try_one()
    assert outcomes == {ValueError, ServiceDescription}


def test_a_data_set_is_the_one_that_is_known() -> None:
    (parameter,) = read(wsdl(NET_2_DATA_SET)).operations["Op"].parameters
    assert parameter.type is DATA_SET
    with pytest.raises(ValueError, match=re.escape("is of type DataSet, which is read here")):
        parameter.to_content({})


def test_a_description_can_be_kept() -> None:
    described = read_wsdl(etree.fromstring(load("http/wsdl").body))
    for copied in (pickle.loads(pickle.dumps(described)), deepcopy(described)):  # noqa: S301 - our own
        assert {name: each.signature for name, each in copied.operations.items()} == {
            name: each.signature for name, each in described.operations.items()
        }
