"""An HTTP request → the call it makes, or how ASMX's SOAP layer refuses it. Pure.

In the order of the published source of `SoapServerProtocol`: guess the version from the headers,
find the operation, check the content type, let the envelope decide the version, read parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_plus

from dasp_async.soap import SoapVersion, is_soap
from dasp_async.testing.contract import Contract, Operation
from dasp_async.testing.document import Document, Element, NotXml, parse
from dasp_async.testing.parameters import read_parameters
from dasp_async.testing.script import Fault, RawAnswer

MAX_REQUEST_BYTES: Final = 4096 * 1024  # httpRuntime's maxRequestLength, if nobody sets it

_VERSIONS: Final = {version.namespace: version for version in SoapVersion}

_MISSING_BODY: Final = "Request format is invalid: Missing required soap:Body element."
_TOO_LARGE: Final = Fault(
    reason="There was an exception running the extensions specified in the config file. ---> "
    "Upload size exceeds httpRuntime limit."
)


@dataclass(frozen=True, slots=True)
class Request:
    """A POST: its headers, with names in lower case, and its body, which holds the key."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        """The Content-Type header, empty if there is none."""
        return self.headers.get("content-type", "")

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def is_too_large(self) -> bool:
        """Whether the body is longer than ASP.NET takes; the rest of it may not be there."""
        return len(self.body) > MAX_REQUEST_BYTES


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call that the service's code is to run.

    sent: the parameters as they were sent, by name. values: by key, as the service's code gets
    them, those that were missing too. not_understood: the fault to answer once it has run, for a
    header that had to be understood; None for none.
    """

    operation: Operation
    sent: Mapping[str, Any]
    values: Mapping[str, Any]
    not_understood: Fault | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of a request.

    version: the one to answer in. operation: the one it was routed to, None if to none.
    request: what is to be run, or how the SOAP layer refuses it.
    """

    version: SoapVersion
    operation: Operation | None
    request: Invocation | Fault | RawAnswer


class _Refused(Exception):
    """The SOAP layer stops here; `version` is the one to answer in."""

    def __init__(self, version: SoapVersion, refusal: Fault | RawAnswer) -> None:
        super().__init__()
        self.version = version
        self.refusal = refusal


def read(request: Request, contract: Contract) -> Reading:
    """What a POST to the service's address asks for."""
    version = _guess(request)
    document = parse(request.body, _charset(request))
    operation = None
    try:
        operation = _route(request, document, version, contract)
        version, body = _body(request, document, version)
        sent, values = _parameters(body, operation, version)
    except _Refused as refused:
        return Reading(refused.version, operation, refused.refusal)
    not_understood = _not_understood(document, version)
    return Reading(version, operation, Invocation(operation, sent, values, not_understood))


def _guess(request: Request) -> SoapVersion:
    is_1_2 = request.media_type == SoapVersion.SOAP_1_2.media_type
    return SoapVersion("1.2" if is_1_2 or "soapaction" not in request.headers else "1.1")


def _charset(request: Request) -> str | None:
    """The encoding to read the body in; None leaves it to the XML declaration."""
    charset = _content_type_parameter(request, "charset")
    try:
        # Punycode, which .NET has not, fails at what is not ASCII, "replace" or not.
        b"\xff".decode(charset, "replace")
    except (LookupError, ValueError):
        # RFC 3023 section 3.1: text/* is ASCII unless it says otherwise.
        return None if request.media_type.startswith("application/") else "ascii"
    return charset


def _content_type_parameter(request: Request, name: str) -> str:
    """A parameter of the content type, empty if it is missing."""
    for parameter in request.content_type.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == name:
            return value.strip(" \t\"'")
    return ""


def _route(
    request: Request, document: Document, version: SoapVersion, contract: Contract
) -> Operation:
    if version is SoapVersion.SOAP_1_1:
        return _route_by_action(request.headers["soapaction"], contract)
    action = unquote_plus(_content_type_parameter(request, "action"))
    if action in contract.by_action:
        return contract.by_action[action]
    if request.is_too_large:
        raise _Refused(version, _TOO_LARGE)
    return _route_by_element(document, action, contract)


