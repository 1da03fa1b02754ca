"""The service's own description, held against the contract that this package was written to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from dasp_async.adhoc import obstacle
from dasp_async.operations import (
    NAMESPACE,
    OPERATIONS,
    Member,
    Nothing,
    Operation,
    Record,
    Records,
)
from dasp_async.soap import SoapVersion
from dasp_async.xsd import DATA_SET, ArrayType, Element, OpaqueType, RecordType, XsdType

if TYPE_CHECKING:
    from dasp_async.wsdl import OperationDescription, ServiceDescription


@dataclass(frozen=True, slots=True)
class Drift:
    """How a service differs from the contract, each difference as a line of text.

    changed: what is missing or otherwise, so that a method of this package may fail.
    new: operations and members of results that no method here knows, which does no harm.
    """

    changed: tuple[str, ...]
    new: tuple[str, ...]


class _Difference(NamedTuple):
    text: str
    is_new: bool = False


def drift(description: ServiceDescription) -> Drift:
    """What has changed in a service, and what is new."""
    differences = list(_differences(description))
    return Drift(
        changed=tuple(each.text for each in differences if not each.is_new),
        new=tuple(each.text for each in differences if each.is_new),
    )


def _differences(description: ServiceDescription) -> Iterator[_Difference]:
    if description.namespace != NAMESPACE:
        yield _Difference(f"the namespace is {description.namespace}, not {NAMESPACE}")
        return
    for known in OPERATIONS:
        found = description.operations.get(known.name)
        if found is None:
            yield _Difference(f"{known.name} is gone")
        else:
            yield from _in(known.name, _of_operation(description, known, found))
    names = {known.name for known in OPERATIONS}
    for name, found in description.operations.items():
        if name not in names:
            unreadable = found.problem and f"{name}: {found.problem}"
            yield _Difference(unreadable or found.signature, is_new=True)


def _in(place: str, differences: Iterable[_Difference]) -> Iterator[_Difference]:
    """Differences, with where they are."""
    for text, is_new in differences:
        yield _Difference(f"{place}: {text}", is_new)


def _of_operation(
    description: ServiceDescription, known: Operation[Any], found: OperationDescription
) -> Iterator[_Difference]:
    problem = obstacle(description, found)
    if problem is not None:
        yield _Difference(f"it can't be called: {problem}")
        return
    for version in SoapVersion:
        if version not in found.versions:
            yield _Difference(f"it is not offered in SOAP {version.value}")
    for text, is_new in _of_elements("parameter ", known.parameters, found.parameters):
        yield _Difference(f"{text}, and is not sent" if is_new else text)
    yield from _of_elements("", _results(known), found.results)


def _of_elements(
    what: str, known: tuple[Element, ...], found: tuple[Element, ...]
) -> Iterator[_Difference]:
    """What has become of the elements that are known, and which are new."""
    now = {element.name: element for element in found}
    known_names = {element.name for element in known}
    renamed = {
        old.name: new.name
        for old, new in zip(known, found, strict=False)
        if len(known) == len(found) and old.name not in now and new.name not in known_names
    }
    for element in known:
        label = f"{what}{element.name}"
        if element.name in now:
            yield from _of_types(label, element.type, now[element.name].type)
        elif element.name in renamed:
            yield _Difference(f"{label} is called {renamed[element.name]}")
        else:
            yield _Difference(f"{label} is gone")
    for element in found:
        if element.name not in {*known_names, *renamed.values()}:
            yield _Difference(f"{what}{element} is new", is_new=True)
    order = [element.name for element in known if element.name in now]
    if order != [name for name in now if name in order]:
        yield _Difference(f"the order is {', '.join(now)}")


def _of_types(label: str, known: XsdType, found: XsdType) -> Iterator[_Difference]:
    if isinstance(known, RecordType) and isinstance(found, RecordType):
        yield from _in(label, _of_elements("", known.members, found.members))
    elif isinstance(known, ArrayType) and isinstance(found, ArrayType):
        yield from _in(label, _of_elements("item ", (known.item,), (found.item,)))
    elif known.name != found.name or type(known) is not type(found):
        why = f", which {found.reason}" if isinstance(found, OpaqueType) else ""
        yield _Difference(f"{label} is of type {found.name}{why}, not {known.name}")


def _results(operation: Operation[Any]) -> tuple[Element, ...]:
    """The elements of an operation's response, as a description would have them."""
    kind = operation.result
    result: XsdType = DATA_SET
    if isinstance(kind, Nothing):
        return ()
    if isinstance(kind, Record):
        result = _record(kind)
    elif isinstance(kind, Records):
        result = ArrayType.of(Element(kind.item, _record(kind.record)))
    return (Element(f"{operation.name}Result", result),)


def _record(record: Record[Any]) -> RecordType:
    return RecordType("record", tuple(_member(each) for each in record.members))


def _member(member: Member) -> Element:
    if member.item is None:
        return Element(member.name, member.type)
    return Element(member.name, ArrayType.of(Element(member.item, member.type)))
