"""The XSD schemas in a WSDL → types, as far as ASMX makes them; what else there is stays opaque."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from dasp_async.soap import XSD
from dasp_async.xsd import (
    DATA_SET,
    GUID,
    SIMPLE_TYPES,
    STRING,
    ArrayType,
    Element,
    OpaqueType,
    RecordType,
    SimpleType,
    XsdType,
    blank_separated,
    expanded,
    is_name,
    local,
    namespace,
    one_of,
)

if TYPE_CHECKING:
    from lxml.etree import _Element


def _xsd(name: str) -> str:
    return f"{{{XSD}}}{name}"


_SCHEMA, _ELEMENT = _xsd("schema"), _xsd("element")
_COMPLEX_TYPE, _SIMPLE_TYPE = _xsd("complexType"), _xsd("simpleType")
_SEQUENCE, _RESTRICTION = _xsd("sequence"), _xsd("restriction")
_COMPLEX_CONTENT, _EXTENSION = _xsd("complexContent"), _xsd("extension")
_ANNOTATION, _LIST, _ENUMERATION = _xsd("annotation"), _xsd("list"), _xsd("enumeration")

# The type that ASMX has for .NET's Guid
_GUID: Final = "{http://microsoft.com/wsdl/types/}guid"
_ANY_TYPE: Final = OpaqueType("anyType", "would have to say its type")
# No class is derived so deeply.
_DEEPEST: Final = 50
# A type's elements are read again in each that is derived from it, which a hostile document
# could make take hours.
MOST_ELEMENTS: Final = 200_000


class Schemas:
    """The schemas of one WSDL. `target` is the namespace that calls are written in."""

    def __init__(self, schemas: Iterable[_Element], target: str) -> None:
        self._target = target
        self._elements: dict[str, _Element] = {}
        self._types: dict[str, _Element] = {}
        self._read: dict[_Element, XsdType] = {}
        self._left = MOST_ELEMENTS
        # What is still to be read: not at once, since a type may contain itself.
        self._later: list[Callable[[], None]] = []
        for schema in schemas:
            for child in schema:
                name = f"{{{schema.get('targetNamespace', '')}}}{child.get('name')}"
                if child.tag == _ELEMENT:
                    self._elements[name] = child
                elif child.tag in {_COMPLEX_TYPE, _SIMPLE_TYPE}:
                    self._types[name] = child

    def wrapped(self, name: str) -> tuple[Element, ...]:
        """The elements that a global element wraps, as document/literal wrapped has it.

        Raises `ValueError`, saying why, where it does not.
        """
        element = self._elements.get(name)
        if element is None:
            raise ValueError(f"its element {name} is not described")
        if namespace(name) != self._target:
            raise ValueError(f"its element {name} is not in the service's namespace")
        declared = element.find(_COMPLEX_TYPE)
        if declared is None:
            declared = self._types.get(qualified(element, "type"))
        if declared is None:
            raise ValueError(f"its element {name} wraps no elements")
        parts = self._parts(declared, local(name))
        if isinstance(parts, OpaqueType):
            raise ValueError(f"its element {name} {parts.reason}")  # noqa: TRY004 - the document's fault
        try:
            members = self._members(parts)
            while self._later:
                self._later.pop()()
        except ValueError:
            # What is half read must not be taken for the whole.
            self._read.clear()
            self._later.clear()
            raise
        return members

    def _parts(self, declared: _Element, name: str) -> list[_Element] | OpaqueType:
        """The elements in a complex type's sequence, inherited ones first, as .NET has them."""
        if _is_true(declared, "abstract"):
            return OpaqueType(name, "is abstract: a value would have to say its type")
        parts: list[_Element] = []
        for _ in range(_DEEPEST):
            extension = declared.find(f"{_COMPLEX_CONTENT}/{_EXTENSION}")
            holder = declared if extension is None else extension
            self._count(1 + len(holder) + sum(map(len, holder)))
            own = _sequence(holder, name)
            if isinstance(own, OpaqueType):
                return own
            parts = own + parts
            if extension is None:
                return parts
            base = self._types.get(qualified(extension, "base"))
            if base is None:
                return OpaqueType(name, "is derived from what is not described")
            declared = base
        return OpaqueType(name, "is derived from itself, or too often")

    def _members(self, parts: Iterable[_Element]) -> tuple[Element, ...]:
        return tuple(
            self._element(part)._replace(
                type=OpaqueType(_array_name(part), "comes repeatedly, with no element around it"),
            )
            if _repeats(part)
            else self._element(part)
            for part in parts
        )

    def _element(self, part: _Element) -> Element:
        reference = qualified(part, "ref")
        declared = self._elements.get(reference) if reference else part
        name = reference or f"{{{_namespace(part)}}}{part.get('name', '')}"
        if declared is None:
            return Element(local(name), OpaqueType(local(name), "is not described"))
        kind = self._type(declared, local(name))
        if namespace(name) != self._target:
            kind = OpaqueType(kind.name, "is not in the service's namespace")
        elif not is_name(local(name)):
            kind = OpaqueType(kind.name, "is of an element whose name XML does not allow")
        return Element(
            local(name),
            kind,
            required=part.get("minOccurs", "1") != "0",
            nillable=_is_true(declared, "nillable"),
        )

    def _type(self, element: _Element, name: str) -> XsdType:
        """An element's type: named, within it, or none at all."""
        named = qualified(element, "type")
        declared = self._types.get(named)
        if named and (declared is None or named == _GUID):
            return _built_in(named)
        if declared is not None:
            name = local(named)
        else:
            declared = next(element.iterchildren(_COMPLEX_TYPE, _SIMPLE_TYPE), None)
            if declared is None:
                return _ANY_TYPE
        if declared not in self._read:
            read = self._simple if declared.tag == _SIMPLE_TYPE else self._complex
            self._read[declared] = read(declared, name)
        return self._read[declared]

    def _simple(self, declared: _Element, name: str) -> XsdType:
        self._count(sum(1 for _ in declared.iter()))
        return _simple(declared, name)

    def _count(self, elements: int) -> None:
        self._left -= elements
        if self._left < 0:
            raise ValueError(f"its types have more than {MOST_ELEMENTS} elements in all")

    def _complex(self, declared: _Element, name: str) -> XsdType:
        parts = self._parts(declared, name)
        if isinstance(parts, OpaqueType):
            return parts
        if len(parts) == 1 and _repeats(parts[0]):
            array = ArrayType(_array_name(parts[0]), Element("", _ANY_TYPE))
            self._later.append(partial(self._fill_array, array, parts[0]))
            return array
        record = RecordType(name, ())
        self._later.append(partial(self._fill_record, record, parts))
        return record

    def _fill_array(self, array: ArrayType, part: _Element) -> None:
        array.item = self._element(part)

    def _fill_record(self, record: RecordType, parts: list[_Element]) -> None:
        record.members = self._members(parts)


