"""Results and faults → answers, byte for byte as ASMX writes them. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from dasp_async.operations import NAMESPACE
from dasp_async.soap import XSD, XSI, SoapVersion
from dasp_async.testing.contract import Operation
from dasp_async.testing.markup import element, escaped, text_element
from dasp_async.testing.results import write_value
from dasp_async.testing.script import FAULT_CODES, Fault, RawAnswer

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
    """The answer with a result; None leaves the result element out where the type has a null."""
    name, kind = operation.name, operation.result
    content = "" if kind is None else write_value(f"{name}Result", kind, result)
    response = element(f"{name}Response", content, f'xmlns="{NAMESPACE}"')
    try:
        return _answer(200, version, response)
    except UnicodeEncodeError:
        return write_fault(_surrogate_fault(response), version)


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


def _fault_1_1(fault: Fault) -> str:
    language = f'xml:lang="{fault.language}"' if fault.language else ""
    return (
        _code("faultcode", fault.code, SoapVersion.SOAP_1_1)
        + text_element("faultstring", fault.reason or "SoapException", language)
        + text_element("faultactor", fault.actor)
        + _detail(fault, "detail")
    )


def _fault_1_2(fault: Fault) -> str:
    subcode = (
        f"<soap:Subcode>{_code('soap:Value', fault.subcode, SoapVersion.SOAP_1_2)}</soap:Subcode>"
        if fault.subcode
        else ""
    )
    reason = text_element("soap:Text", fault.reason or "SoapException", 'xml:lang="en"')
    return (
        f"<soap:Code>{_code('soap:Value', fault.code, SoapVersion.SOAP_1_2)}{subcode}</soap:Code>"
        f"<soap:Reason>{reason}</soap:Reason>"
        + text_element("soap:Node", fault.actor)
        + text_element("soap:Role", fault.role)
        + _detail(fault, "soap:Detail")
    )


def _code(name: str, code: str, version: SoapVersion) -> str:
    if code in FAULT_CODES:
        return text_element(name, f"soap:{FAULT_CODES[code][version]}")
    namespace, _, local = code.lstrip("{").rpartition("}")
    return text_element(name, f"q0:{local}", f'xmlns:q0="{escaped(namespace)}"')


def _detail(fault: Fault, empty: str) -> str:
    # A fault about a header has no detail (SOAP 1.1 section 4.4).
    if fault.code == "MustUnderstand":
        return ""
    # ASMX writes the service's own detail unqualified, in SOAP 1.2 too.
    return f"<{empty} />" if fault.detail is None else f"<detail>{fault.detail}</detail>"


def _surrogate_fault(response: str) -> Fault:
    pair = _SURROGATE.search(response)
    high, low = (ord(half or "\0") for half in pair.groups()) if pair else (0, 0)
    return Fault(
        reason="Server was unable to process request. ---> There was an error generating the XML "
        f"document. ---> The surrogate pair (0x{high:X}, 0x{low:X}) is invalid. A high surrogate "
        "character (0xD800 - 0xDBFF) must always be paired with a low surrogate character "
        "(0xDC00 - 0xDFFF)."
    )
