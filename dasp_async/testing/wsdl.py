"""The WSDL of the fake's operations, in the shape that ASMX gives it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from dasp_async.operations import NAMESPACE
from dasp_async.testing.contract import Operation
from dasp_async.testing.types import (
    GUID,
    ArrayType,
    DataSetType,
    Element,
    RecordType,
    SimpleType,
    ValueType,
)

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

_GUID_IMPORT: Final = '<s:import namespace="http://microsoft.com/wsdl/types/" />\n'

_ANY_DATA_SET: Final = """<s:complexType>
<s:sequence maxOccurs="unbounded">
<s:any minOccurs="0" namespace="http://www.w3.org/2001/XMLSchema" processContents="lax" />
<s:any minOccurs="0" namespace="urn:schemas-microsoft-com:xml-diffgram-v1" processContents="lax" />
</s:sequence>
</s:complexType>
"""

_BINDINGS: Final = {"CustomerApiSoap": "soap", "CustomerApiSoap12": "soap12"}


def wsdl(operations: Sequence[Operation], address: str) -> str:
    """The document; `address` is where the service can be called."""
    elements = _elements(operations)
    uses_guids = f'type="{_qname(GUID)}"' in elements
    schema = (
        f'<s:schema elementFormDefault="qualified" targetNamespace="{NAMESPACE}">\n'
        f"{_GUID_IMPORT if uses_guids else ''}{elements}</s:schema>"
        f"{_GUID_SCHEMA if uses_guids else ''}"
    )
    messages = "".join(map(_messages, operations))
    port = "".join(map(_port_operation, operations))
    bindings = "".join(_binding(name, prefix, operations) for name, prefix in _BINDINGS.items())
    ports = "".join(
        f'<wsdl:port name="{name}" binding="tns:{name}">\n'
        f"<{prefix}:address location={quoteattr(address)} />\n</wsdl:port>\n"
        for name, prefix in _BINDINGS.items()
    )
    return (
        f"{_OPENING}<wsdl:types>\n{schema}</wsdl:types>\n{messages}"
        f'<wsdl:portType name="CustomerApiSoap">\n{port}</wsdl:portType>\n'
        f'{bindings}<wsdl:service name="CustomerApi">\n{ports}</wsdl:service>\n</wsdl:definitions>'
    )


def _elements(operations: Sequence[Operation]) -> str:
    """The elements of all messages, and after the first that needs it each complex type."""
    written: dict[str, str] = {}
    for operation in operations:
        name, result = operation.name, operation.result
        answered = "" if result is None else _member(f"{name}Result", result)
        written[name] = _element(name, _members(operation.parameters))
        for each in operation.parameters:
            _add_types(written, each.type)
        written[f"{name}Response"] = _element(f"{name}Response", answered)
        _add_types(written, result)
    return "".join(written.values())


def _add_types(written: dict[str, str], kind: ValueType | DataSetType | None) -> None:
    """Add a type, if it is a complex one that has a name, and then those that it is made of."""
    if isinstance(kind, ArrayType):
        written.setdefault(_qname(kind), _complex_type(_item(kind.item), f' name="{kind.name}"'))
        _add_types(written, kind.item)
    if isinstance(kind, RecordType):
        content = _members(kind.members)
        written.setdefault(_qname(kind), _complex_type(content, f' name="{kind.name}"'))
        for member in kind.members:
            _add_types(written, member.type)


def _element(name: str, content: str) -> str:
    return f'<s:element name="{name}">\n{_complex_type(content)}</s:element>\n'


def _complex_type(content: str, attributes: str = "") -> str:
    if not content:
        return f"<s:complexType{attributes} />\n"
    return f"<s:complexType{attributes}>\n<s:sequence>\n{content}</s:sequence>\n</s:complexType>\n"


def _members(members: tuple[Element, ...]) -> str:
    return "".join(_member(each.name, each.type) for each in members)


def _member(name: str, kind: ValueType | DataSetType) -> str:
    if isinstance(kind, DataSetType):
        start = f'<s:element minOccurs="0" maxOccurs="1" name="{name}">'
        return f"{start}\n{_ANY_DATA_SET}</s:element>\n"
    least = 0 if kind.missing is None else 1
    return f'<s:element minOccurs="{least}" maxOccurs="1" name="{name}" type="{_qname(kind)}" />\n'


def _item(kind: ValueType) -> str:
    nillable = ' nillable="true"' if kind.missing is None else ""
    return (
        f'<s:element minOccurs="0" maxOccurs="unbounded" name="{kind.name}"{nillable} '
        f'type="{_qname(kind)}" />\n'
    )


def _qname(kind: ValueType) -> str:
    return f"{kind.prefix if isinstance(kind, SimpleType) else 'tns'}:{kind.name}"


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


def _binding(name: str, prefix: str, rows: Sequence[Operation]) -> str:
    body = f'<{prefix}:body use="literal" />'
    operations = "".join(
        f'<wsdl:operation name="{operation.name}">\n'
        f'<{prefix}:operation soapAction="{operation.action}" style="document" />\n'
        f"<wsdl:input>\n{body}\n</wsdl:input>\n<wsdl:output>\n{body}\n</wsdl:output>\n"
        "</wsdl:operation>\n"
        for operation in rows
    )
    return (
        f'<wsdl:binding name="{name}" type="tns:CustomerApiSoap">\n'
        f'<{prefix}:binding transport="http://schemas.xmlsoap.org/soap/http" />\n'
        f"{operations}</wsdl:binding>\n"
    )
