"""Operation, key and arguments → the SOAP 1.1 or 1.2 request, from lxml templates built once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from dasp_async.messages import HttpRequest
from dasp_async.operations import NAMESPACE, Operation
from dasp_async.secret import Secret
from dasp_async.soap import XSD, XSI, SoapVersion
from dasp_async.xsd import Nil

if TYPE_CHECKING:
    from lxml.etree import _Element

    from dasp_async.xsd import Content, Element

# As the service's help page has it; lxml would write it with single quotes.
_DECLARATION: Final = b'<?xml version="1.0" encoding="utf-8"?>\n'


@dataclass(frozen=True, slots=True)
class _Template:
    envelope: _Element
    headers: Mapping[str, str]


def render(
    operation: Operation[Any],
    version: SoapVersion,
    arguments: Sequence[object],
) -> HttpRequest:
    """The request that calls an operation.

    arguments: one value a parameter, in the parameters' order; a `Secret` is written as its
    text. Raises `ValueError` if a value can't be written, naming the parameter, not the value.
    """
    template = _template(operation, version)
    envelope = deepcopy(template.envelope)
    for element, parameter, argument in zip(
        envelope[0][0], operation.parameters, arguments, strict=True
    ):
        problem = _write(element, parameter, argument)
        if problem is not None:
            raise ValueError(f"{parameter.name} {problem}")
    return HttpRequest(
        operation.name,
        template.headers,
        _DECLARATION + etree.tostring(envelope, encoding="utf-8"),
    )


def _write(element: _Element, parameter: Element, argument: object) -> str | None:
    """Write an argument; what is wrong with it is returned, since an error's frames would hold it.

    A secret's text is bound to no name here.
    """
    try:
        _fill(
            element,
            parameter.to_content(argument.reveal() if isinstance(argument, Secret) else argument),
        )
    except ValueError as problem:
        return str(problem)
    return None


def _fill(element: _Element, content: Content) -> None:
    if isinstance(content, str):
        element.text = content
    elif isinstance(content, Nil):
        element.set(f"{{{XSI}}}nil", "true")
    else:
        for name, inner in content:
            _fill(etree.SubElement(element, f"{{{NAMESPACE}}}{name}"), inner)


# Bounded, since an operation that has no row is a new one at each call.
@lru_cache
def _template(operation: Operation[Any], version: SoapVersion) -> _Template:
    envelope = etree.Element(
        f"{{{version.namespace}}}Envelope",
        nsmap={"xsi": XSI, "xsd": XSD, version.prefix: version.namespace},
    )
    body = etree.SubElement(envelope, f"{{{version.namespace}}}Body")
    call = etree.SubElement(body, f"{{{NAMESPACE}}}{operation.name}", nsmap={None: NAMESPACE})
    for parameter in operation.parameters:
        etree.SubElement(call, f"{{{NAMESPACE}}}{parameter.name}")
    # The help page's layout, so that a request can be held against it byte by byte.
    etree.indent(envelope)
    return _Template(envelope, MappingProxyType(_headers(operation, version)))


def _headers(operation: Operation[Any], version: SoapVersion) -> dict[str, str]:
    headers = {"Content-Type": f"{version.media_type}; charset=utf-8"}
    if version is SoapVersion.SOAP_1_1:
        # SOAP 1.1 section 6.1.1: the quotes belong to the value.
        headers["SOAPAction"] = f'"{operation.soap_action}"'
    return headers
