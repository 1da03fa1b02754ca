"""A fault element → a `SoapFault`, in one shape whatever version or mixture of them it is in."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Final

from lxml import etree

from dasp_async.errors import SoapFault
from dasp_async.response.text import cleaned
from dasp_async.soap import FAULT_NAMESPACES, FAULT_PARTS, FaultPart, SoapVersion
from dasp_async.xsd import local

if TYPE_CHECKING:
    from lxml.etree import _Element

    from dasp_async.secret import Mask

_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
LONGEST_DETAIL: Final = 64 * 1024
FAULT_TAGS: Final = frozenset(f"{{{version.namespace}}}Fault" for version in SoapVersion)


def soap_fault(
    operation: str, fault: _Element, *, retry_after: float | None, mask: Mask
) -> SoapFault:
    """The error for a fault, its texts without secrets."""
    parts = {FAULT_PARTS[name]: child for child, name in _named(fault) if name in FAULT_PARTS}
    codes = [mask(code) for code in _codes(parts.get(FaultPart.CODE))]
    code, subcodes = (codes[0], tuple(codes[1:])) if codes else ("", ())
    reason = mask(_reason(parts.get(FaultPart.REASON)))
    kind = cleaned(local(code), mask) or "a fault"
    return SoapFault(
        f"{operation}: the service answered {kind}: {cleaned(reason, mask) or 'no reason given'}",
        operation=operation,
        retry_after=retry_after,
        code=code,
        subcodes=subcodes,
        reason=reason,
        actor=_text_or_none(parts.get(FaultPart.ACTOR), mask),
        node=_text_or_none(parts.get(FaultPart.NODE), mask),
        detail=_inner_xml(parts.get(FaultPart.DETAIL), mask),
    )


def _named(parent: _Element) -> Iterator[tuple[_Element, str]]:
    """The children that a SOAP version may have named, with their local names."""
    for child in parent:
        name = etree.QName(child)
        if name.namespace in FAULT_NAMESPACES:
            yield child, name.localname


def _codes(element: _Element | None) -> Iterator[str]:
    """The code and the subcodes nested in it; a SOAP 1.1 code is the element's own text."""
    while element is not None:
        children = {name: child for child, name in _named(element)}
        code = _expanded_name(children.get("Value", element))
        if code:
            yield code
        element = children.get("Subcode")


def _expanded_name(element: _Element) -> str:
    text = (element.text or "").strip()
    prefix, colon, local = text.rpartition(":")
    namespace = element.nsmap.get(prefix if colon else None)
    return f"{{{namespace}}}{local}" if namespace and local else text


def _reason(element: _Element | None) -> str:
    if element is None:
        return ""
    texts = [child for child, name in _named(element) if name == "Text"]
    english = [text for text in texts if text.get(_LANG, "").lower().startswith("en")]
    return "".join((english or texts or [element])[0].itertext()).strip()


def _text_or_none(element: _Element | None, mask: Mask) -> str | None:
    return None if element is None else mask("".join(element.itertext()).strip())


def _inner_xml(element: _Element | None, mask: Mask) -> str | None:
    if element is None:
        return None
    from html import escape  # noqa: PLC0415 - its table of names is slow to import

    # A copy leaves behind what the envelope declares, which lxml would repeat on every child. What
    # the element itself declares it does repeat: so no more children than needed.
    own = deepcopy(element)
    xml = escape(own.text or "", quote=False)
    for child in own:
        if len(xml) > LONGEST_DETAIL:
            break
        xml += etree.tostring(child, encoding="unicode")
    return mask(xml).strip()[:LONGEST_DETAIL]
