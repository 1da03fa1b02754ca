"""The bytes of an answer → its XML, or what is in its SOAP body, if that is safe to read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lxml import etree

from dasp_async.response.encoding import encoding_of
from dasp_async.soap import SoapVersion

if TYPE_CHECKING:
    from lxml.etree import _Element

    from dasp_async.messages import HttpAnswer

_BODY_OF_ENVELOPE: Final = {
    f"{{{version.namespace}}}Envelope": f"{{{version.namespace}}}Body" for version in SoapVersion
}

# A small answer can be made to cost seconds and gigabytes: lxml writes an element's namespace out
# with every name, so many elements must not meet long namespaces, nor many declarations each other.
MOST_TAGS: Final = 50_000
MOST_DECLARATIONS: Final = 1_000
LONGEST_NAMESPACE: Final = 300
# So few bytes can't hold enough elements for a namespace of the rest to come to a megabyte.
HARMLESS: Final = 4096
# Prefixes and blanks are bounded too: what is too long for the pattern must not slip past it.
_LONG_NAMESPACE: Final = (
    rb"""xmlns:[^=\s]{201}|xmlns(?::[^=\s]{0,200})?(?:\s{51}|\s{0,50}=(?:\s{51}"""
    rb"""|\s{0,50}(?:"[^"]{%(n)d}|'[^']{%(n)d})))""" % {b"n": LONGEST_NAMESPACE + 1}
)

# Shared by all tasks and threads, which `fromstring` allows (and `feed` would not). UTF-8 whatever
# the XML declaration says, since other encodings are turned into it first.
_PARSER: Final = etree.XMLParser(
    encoding="utf-8",
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
    root = document(answer)
    body_tag = _BODY_OF_ENVELOPE.get(str(root.tag))
    if body_tag is None:
        raise Unreadable(f"its root is {root.tag!s}, not a SOAP envelope")
    bodies = [child for child in root if child.tag == body_tag]
    if len(bodies) != 1:
        raise Unreadable(f"its envelope has {len(bodies)} bodies, not one", is_soap=True)
    return list(bodies[0])


def document(answer: HttpAnswer) -> _Element:
    """The root element of an XML document that is safe to read; raises `Unreadable`."""
    if not answer.whole:
        raise Unreadable(f"longer than max_response_bytes ({len(answer.body)} were read)")
    content = _as_utf_8(answer.body, answer.content_type)
    if len(content) > HARMLESS:
        _refuse_costly(content)
    if not content:
        raise Unreadable("the body is empty")
    try:
        root = etree.fromstring(content, _PARSER)
    except etree.XMLSyntaxError as error:
        problem = f"not well-formed XML ({error})"
    else:
        # Entities that hide text and bombs of them need a DTD, and SOAP forbids one
        # (SOAP 1.1 section 3; SOAP 1.2 part 1 section 5). lxml is slower to ask.
        if b"<!DOCTYPE" not in content or root.getroottree().docinfo.internalDTD is None:
            return root
        is_soap = str(root.tag) in _BODY_OF_ENVELOPE
        raise Unreadable("it has a DOCTYPE, which SOAP forbids", is_soap=is_soap)
    raise Unreadable(problem)


def _as_utf_8(body: bytes, content_type: str) -> bytes:
    encoding = encoding_of(body, content_type)
    try:
        return body if encoding == "utf-8" else body.decode(encoding).encode()
    except UnicodeDecodeError as error:
        problem = f"not text in {error.encoding}"
    raise Unreadable(problem)


def _refuse_costly(document: bytes) -> None:
    """Raise `Unreadable` if reading it could take more than its size allows to expect."""
    if document.count(b"<") > MOST_TAGS:
        raise Unreadable(f"it has more than {MOST_TAGS} tags")
    if document.count(b"xmlns") > MOST_DECLARATIONS:
        raise Unreadable(f"it declares more than {MOST_DECLARATIONS} namespaces")
    # Made at the first long answer, not at import
    if re.search(_LONG_NAMESPACE, document):
        raise Unreadable(f"it has a namespace of more than {LONGEST_NAMESPACE} bytes")
