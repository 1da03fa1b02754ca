"""Results and faults → answers, byte for byte as .NET's XmlTextWriter writes them. Pure.

Written as text, since lxml refuses what ASMX does send: raw CRs and references to control
characters, which make answers that are not XML.
"""

from __future__ import annotations

import re
from typing import Any, Final

from dasp_async.operations import NAMESPACE
from dasp_async.soap import XSD, XSI, SoapVersion
from dasp_async.testing.contract import Operation, RecordType
from dasp_async.testing.script import FAULT_CODES, Fault, RawAnswer

_REFERENCED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SURROGATE: Final = re.compile("([\ud800-\udfff])(.?)", re.DOTALL)

_SOAP_1_2_NAMESPACE: Final = SoapVersion.SOAP_1_2.namespace
# SOAP 1.2 part 1 section 5.4.7
_UPGRADE: Final = (
    f'<soap:Header><soap12:Upgrade xmlns:soap12="{_SOAP_1_2_NAMESPACE}">'
    + "".join(
        f'<soap12:SupportedEnvelope qname="{version.prefix}:Envelope" '
        f'xmlns:{version.prefix}="{version.namespace}" />'
        for version in SoapVersion
    )
    + "</soap12:Upgrade></soap:Header>"
)


def write_result(operation: Operation, version: SoapVersion, result: Any) -> RawAnswer:
    """The answer with a result; None leaves the result element out, as ASMX writes null."""
    response = f'{operation.name}Response xmlns="{NAMESPACE}"'
    content = "" if result is None else _result(operation, result)
    element = f"<{response}>{content}</{operation.name}Response>" if content else f"<{response} />"
    try:
        return _answer(200, version, element)
    except UnicodeEncodeError:
        return write_fault(_surrogate_fault(element), version)


def write_fault(fault: Fault, version: SoapVersion) -> RawAnswer:
    """The answer with a fault."""
    parts = _fault_1_1(fault) if version is SoapVersion.SOAP_1_1 else _fault_1_2(fault)
    header = _UPGRADE if fault.code == "VersionMismatch" else ""
    return _answer(500, version, f"<soap:Fault>{parts}</soap:Fault>", header, "replace")


def _answer(
    status: int, version: SoapVersion, content: str, header: str = "", errors: str = "strict"
) -> RawAnswer:
    envelope = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soap:Envelope xmlns:soap="{version.namespace}" xmlns:xsi="{XSI}" xmlns:xsd="{XSD}">'
        f"{header}<soap:Body>{content}</soap:Body></soap:Envelope>"
    )
    return RawAnswer(
        body=envelope.encode("utf-8", errors),
        status=status,
        content_type=f"{version.media_type}; charset=utf-8",
    )


def _result(operation: Operation, result: Any) -> str:
    name, kind = f"{operation.name}Result", operation.result
    if not isinstance(kind, RecordType):
        return _element(name, kind.to_text(result))
    members = "".join(
        _element(member.name, member.type.to_text(getattr(result, member.field)))
        for member in kind.members
    )
    return f"<{name}>{members}</{name}>"


def _fault_1_1(fault: Fault) -> str:
    language = f' xml:lang="{fault.language}"' if fault.language else ""
    return (
        _code("faultcode", fault.code, SoapVersion.SOAP_1_1)
        + _element("faultstring", fault.reason or "SoapException", language)
        + _element("faultactor", fault.actor)
        + _detail(fault, "detail")
    )


def _fault_1_2(fault: Fault) -> str:
    subcode = (
        f"<soap:Subcode>{_code('soap:Value', fault.subcode, SoapVersion.SOAP_1_2)}</soap:Subcode>"
        if fault.subcode
        else ""
    )
    reason = _element("soap:Text", fault.reason or "SoapException", ' xml:lang="en"')
    return (
        f"<soap:Code>{_code('soap:Value', fault.code, SoapVersion.SOAP_1_2)}{subcode}</soap:Code>"
        f"<soap:Reason>{reason}</soap:Reason>"
        + _element("soap:Node", fault.actor)
        + _element("soap:Role", fault.role)
        + _detail(fault, "soap:Detail")
    )


def _code(name: str, code: str, version: SoapVersion) -> str:
    if code in FAULT_CODES:
        return _element(name, f"soap:{FAULT_CODES[code][version]}")
    namespace, _, local = code.lstrip("{").rpartition("}")
    return _element(name, f"q0:{local}", f' xmlns:q0="{_escaped(namespace)}"')


def _detail(fault: Fault, empty: str) -> str:
    # A fault about a header has no detail (SOAP 1.1 section 4.4).
    if fault.code == "MustUnderstand":
        return ""
    # ASMX writes the service's own detail unqualified, in SOAP 1.2 too.
    return f"<{empty} />" if fault.detail is None else f"<detail>{fault.detail}</detail>"


def _element(name: str, text: str | None, attributes: str = "") -> str:
    """An element with text; nothing for None, which is how ASMX writes null."""
    if text is None:
        return ""
    return f"<{name}{attributes}>{_escaped(text)}</{name}>" if text else f"<{name}{attributes} />"


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _REFERENCED.sub(lambda found: f"&#x{ord(found[0]):X};", text)


def _surrogate_fault(element: str) -> Fault:
    pair = _SURROGATE.search(element)
    high, low = (ord(half or "\0") for half in pair.groups()) if pair else (0, 0)
    return Fault(
        reason="Server was unable to process request. ---> There was an error generating the XML "
        f"document. ---> The surrogate pair (0x{high:X}, 0x{low:X}) is invalid. A high surrogate "
        "character (0xD800 - 0xDBFF) must always be paired with a low surrogate character "
        "(0xDC00 - 0xDFFF)."
    )
