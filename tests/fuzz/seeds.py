"""What fuzzing starts from: the captured answers, and a few for what was never captured."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

from dasp_async.operations import NAMESPACE
from dasp_async.soap import XSD, XSI, SoapVersion
from dasp_async.xsd import SIMPLE_TYPES
from tests import samples

_LONGEST: Final = 20_000
_HEADERS: Final = ("content-type", "retry-after", "date", "content-encoding")
_RESPONSE: Final = re.compile(rb"<(\w+)Response\b")


def envelope(content: str, version: SoapVersion = SoapVersion.SOAP_1_1) -> str:
    """A SOAP message."""
    return (
        f'<s:Envelope xmlns:s="{version.namespace}" xmlns:xsi="{XSI}"><s:Body>{content}'
        "</s:Body></s:Envelope>"
    )


def response(name: str, result: str) -> str:
    """A response with that in its result element."""
    return envelope(
        f'<{name}Response xmlns="{NAMESPACE}"><{name}Result>{result}</{name}Result>'
        f"</{name}Response>"
    )


def framed(
    operation: str, body: bytes, *headers: str, version: str = "1.1", status: int = 200
) -> bytes:
    """An input of an answer."""
    lines = [f"{operation} {version} {status}", *(headers or ["content-type: text/xml"])]
    return "\n".join(lines).encode() + b"\n\n" + body


_VALUES: Final = {
    "guid": "01234567-89ab-cdef-0123-456789abcdef",
    "dateTime": "2026-03-14T09:26:53Z",
    "date": "2026-03-14",
    "base64Binary": "YQ==",
    "hexBinary": "0f",
}
_MEMBERS: Final = "".join(
    f'<s:element minOccurs="0" name="{name}" type="s:{name}"/>' for name in SIMPLE_TYPES
)
_SCHEMA: Final = f"""
<s:complexType name="All"><s:sequence>{_MEMBERS}
<s:element name="again" type="t:All" nillable="true"/>
<s:element name="many" type="t:ArrayOfAll"/>
<s:element name="guid" type="g:guid"/>
<s:element name="any"/>
<s:element name="table"><s:complexType><s:sequence><s:element ref="s:schema"/><s:any/></s:sequence>
</s:complexType></s:element>
<s:element name="word" type="t:Word"/>
</s:sequence></s:complexType>
<s:complexType name="Derived"><s:complexContent><s:extension base="t:All"><s:sequence>
<s:element name="own" type="s:int"/></s:sequence></s:extension></s:complexContent></s:complexType>
<s:complexType name="ArrayOfAll"><s:sequence>
<s:element maxOccurs="unbounded" nillable="true" name="All" type="t:All"/>
</s:sequence></s:complexType>
<s:simpleType name="Word"><s:restriction base="s:string"><s:enumeration value="a"/>
</s:restriction></s:simpleType>
<s:element name="Op"><s:complexType><s:sequence><s:element name="key" type="s:string"/>
</s:sequence></s:complexType></s:element>
<s:element name="OpResponse"><s:complexType><s:sequence>
<s:element name="OpResult" type="t:Derived"/></s:sequence></s:complexType></s:element>
"""
WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
_ALL_KINDS: Final = f"""<w:definitions xmlns:w="{WSDL}" xmlns:b="{WSDL}soap/" xmlns:s="{XSD}"
 xmlns:g="http://microsoft.com/wsdl/types/" xmlns:t="{NAMESPACE}" targetNamespace="{NAMESPACE}">
<w:types><s:schema elementFormDefault="qualified" targetNamespace="{NAMESPACE}">{_SCHEMA}
</s:schema></w:types>
<w:message name="In"><w:part name="p" element="t:Op"/></w:message>
<w:message name="Out"><w:part name="p" element="t:OpResponse"/></w:message>
<w:portType name="P"><w:operation name="Op"><w:input message="t:In"/><w:output message="t:Out"/>
</w:operation></w:portType>
<w:binding name="B" type="t:P"><b:binding/><w:operation name="Op">
<b:operation soapAction="{NAMESPACE}Op"/><w:input><b:body use="literal"/></w:input>
</w:operation></w:binding></w:definitions>""".replace("\n", "")
# A description with every kind of type there is
_DESCRIBED: Final = framed("describe", _ALL_KINDS.encode())

_ALL: Final = "".join(
    f"<{name}>{_VALUES.get(name, '1')}</{name}>" for name in (*SIMPLE_TYPES, "guid")
)
_ONE: Final = f"{_ALL}<many><All>{_ALL}</All><All xsi:nil='true'/></many><again>{_ALL}</again>"
# Something for names that these WSDLs have
RESPONSE: Final = (
    f'<R xmlns="{NAMESPACE}"><GetJobStatusResult><JobName>a</JobName><StartDateTime>x'
    "</StartDateTime></GetJobStatusResult><GetDomainNamesResult><string>a</string>"
    "</GetDomainNamesResult><Sql2012CreateBackupResult>1</Sql2012CreateBackupResult>"
    "<OpResult><int>7</int></OpResult></R>"
)
_TWO_KINDS: Final = (
    "<EmailAddress>a@b</EmailAddress><Addresses><string>c@d</string><string/></Addresses>"
)


def _captured() -> Iterator[bytes]:
    for name in samples.names():
        sample = samples.load(name)
        if not sample.status or len(sample.body) > _LONGEST:
            continue
        found = _RESPONSE.search(sample.body)
        yield framed(
            found[1].decode() if found else "GetJobStatus",
            sample.body,
            *(f"{each}: {sample.headers[each]}" for each in _HEADERS if each in sample.headers),
            version="1.2" if name.startswith("soap12") else "1.1",
            status=sample.status,
        )


def _gzipped(body: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=31)
    return squeezer.compress(body) + squeezer.flush()


def _answers() -> Iterator[bytes]:
    yield from _captured()
    for name in ("SMAddUser", "SMAddAlias", "SMUpdateAliasAddresses"):
        yield framed(name, response(name, "").encode())
    aliases = response("SMGetAllAliases", f"<SMAlias>{_TWO_KINDS}</SMAlias>" * 2)
    yield framed("SMGetAllAliases", aliases.encode())
    plain = samples.load("soap11/completed").body
    headers = ("content-type: text/xml", "content-encoding: gzip")
    yield framed("GetJobStatus", _gzipped(plain), *headers)
    usage = samples.load("soap11/dataset").body
    usage = usage.replace(b"Day", b"UsageSummary").replace(b'"Date"', b'"UseDate"')
    yield framed("BandwidthGetUsage", usage)


def _plains() -> Iterator[bytes]:
    yield framed("Op", response("Op", _ONE).encode())
    yield from (each for each in _captured() if _RESPONSE.search(each))


def _wsdls() -> Iterator[bytes]:
    yield _DESCRIBED
    yield from (each for each in _captured() if b"definitions" in each)


def _zips() -> Iterator[bytes]:
    for cap in (b"\0\0", b"\0\xff", b"\xff\xff"):
        for content in (b"", b"<a/>", b"x" * 5000, samples.load("soap11/completed").body):
            packed = _gzipped(content)
            yield from (cap + packed, cap + packed[:-3], cap + packed + packed, cap + content)


SEEDS: Final = {
    "client": lambda: sorted(set(_answers())),
    "answer": lambda: sorted(set(_answers())),
    "plain": lambda: sorted(set(_plains())),
    "wsdl": lambda: sorted(set(_wsdls())),
    "gzip": lambda: sorted(set(_zips())),
}
