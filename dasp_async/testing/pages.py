"""What the address answers besides SOAP: help pages, the WSDL, and HTML for errors. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final
from urllib.parse import parse_qs

from dasp_async.operations import NAMESPACE
from dasp_async.soap import XSD, XSI, SoapVersion
from dasp_async.testing.contract import Contract, Operation
from dasp_async.testing.script import RawAnswer
from dasp_async.testing.types import ArrayType, DataSetType, RecordType, ValueType
from dasp_async.testing.wsdl import wsdl

PATH: Final = "/1.0/customerapi.asmx"


def page(
    scope: Mapping[str, Any], headers: Mapping[str, str], contract: Contract
) -> RawAnswer | None:
    """The answer to a request that is not for the SOAP layer; None for one that is."""
    path = re.sub("/+", "/", scope["path"])
    name = path[len(PATH) :]
    if path[: len(PATH)].lower() != PATH or name[:1] not in {"", "/"}:
        return _error(404, "The resource cannot be found.")
    if scope["method"] == "GET":
        return _got(scope, headers.get("host", ""), name, contract)
    if scope["method"] != "POST":
        return _error(405, "A runtime error has occurred")
    if headers.get("content-type", "").lower().startswith("application/json"):
        return _error(500, "A runtime error has occurred")
    if name:
        return RawAnswer(
            f"{name.lstrip('/')} Web Service method name is not valid.\n",
            status=500,
            content_type="text/plain; charset=utf-8",
        )
    return None


def _got(scope: Mapping[str, Any], host: str, name: str, contract: Contract) -> RawAnswer:
    if name:
        return _error(
            500, f"Request format is unrecognized for URL unexpectedly ending in '{name}'."
        )
    query = scope["query_string"].decode()
    if query.lower() == "wsdl":
        return RawAnswer(
            wsdl(contract.operations, f"{scope['scheme']}://{host}{PATH}"),
            content_type="text/xml; charset=utf-8",
        )
    operation = contract.by_name.get(parse_qs(query).get("op", [""])[0])
    content = _list(contract.operations) if operation is None else _help(operation, host)
    return _html("CustomerApi Web Service", content)


def _error(status: int, message: str) -> RawAnswer:
    text = f"<h1>Server Error in '/' Application.</h1>\n<h2>{escape(message)}</h2>"
    return _html(escape(message), text, status)


def _html(title: str, content: str, status: int = 200) -> RawAnswer:
    return RawAnswer(
        f"<!DOCTYPE html>\n<html>\n<head><title>{title}</title></head>\n"
        f"<body>\n{content}\n</body>\n</html>\n",
        status=status,
        content_type="text/html; charset=utf-8",
    )


def _list(operations: Sequence[Operation]) -> str:
    rows = "\n".join(
        f'<li><a href="?op={operation.name}">{operation.name}</a>'
        f"<br>{escape(operation.documentation)}</li>"
        for operation in operations
    )
    return (
        "<h1>CustomerApi</h1>\n<p>The following operations are supported. For a formal "
        f'definition, please review the <a href="?WSDL">Service Description</a>.</p>\n'
        f"<ul>\n{rows}\n</ul>"
    )


def _help(operation: Operation, host: str) -> str:
    samples = "\n".join(_samples(operation, version, host) for version in SoapVersion)
    return (
        "<h1>CustomerApi</h1>\n"
        '<p>Click <a href="customerapi.asmx">here</a> for a complete list of operations.</p>\n'
        f"<h2>{operation.name}</h2>\n<p>{escape(operation.documentation)}</p>\n"
        "<h3>Test</h3>\n"
        "<p>The test form is only available for requests from the local machine.</p>\n" + samples
    )


def _samples(operation: Operation, version: SoapVersion, host: str) -> str:
    name = f"SOAP {version.value}"
    content_type = f"Content-Type: {version.media_type}; charset=utf-8\nContent-Length: length\n"
    action = f'SOAPAction: "{operation.action}"\n' if version is SoapVersion.SOAP_1_1 else ""
    parameters = [line for each in operation.parameters for line in _sample(each.name, each.type)]
    request = f"POST {PATH} HTTP/1.1\nHost: {host}\n{content_type}{action}\n" + _envelope(
        version, operation.name, parameters
    )
    response = f"HTTP/1.1 200 OK\n{content_type}\n" + _envelope(
        version, f"{operation.name}Response", _result(operation)
    )
    return (
        f"<h3>{name}</h3>\n<p>The following is a sample {name} request and response. The "
        "placeholders shown need to be replaced with actual values.</p>\n"
        f"<pre>{escape(request)}</pre>\n<pre>{escape(response)}</pre>"
    )


def _envelope(version: SoapVersion, element: str, lines: list[str]) -> str:
    prefix = version.prefix
    start = f'{element} xmlns="{NAMESPACE}"'
    content = "".join(f"      {line}\n" for line in lines)
    whole = f"<{start}>\n{content}    </{element}>" if lines else f"<{start} />"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<{prefix}:Envelope xmlns:xsi="{XSI}" xmlns:xsd="{XSD}" '
        f'xmlns:{prefix}="{version.namespace}">\n  <{prefix}:Body>\n'
        f"    {whole}\n  </{prefix}:Body>\n</{prefix}:Envelope>"
    )


def _result(operation: Operation) -> list[str]:
    kind = operation.result
    return [] if kind is None else _sample(f"{operation.name}Result", kind)


def _sample(name: str, kind: ValueType | DataSetType) -> list[str]:
    """The lines that show a value of a type; of an array they show two items."""
    if isinstance(kind, ArrayType):
        lines = _sample(kind.item.name, kind.item) * 2
    elif isinstance(kind, RecordType):
        lines = [line for each in kind.members for line in _sample(each.name, each.type)]
    elif isinstance(kind, DataSetType):
        return [f"<{name}>", f"  <xsd:schema>schema</xsd:schema>xml</{name}>"]
    else:
        return [f"<{name}>{kind.name}</{name}>"]
    return [f"<{name}>", *(f"  {line}" for line in lines), f"</{name}>"]