def qualified(element: _Element, attribute: str) -> str:
    """The QName in an attribute, as `expanded` has it; empty if there is no such attribute."""
    return expanded(element.get(attribute, "").strip(), element)


def _sequence(holder: _Element, name: str) -> list[_Element] | OpaqueType:
    """The elements of the sequence in a complex type, or in an extension of one."""
    parts: list[_Element] = []
    if _is_true(holder, "mixed"):
        return OpaqueType(name, "holds XML of any kind")
    for child in holder:
        if child.tag == _SEQUENCE:
            if any(
                part.get("namespace") == XSD or qualified(part, "ref") == _SCHEMA for part in child
            ):
                return DATA_SET
            if _repeats(child):
                return OpaqueType(name, "is a sequence that comes repeatedly")
            parts += child
        elif child.tag != _ANNOTATION:
            parts.append(child)
    for part in parts:
        if part.tag != _ELEMENT:
            return OpaqueType(name, f"has {local(str(part.tag))}, which is not read here")
    return parts


def _simple(declared: _Element, name: str) -> XsdType:
    for child in declared:
        base = qualified(child, "base")
        if child.tag == _RESTRICTION and base:
            values = frozenset(each.get("value", "") for each in child.iterfind(_ENUMERATION))
            kind = _built_in(base)
            return one_of(name, STRING, values) if values else kind
        inner = child.find(_SIMPLE_TYPE)
        item = None if inner is None else _simple(inner, name)
        if child.tag == _LIST and isinstance(item, SimpleType):
            return blank_separated(name, item)
    return OpaqueType(name, "is derived in a way that is not read here")


def _built_in(name: str) -> XsdType:
    if namespace(name) == XSD and local(name) in SIMPLE_TYPES:
        return SIMPLE_TYPES[local(name)]
    if name == _GUID:
        return GUID
    if name == _xsd("anyType"):
        return _ANY_TYPE
    return OpaqueType(local(name), "is not described")


def _namespace(part: _Element) -> str:
    """The namespace that a local element is in."""
    schema = next(part.iterancestors(_SCHEMA))
    form = part.get("form") or schema.get("elementFormDefault")
    return schema.get("targetNamespace", "") if form == "qualified" else ""


def _array_name(item: _Element) -> str:
    named = qualified(item, "type") or qualified(item, "ref") or item.get("name", "")
    return f"{local(named)}[]"


def _repeats(element: _Element) -> bool:
    return element.get("maxOccurs", "1") not in {"0", "1"}


def _is_true(element: _Element, attribute: str) -> bool:
    return element.get(attribute) in {"true", "1"}
