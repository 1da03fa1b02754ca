"""Operation, key and arguments → the SOAP 1.1 or 1.2 request, from lxml templates built once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from lxml import etree

from dasp_async.messages import HttpRequest
from dasp_async.operations import NAMESPACE, Operation
from dasp_async.secret import Concealed, Secret
from dasp_async.soap import XSD, XSI, SoapVersion
from dasp_async.xsd import Nil

if TYPE_CHECKING:
    from dasp_async.xsd import Content, Element

# As the service's help page has it; lxml would write it with single quotes.
_DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
# Where a parameter goes
_PLACE: Final = "<!---->"
_HIDING: Final = (Secret, Concealed)


def render(
    operation: Operation[Any],
    version: SoapVersion,
    arguments: Sequence[object],
) -> HttpRequest:
    """The request that calls an operation.

    arguments: one value a parameter, in the parameters' order; a `Secret` is written as its
    text, and what is `Written` as it is. Raises `ValueError` if a value can't be written, naming
    the parameter, not the value.
    """
    elements = [
        argument if isinstance(argument, _HIDING) else _shown(parameter, argument)
        for parameter, argument in zip(operation.parameters, arguments, strict=True)
    ]
    rendered = _rendered(operation, version, elements)
    if isinstance(rendered, ValueError):
        raise rendered
    return rendered


class Written(Secret):
    """The element of a parameter that is secret, written once for many requests."""

    __slots__ = ()

    @classmethod
    def of(cls, parameter: Element, secret: Secret) -> Self:
        """The element; raises `ValueError` as `render` does."""
        element = _hidden(parameter, secret)
        if isinstance(element, ValueError):
            raise element
        return cls(element)


def _shown(parameter: Element, argument: object) -> str:
    """A parameter's element; no secret's, since others may raise anything."""
    try:
        return _element(parameter.name, parameter.to_content(argument))
    except ValueError as problem:
        raise ValueError(f"{parameter.name} {problem}") from None
    except RecursionError:
        raise ValueError(f"{parameter.name} is nested too deeply") from None


def _rendered(
    operation: Operation[Any],
    version: SoapVersion,
    elements: Sequence[str | Secret | Concealed],
) -> HttpRequest | ValueError:
    """The request, or what is wrong: an error raised here would have secrets in its frames."""
    text, pieces, headers = _template(operation, version)
    for parameter, element, piece in zip(operation.parameters, elements, pieces, strict=True):
        written = element if isinstance(element, str) else _hidden(parameter, element)
        if isinstance(written, ValueError):
            return written
        text += written + piece
    return HttpRequest(operation.name, headers, text.encode())


def _hidden(parameter: Element, argument: Secret | Concealed) -> str | ValueError:
    """A secret parameter's element, or what is wrong."""
    if isinstance(argument, Written):
        return argument.reveal()
    try:
        return _element(parameter.name, parameter.to_content(argument.reveal()))
    except ValueError as problem:
        return ValueError(f"{parameter.name} {problem}")
    except Exception as problem:  # noqa: BLE001 - whatever a value of the caller's raises
        return ValueError(f"{parameter.name} can't be read: {type(problem).__name__}")


def _element(name: str, content: Content) -> str:
    if isinstance(content, str):
        # XML 1.0 section 2.4; by section 2.11 a bare carriage return would be read as a line feed.
        text = content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        text = text.replace("\r", "&#13;")
        return f"<{name}>{text}</{name}>"
    if isinstance(content, Nil):
        return f'<{name} xsi:nil="true"/>'
    return f"<{name}>{''.join(_element(*each) for each in content)}</{name}>"


# Bounded, since an operation that has no row is a new one at each call.
@lru_cache
def _template(
    operation: Operation[Any], version: SoapVersion
) -> tuple[str, Sequence[str], Mapping[str, str]]:
    """The envelope's text before its parameters and after each, and the headers."""
    envelope = etree.Element(
        f"{{{version.namespace}}}Envelope",
        nsmap={"xsi": XSI, "xsd": XSD, version.prefix: version.namespace},
    )
    body = etree.SubElement(envelope, f"{{{version.namespace}}}Body")
    call = etree.SubElement(body, f"{{{NAMESPACE}}}{operation.name}", nsmap={None: NAMESPACE})
    for _ in operation.parameters:
        call.append(etree.Comment(""))
    # The help page's layout, so that a request can be held against it byte by byte.
    etree.indent(envelope)
    text = _DECLARATION + etree.tostring(envelope, encoding="unicode")
    beginning, *pieces = text.split(_PLACE)
    return beginning, pieces, MappingProxyType(_headers(operation, version))


def _headers(operation: Operation[Any], version: SoapVersion) -> dict[str, str]:
    headers = {"Content-Type": f"{version.media_type}; charset=utf-8"}
    if version is SoapVersion.SOAP_1_1:
        # SOAP 1.1 section 6.1.1: the quotes belong to the value.
        headers["SOAPAction"] = f'"{operation.soap_action}"'
    return headers
