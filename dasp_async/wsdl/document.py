"""A WSDL document → the operations of its SOAP bindings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from dasp_async.soap import XSD, SoapVersion
from dasp_async.wsdl.description import OperationDescription, ServiceDescription
from dasp_async.wsdl.schema import Schemas, qualified
from dasp_async.xsd import Element, OpaqueType, local

if TYPE_CHECKING:
    from datetime import datetime

    from lxml.etree import _Element

_WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
# WSDL 1.1 section 3, and the W3C's submission that extends it for SOAP 1.2
_EXTENSIONS: Final = {
    SoapVersion.SOAP_1_1: f"{_WSDL}soap/",
    SoapVersion.SOAP_1_2: f"{_WSDL}soap12/",
}

# One name can be a part of many others, which would each cost its length, and lxml goes through
# all attributes of an element for each that is read.
LONGEST_ATTRIBUTE: Final = 500
MOST_ATTRIBUTES: Final = 100


def read_wsdl(root: _Element, *, served_at: datetime | None = None) -> ServiceDescription:
    """The service that a WSDL describes; raises `ValueError` if no operation can be found in it.

    What can't be read of one operation is its `problem`, and no obstacle to the others.
    """
    if root.tag != _wsdl("definitions"):
        raise ValueError(f"its root is {root.tag!s}, not WSDL 1.1's {_wsdl('definitions')}")
    if root.xpath(f"boolean(//@*[string-length() > {LONGEST_ATTRIBUTE}])"):
        raise ValueError(f"it has an attribute of more than {LONGEST_ATTRIBUTE} characters")
    if root.xpath(f"boolean(//*[count(@*) > {MOST_ATTRIBUTES}])"):
        raise ValueError(f"it has an element of more than {MOST_ATTRIBUTES} attributes")
    operations: dict[str, OperationDescription] = {}
    document = _Document(root)
    for bound in document.bound():
        found = document.operation(bound)
        before = operations.get(found.name, found)
        operations[found.name] = replace(
            before,
            versions=before.versions | found.versions,
            problem=before.problem or found.problem,
        )
    if not operations:
        imports = [each.get("location", "") for each in root.iterfind(_wsdl("import"))]
        raise ValueError(
            "it has no operation bound to SOAP"
            + (f"; it imports {', '.join(imports)}, which is not fetched" if imports else "")
        )
    return ServiceDescription(namespace=document.target, operations=operations, served_at=served_at)


@dataclass(frozen=True, slots=True)
class _Bound:
    """An operation in a binding: `element` is its own, `general` what SOAP says of the binding."""

    version: SoapVersion
    port_type: str
    general: _Element
    element: _Element

    def soap(self, path: str) -> Iterator[_Element]:
        """Elements of the binding's SOAP extension in the operation; `path` without namespaces."""
        *steps, last = path.split("/")
        extension = f"{{{_EXTENSIONS[self.version]}}}{last}"
        return self.element.iterfind("/".join([*map(_wsdl, steps), extension]))

    def setting(self, attribute: str) -> str:
        """An attribute that stands at the operation, or else at the whole binding; or empty."""
        found = (each.get(attribute, "") for each in (*self.soap("operation"), self.general))
        return next(filter(None, found), "")

    @property
    def problem(self) -> str | None:
        """What of the way it is bound can't be done here."""
        style = self.setting("style") or "document"
        if style != "document":
            return f"it is of style {style}, not document"
        for body in (*self.soap("input/body"), *self.soap("output/body")):
            if body.get("use", "literal") != "literal":
                return f"its use is {body.get('use')}, not literal"
        for header in self.soap("input/header"):
            return f"it takes a SOAP header, {header.get('part', '')}".rstrip(", ")
        return None


