"""The bytes of an answer → the elements in its SOAP body, if it is safe to read them."""

from __future__ import annotations

import codecs
from functools import cache
from typing import TYPE_CHECKING, Final

from lxml import etree

from dasp_async.response.text import charset
from dasp_async.soap import SoapVersion

if TYPE_CHECKING:
    from lxml.etree import _Element

    from dasp_async.messages import HttpAnswer

_BODY_OF_ENVELOPE: Final = {
    f"{{{version.namespace}}}Envelope": f"{{{version.namespace}}}Body" for version in SoapVersion
}
_UNICODE_BOMS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


# Parsers are shared by all tasks and threads, which `fromstring` allows (and `feed` would not).
@cache
def _hardened_parser(encoding: str | None) -> etree.XMLParser[_Element]:
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


class Unreadable(Exception):
    """No envelope could be read. `is_soap`: it is one all the same, whatever its label says."""

    def __init__(self, problem: str, *, is_soap: bool = False) -> None:
        super().__init__(problem)
        self.is_soap = is_soap


def body_content(answer: HttpAnswer) -> list[_Element]:
    """The elements in the SOAP body; raises `Unreadable`."""
    if not answer.whole:
        raise Unreadable(f"longer than max_response_bytes ({len(answer.body)} were read)")
    if not answer.body:
        raise Unreadable("the body is empty")
    root = _document(answer)
    body_tag = _BODY_OF_ENVELOPE.get(str(root.tag))
    is_soap = body_tag is not None
    # Entities that hide text and bombs of them need a DTD, and SOAP forbids one
    # (SOAP 1.1 section 3; SOAP 1.2 part 1 section 5).
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("it has a DOCTYPE, which SOAP forbids", is_soap=is_soap)
    if not is_soap:
        raise Unreadable(f"its root is {root.tag!s}, not a SOAP envelope")
    bodies = [child for child in root if child.tag == body_tag]
    if len(bodies) != 1:
        raise Unreadable(f"its envelope has {len(bodies)} bodies, not one", is_soap=True)
    return list(bodies[0])


def _document(answer: HttpAnswer) -> _Element:
    try:
        return etree.fromstring(answer.body, _parser(answer))
    except etree.XMLSyntaxError as error:
        problem = str(error)
    raise Unreadable(f"not well-formed XML ({problem})")


def _parser(answer: HttpAnswer) -> etree.XMLParser[_Element]:
    # A byte order mark wins over the header's charset, and that over the XML declaration
    # (RFC 7303 section 3); the parser sees to the first and the last by itself.
    marked = answer.body.startswith(_UNICODE_BOMS)
    try:
        return _hardened_parser(None if marked else charset(answer.content_type))
    except LookupError:
        return _hardened_parser(None)
