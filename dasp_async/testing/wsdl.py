"""The WSDL of the fake's operations, in the shape that ASMX gives it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from dasp_async.operations import NAMESPACE
from dasp_async.testing.contract import OPERATIONS, Named, Operation, RecordType

_OPENING: Final = f"""<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"\
 xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/"\
 xmlns:s1="http://microsoft.com/wsdl/types/"\
 xmlns:http="http://schemas.xmlsoap.org/wsdl/http/"\
 xmlns:tns="{NAMESPACE}"\
 xmlns:mime="http://schemas.xmlsoap.org/wsdl/mime/"\
 xmlns:tm="http://microsoft.com/wsdl/mime/textMatching/"\
 xmlns:s="http://www.w3.org/2001/XMLSchema"\
 xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"\
 targetNamespace="{NAMESPACE}"\
 xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/">
"""

_HEX: Final = "[0-9a-fA-F]"
_GUID_SCHEMA: Final = f"""
<s:schema elementFormDefault="qualified" targetNamespace="http://microsoft.com/wsdl/types/">
  <s:simpleType name="guid">
    <s:restriction base="s:string">
      <s:pattern value="{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}" />
    </s:restriction>
  </s:simpleType>
</s:schema>
"""

_BINDINGS: Final = {"CustomerApiSoap": "soap", "CustomerApiSoap12": "soap12"}


def wsdl(address: str) -> str:
    """The document; `address` is where the service can be called."""
    schema = (
        f'<s:schema elementFormDefault="qualified" targetNamespace="{NAMESPACE}">\n'
        '<s:import namespace="http://microsoft.com/wsdl/types/" />\n'
        f"{_each(_elements)}</s:schema>"
    )
    bindings = "".join(_binding(name, prefix) for name, prefix in _BINDINGS.items())
    ports = "".join(
        f'<wsdl:port name="{name}" binding="tns:{name}">\n'
        f"<{prefix}:address location={quoteattr(address)} />\n</wsdl:port>\n"
        for name, prefix in _BINDINGS.items()
    )
    return (
        f"{_OPENING}<wsdl:types>\n{schema}{_GUID_SCHEMA}</wsdl:types>\n{_each(_messages)}"
        f'<wsdl:portType name="CustomerApiSoap">\n{_each(_port_operation)}</wsdl:portType>\n'
        f'{bindings}<wsdl:service name="CustomerApi">\n{ports}</wsdl:service>\n</wsdl:definitions>'
    )


def _each(part: Callable[[Operation], str]) -> str:
    return "".join(map(part, OPERATIONS))


def _elements(operation: Operation) -> str:
    name, kind = operation.name, operation.result
    parameters = _sequence(operation.parameters)
    if isinstance(kind, RecordType):
        result = _member(f"{name}Result", f"tns:{kind.name}", nullable=True)
        record = f'<s:complexType name="{kind.name}">\n{_sequence(kind.members)}</s:complexType>\n'
    else:
        result = _member(f"{name}Result", kind.name, nullable=kind.nullable)
        record = ""
    return (
        f'<s:element name="{name}">\n<s:complexType>\n{parameters}</s:complexType>\n</s:element>\n'
        f'<s:element name="{name}Response">\n<s:complexType>\n<s:sequence>\n{result}'
        f"</s:sequence>\n</s:complexType>\n</s:element>\n{record}"
    )


def _sequence(members: tuple[Named, ...]) -> str:
    rows = "".join(
        _member(each.name, each.type.name, nullable=each.type.nullable) for each in members
    )
    return f"<s:sequence>\n{rows}</s:sequence>\n"


def _member(name: str, type_name: str, *, nullable: bool) -> str:
    least = 0 if nullable else 1
    return f'<s:element minOccurs="{least}" maxOccurs="1" name="{name}" type="{type_name}" />\n'


def _messages(operation: Operation) -> str:
    name = operation.name
    return "".join(
        f'<wsdl:message name="{name}Soap{way}">\n'
        f'<wsdl:part name="parameters" element="tns:{element}" />\n</wsdl:message>\n'
        for way, element in (("In", name), ("Out", f"{name}Response"))
    )


def _port_operation(operation: Operation) -> str:
    name = operation.name
    return (
        f'<wsdl:operation name="{name}">\n'
        f"<wsdl:documentation>{escape(operation.documentation)}</wsdl:documentation>\n"
        f'<wsdl:input message="tns:{name}SoapIn" />\n'
        f'<wsdl:output message="tns:{name}SoapOut" />\n</wsdl:operation>\n'
    )


def _binding(name: str, prefix: str) -> str:
    body = f'<{prefix}:body use="literal" />'
    operations = "".join(
        f'<wsdl:operation name="{operation.name}">\n'
        f'<{prefix}:operation soapAction="{operation.action}" style="document" />\n'
        f"<wsdl:input>\n{body}\n</wsdl:input>\n<wsdl:output>\n{body}\n</wsdl:output>\n"
        "</wsdl:operation>\n"
        for operation in OPERATIONS
    )
    return (
        f'<wsdl:binding name="{name}" type="tns:CustomerApiSoap">\n'
        f'<{prefix}:binding transport="http://schemas.xmlsoap.org/soap/http" />\n'
        f"{operations}</wsdl:binding>\n"
    )