def _route_by_action(action: str, contract: Contract) -> Operation:
    if action.startswith('"') and action.endswith('"'):
        action = action[1:-1]
    action = unquote_plus(action)
    if action in contract.by_action:
        return contract.by_action[action]
    reason = f"Server did not recognize the value of HTTP Header SOAPAction: {action}."
    raise _Refused(SoapVersion.SOAP_1_1, Fault(code="Client", reason=reason))


def _route_by_element(document: Document, action: str, contract: Contract) -> Operation:
    try:
        element = _request_element(document)
    except NotXml as problem:
        refusal = Fault(reason=f"Server was unable to process request. ---> {problem}")
    else:
        if element in contract.by_element:
            return contract.by_element[element]
        refusal = Fault(code="Client", reason=_unrouted(action))
    root = document.root
    raise _Refused(SoapVersion.SOAP_1_2 if root is None else _version(root), refusal)


def _unrouted(action: str) -> str:
    if action:
        return f"Unable to handle request. The action '{action}' was not recognized."
    return (
        "Unable to handle request without a valid action parameter. "
        "Please supply a valid soap action."
    )


def _request_element(document: Document) -> str:
    """The tag of the first element in the body, empty if there is none.

    Raises `NotXml` for what is met on the way there, not for what comes after.
    """
    body = None if document.root is None else _body_of(document.root)
    if body is not None and body.children:
        return body.children[0].tag
    if document.problem is not None:
        raise document.problem
    if body is None:
        raise NotXml(_MISSING_BODY)
    return ""


def _body_of(root: Element) -> Element | None:
    return root.child(f"{{{root.namespace}}}Body")


def _version(root: Element) -> SoapVersion:
    if root.namespace in _VERSIONS:
        return _VERSIONS[root.namespace]
    reason = (
        f"Possible SOAP version mismatch: Envelope namespace {root.namespace} was unexpected. "
        f"Expecting {SoapVersion.SOAP_1_1.namespace}."
    )
    raise _Refused(SoapVersion.SOAP_1_1, Fault(code="VersionMismatch", reason=reason))


def _body(
    request: Request, document: Document, version: SoapVersion
) -> tuple[SoapVersion, Element]:
    """The version that the envelope is in, and its body."""
    if request.is_too_large:
        raise _Refused(version, _TOO_LARGE)
    if not is_soap(request.media_type):
        raise _Refused(version, _empty(415, version))
    root = document.root
    if root is not None:
        version = _version(root)
    # SOAP 1.2 in text/xml is accepted, SOAP 1.1 in application/soap+xml is not.
    if version is SoapVersion.SOAP_1_1 and request.media_type != version.media_type:
        raise _Refused(version, _empty(415, version))
    if root is None or document.problem is not None or not root.tag.endswith("}Envelope"):
        raise _Refused(version, _empty(400, version))
    body = _body_of(root)
    if body is None:
        raise _Refused(version, _unreadable(_MISSING_BODY))
    return version, body


def _parameters(
    body: Element, operation: Operation, version: SoapVersion
) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        return read_parameters(body, operation)
    except NotXml:
        raise _Refused(version, _empty(400, version)) from None
    except ValueError as problem:
        raise _Refused(version, _unreadable(str(problem))) from None


def _not_understood(document: Document, version: SoapVersion) -> Fault | None:
    """The fault for the first header that had to be understood; the fake understands none."""
    namespace = f"{{{version.namespace}}}"
    header = None if document.root is None else document.root.child(f"{namespace}Header")
    for child in header.children if header else ():
        if child.attributes.get(f"{namespace}mustUnderstand") in {"1", "true"}:
            name = child.tag.rpartition("}")[2]
            return Fault(code="MustUnderstand", reason=f"SOAP header {name} was not understood.")
    return None


def _unreadable(why: str) -> Fault:
    return Fault(code="Client", reason=f"Server was unable to read request. ---> {why}")


def _empty(status: int, version: SoapVersion) -> RawAnswer:
    return RawAnswer(status=status, content_type=f"{version.media_type}; charset=utf-8")
