"""Status, headers and bytes → the result as a dataclass, or the one right error.

The first row that fits decides:

| the answer | outcome |
| --- | --- |
| an envelope with a fault in its body, whatever the status | `SoapFault` |
| a status of 300 or more | `HttpError` |
| an envelope or a SOAP content type, but cut, unsafe or off the contract | `InvalidResponse` |
| no envelope | `HttpError` |
| an envelope with the operation's response | the result |
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar
from xml.sax.saxutils import escape

from lxml import etree

from dasp_async.errors import HttpError, InvalidResponse, SoapFault
from dasp_async.operations import NAMESPACE, Member, Operation
from dasp_async.soap import (
    FAULT_NAMESPACES,
    FAULT_PARTS,
    SOAP_MEDIA_TYPES,
    XSI,
    FaultPart,
    SoapVersion,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

    from dasp_async.messages import HttpAnswer
    from dasp_async.secret import Mask

ResultT = TypeVar("ResultT")

_NIL: Final = f"{{{XSI}}}nil"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_BODY_OF_ENVELOPE: Final = {
    f"{{{version.namespace}}}Envelope": f"{{{version.namespace}}}Body" for version in SoapVersion
}
_FAULTS: Final = frozenset(f"{{{version.namespace}}}Fault" for version in SoapVersion)

_EXCERPT_LENGTH: Final = 200
_EXCERPT_SOURCE: Final = 20_000
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
# All that an XML answer is labelled with in practice; the parser tells UTF-16 by itself.
_CHARSET_FAMILIES: Final = ("ascii", "cp125", "iso8859", "utf-8")
_UNICODE_BOMS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What is not closed reaches to the end: so that no text, however made, is gone over twice.
_MARKUP: Final = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<(?=[a-z/!?])[^<>]*>?",
    re.DOTALL | re.IGNORECASE,
)
_CONTROLS: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+"
)
# UTF-16 shows in its first bytes: its mark, or a NUL beside each of two ASCII characters.
_UTF_16_LE: Final = re.compile(rb"\xff\xfe|(?:[^\0]\0){2}")
_UTF_16_BE: Final = re.compile(rb"\xfe\xff|(?:\0[^\0]){2}")
_SECONDS: Final = re.compile(r"\d{1,9}", re.ASCII)

_HINTS: Final[Mapping[int, str]] = {
    401: "the key may be wrong, or this address not white-listed in the control panel",
    403: "the key may be wrong, or this address not white-listed in the control panel",
    404: "the endpoint may be wrong",
}


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


class _Unreadable(Exception):
    """No envelope could be read. `is_soap`: it is one all the same, whatever its label says."""

    def __init__(self, problem: str, *, is_soap: bool = False) -> None:
        super().__init__(problem)
        self.is_soap = is_soap


def read_answer(
    operation: Operation[ResultT], answer: HttpAnswer, *, mask: Mask, now: float
) -> ResultT:
    """The result that an answer holds; the errors are in the table above.

    mask: strikes secrets out of every text that comes from the answer. now: seconds since
    1970, to read a Retry-After that is a date.
    """
    content: list[_Element] = []
    problem, is_soap = "", _media_type(answer.content_type) in SOAP_MEDIA_TYPES
    try:
        content = _body_content(answer)
    except _Unreadable as unreadable:
        problem, is_soap = _cleaned(str(unreadable), mask), is_soap or unreadable.is_soap
    else:
        is_soap = True
    for element in content:
        if element.tag in _FAULTS:
            raise _soap_fault(operation.name, element, answer, mask, now)
    if answer.status >= 300 or not is_soap:
        raise _http_error(operation.name, answer, mask, now)
    if not problem:
        try:
            return _result(operation, content, mask)
        except ValueError as breach:
            problem = _cleaned(str(breach), mask)
    raise InvalidResponse(
        f"{operation.name}: {problem}; {_described(answer, mask)}", operation=operation.name
    )


def retry_after(header: str | None, now: float) -> float | None:
    """The seconds a Retry-After header asks for (RFC 9110 section 10.2.3); None if unreadable."""
    if header is None:
        return None
    if _SECONDS.fullmatch(header.strip()):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _body_content(answer: HttpAnswer) -> list[_Element]:
    """The elements in the SOAP body; raises `_Unreadable`."""
    if not answer.whole:
        raise _Unreadable(f"longer than max_response_bytes ({len(answer.body)} were read)")
    if not answer.body:
        raise _Unreadable("the body is empty")
    root = _document(answer)
    body_tag = _BODY_OF_ENVELOPE.get(str(root.tag))
    is_soap = body_tag is not None
    # Entities that hide text and bombs of them need a DTD, and SOAP forbids one
    # (SOAP 1.1 section 3; SOAP 1.2 part 1 section 5).
    if root.getroottree().docinfo.internalDTD is not None:
        raise _Unreadable("it has a DOCTYPE, which SOAP forbids", is_soap=is_soap)
    if not is_soap:
        raise _Unreadable(f"its root is {root.tag!s}, not a SOAP envelope")
    bodies = [child for child in root if child.tag == body_tag]
    if len(bodies) != 1:
        raise _Unreadable(f"its envelope has {len(bodies)} bodies, not one", is_soap=True)
    return list(bodies[0])


def _document(answer: HttpAnswer) -> _Element:
    try:
        return etree.fromstring(answer.body, _parser(answer))
    except etree.XMLSyntaxError as error:
        problem = str(error)
    raise _Unreadable(f"not well-formed XML ({problem})")


def _parser(answer: HttpAnswer) -> etree.XMLParser[_Element]:
    # A byte order mark wins over the header's charset, and that over the XML declaration
    # (RFC 7303 section 3); the parser sees to the first and the last by itself.
    marked = answer.body.startswith(_UNICODE_BOMS)
    try:
        return _hardened_parser(None if marked else _charset(answer.content_type))
    except LookupError:
        return _hardened_parser(None)


def _charset(content_type: str) -> str | None:
    """Python's name of the charset in a content type; None if there is none, or an odd one."""
    match = _CHARSET.search(content_type)
    if match is None:
        return None
    try:
        name = codecs.lookup(match[1]).name
    except (LookupError, ValueError):
        return None
    return name if name.startswith(_CHARSET_FAMILIES) else None