class _Document:
    """A WSDL's parts by their names."""

    def __init__(self, root: _Element) -> None:
        self.target = root.get("targetNamespace", "")
        self._root = root
        self._messages = {
            f"{{{self.target}}}{each.get('name')}": each.findall(_wsdl("part"))
            for each in root.iterfind(_wsdl("message"))
        }
        # By port type, name and the input's name; and again without that, for the first of a name
        self._ports: dict[tuple[str | None, ...], _Element] = {}
        for port_type in root.iterfind(_wsdl("portType")):
            for port in port_type.iterfind(_wsdl("operation")):
                names = (f"{{{self.target}}}{port_type.get('name')}", port.get("name"))
                self._ports.setdefault(names, port)
                self._ports.setdefault((*names, _input_name(port)), port)
        self._described: dict[_Element, OperationDescription] = {}
        schemas = root.iterfind(f"{_wsdl('types')}/{{{XSD}}}schema")
        self._schemas = Schemas(schemas, self.target)

    def bound(self) -> Iterator[_Bound]:
        """Every operation of every binding to SOAP."""
        for version, extension in _EXTENSIONS.items():
            for binding in self._root.iterfind(_wsdl("binding")):
                general = binding.find(f"{{{extension}}}binding")
                if general is not None:
                    port_type = qualified(binding, "type")
                    for element in binding.iterfind(_wsdl("operation")):
                        yield _Bound(version, port_type, general, element)

    def operation(self, bound: _Bound) -> OperationDescription:
        """An operation, with what hinders its calling."""
        names = (bound.port_type, bound.element.get("name"))
        port = self._ports.get((*names, _input_name(bound.element)), self._ports.get(names))
        if port is None:
            described = _undescribed(bound.element, "its port type does not describe it")
        else:
            if port not in self._described:
                self._described[port] = self._port_operation(port)
            described = self._described[port]
        return replace(
            described,
            soap_action=bound.setting("soapAction"),
            versions=frozenset({bound.version}),
            problem=bound.problem or described.problem,
        )

    def _port_operation(self, port: _Element) -> OperationDescription:
        """An operation without its binding."""
        described = replace(_undescribed(port), documentation=_documentation(port))
        try:
            request = self._wrapper(port, "input")
            described = replace(described, name=local(request))
            described = replace(described, parameters=self._schemas.wrapped(request))
            response = self._wrapper(port, "output")
            return replace(described, results=self._results(request, response))
        except ValueError as problem:
            return replace(described, problem=str(problem))

    def _wrapper(self, port: _Element, way: str) -> str:
        """The element that a message consists of."""
        put = port.find(_wsdl(way))
        if put is None:
            raise ValueError(f"it has no {way}")
        parts = self._messages.get(qualified(put, "message"), [])
        element = qualified(parts[0], "element") if len(parts) == 1 else ""
        if not element:
            raise ValueError(f"its {way} is no single element, as document/literal wrapped has it")
        return element

    def _results(self, request: str, response: str) -> tuple[Element, ...]:
        if response != f"{request}Response":
            raise ValueError(f"its response is {local(response)}, not {local(request)}Response")
        try:
            return self._schemas.wrapped(response)
        except ValueError as problem:
            # What is answered can be had all the same, as it is.
            return (Element(local(response), OpaqueType("xml", str(problem))),)


def _undescribed(operation: _Element, problem: str | None = None) -> OperationDescription:
    return OperationDescription(
        name=operation.get("name", ""),
        documentation="",
        parameters=(),
        results=(),
        soap_action="",
        versions=frozenset(),
        problem=problem,
    )


def _input_name(operation: _Element) -> str:
    put = operation.find(_wsdl("input"))
    return "" if put is None else put.get("name", "")


def _documentation(port: _Element) -> str:
    element = port.find(_wsdl("documentation"))
    return "" if element is None else " ".join("".join(map(str, element.itertext())).split())


def _wsdl(name: str) -> str:
    """The tag of an element of WSDL 1.1's own."""
    return f"{{{_WSDL}}}{name}"