def _result(operation: Operation[ResultT], content: list[_Element], mask: Mask) -> ResultT:
    """The result in the body's only element; raises `ValueError` where it breaks the contract."""
    response_tag = f"{{{NAMESPACE}}}{operation.name}Response"
    if [element.tag for element in content] != [response_tag]:
        found = ", ".join(str(element.tag) for element in content) or "nothing"
        raise ValueError(f"its body does not hold one {response_tag}, but {found}")
    result_tag = f"{{{NAMESPACE}}}{operation.name}Result"
    results = [child for child in content[0] if child.tag == result_tag]
    if len(results) != 1 or _is_nil(results[0]):
        raise ValueError(
            f"it has {len(results) or 'no'} {operation.name}Result; none, which is how ASMX "
            "writes null, may mean that the service does not know what was asked for"
        )
    members = _members_by_tag(operation)
    fields: dict[str, Any] = {}
    for child in results[0]:
        member = members.get(str(child.tag))
        if member is None:
            continue
        if member.field in fields:
            raise ValueError(f"it has two {member.name}")
        fields[member.field] = _value(child, member, mask)
    if not fields:
        raise ValueError(
            f"its {operation.name}Result is empty, which may mean that the service does not "
            "know what was asked for"
        )
    return operation.result.build(**fields)


@cache
def _members_by_tag(operation: Operation[Any]) -> Mapping[str, Member]:
    return {f"{{{NAMESPACE}}}{member.name}": member for member in operation.result.members}


def _value(element: _Element, member: Member, mask: Mask) -> Any:
    if _is_nil(element):
        return None
    if len(element):
        raise ValueError(f"its {member.name} holds elements, not text")
    try:
        return member.from_text(mask(element.text or ""))
    except ValueError as problem:
        raise ValueError(f"its {member.name} {problem}") from None


def _is_nil(element: _Element) -> bool:
    return element.get(_NIL, "").strip() in {"true", "1"}


def _soap_fault(
    operation: str, fault: _Element, answer: HttpAnswer, mask: Mask, now: float
) -> SoapFault:
    parts = {FAULT_PARTS[name]: child for child, name in _named(fault) if name in FAULT_PARTS}
    codes = [mask(code) for code in _codes(parts.get(FaultPart.CODE))]
    code, subcodes = (codes[0], tuple(codes[1:])) if codes else ("", ())
    reason = mask(_reason(parts.get(FaultPart.REASON)))
    kind = _cleaned(code.rpartition("}")[2], mask) or "a fault"
    return SoapFault(
        f"{operation}: the service answered {kind}: {_cleaned(reason, mask) or 'no reason given'}",
        operation=operation,
        retry_after=retry_after(answer.retry_after, now),
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
    children = (etree.tostring(child, encoding="unicode") for child in element)
    return mask(escape(element.text or "") + "".join(children)).strip()


def _http_error(operation: str, answer: HttpAnswer, mask: Mask, now: float) -> HttpError:
    hint = _HINTS.get(answer.status)
    if hint is None and 300 <= answer.status < 400:
        hint = "redirects are never followed, since the body holds the key"
    return HttpError(
        f"{operation}: {_described(answer, mask)}{f' ({hint})' if hint else ''}",
        operation=operation,
        retry_after=retry_after(answer.retry_after, now),
        status_code=answer.status,
        content_type=mask(answer.content_type),
        excerpt=_excerpt(answer, mask),
    )


def _described(answer: HttpAnswer, mask: Mask) -> str:
    label = _cleaned(answer.content_type, mask) or "no content type"
    excerpt = _excerpt(answer, mask)
    body = f"body: {excerpt}" if excerpt else "no text in the body" if answer.body else "empty body"
    return f"HTTP {answer.status}, {label}, {body}"


def _excerpt(answer: HttpAnswer, mask: Mask) -> str:
    """The beginning of the body as a person would read it: no markup, one line, no secret."""
    text = mask(_decoded(answer))[:_EXCERPT_SOURCE]
    return _cleaned(html.unescape(_MARKUP.sub(" ", text)), mask)


def _decoded(answer: HttpAnswer) -> str:
    if _UTF_16_LE.match(answer.body):
        encoding = "utf-16-le"
    elif _UTF_16_BE.match(answer.body):
        encoding = "utf-16-be"
    else:
        encoding = _charset(answer.content_type) or "utf-8"
    return answer.body.decode(encoding, "replace")


def _cleaned(text: str, mask: Mask) -> str:
    # Masked again, since joined lines can spell out what lay apart, and then cut, since half a
    # secret would no longer be known for one.
    line = mask(" ".join(_CONTROLS.sub(" ", mask(text)).split()))
    return line if len(line) <= _EXCERPT_LENGTH else line[: _EXCERPT_LENGTH - 1] + "…"
