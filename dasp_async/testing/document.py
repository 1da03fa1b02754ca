"""Request bytes → elements, as far as .NET's XML reader would get, and where it would stop."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

# What .NET's StreamReader looks for first; UTF-32's begins as UTF-16's does.
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_ELEMENTS: Final = 3  # expat.h, XML_ERROR_NO_ELEMENTS

# .NET's place of a node is its text's, its name's after `<` or `</`, its content's after `<!--`.
_TEXT, _START, _END, _COMMENT, _INSTRUCTION = 1, 2, 3, 5, 3


class NotXml(Exception):
    """What the XML reader says, its place included."""


@dataclass(slots=True, eq=False)
class Element:
    """An element: `tag` and attribute names as `{namespace}name`.

    texts: its text in the pieces that it was read in. is_text: whether there is nothing in it
    but text. after: line and position of the node that
    follows it, which is where .NET's reader stands once it has read the element.
    """

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list["Element"])
    texts: list[str] = field(default_factory=list[str])
    is_text: bool = True
    after: tuple[int, int] = (0, 0)

    @property
    def text(self) -> str:
        """The text in it."""
        return "".join(self.texts)

    @property
    def namespace(self) -> str:
        """Its namespace, empty for none."""
        return self.tag.rpartition("}")[0].lstrip("{")

    def child(self, tag: str) -> Element | None:
        """The first child of that name."""
        return next((child for child in self.children if child.tag == tag), None)


@dataclass(frozen=True, slots=True)
class Document:
    """What could be read. `problem` is None if that is all of it; `root` None if it is nothing."""

    root: Element | None
    problem: NotXml | None


def parse(body: bytes, charset: str | None) -> Document:
    """The document in a body; `charset` None leaves its encoding to its XML declaration."""
    text = _decoded(body, charset)
    builder = _Builder(None if text is None else "utf-8")
    return builder.document(body if text is None else text.encode("utf-8", "replace"))


def _decoded(body: bytes, charset: str | None) -> str | None:
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if body.startswith(mark)), None)
    charset = marked or charset
    return None if charset is None else body.decode(charset, "replace")


class _Builder:
    """Builds elements from expat's events."""

    def __init__(self, encoding: str | None) -> None:
        self._root: Element | None = None
        self._open: list[Element] = []
        self._ended: Element | None = None
        parser = expat.ParserCreate(encoding, namespace_separator="}")
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.CommentHandler = self._comment
        parser.ProcessingInstructionHandler = self._instruction
        self._parser = parser

    def document(self, data: bytes) -> Document:
        problem = None
        try:
            self._parser.Parse(data, True)
        except NotXml as refused:
            problem = refused
        except expat.ExpatError as error:
            problem = NotXml(self._message(error, data))
        except (LookupError, ValueError):
            # Python has no such encoding, or none that expat can use.
            problem = NotXml(self._place(expat.errors.XML_ERROR_UNKNOWN_ENCODING))
        return Document(self._root, problem)

    def _message(self, error: expat.ExpatError, data: bytes) -> str:
        if error.code == _NO_ELEMENTS:
            return "Root element is missing."
        content = data.lstrip()
        if content.startswith(b"<"):
            # The place is .NET's, the words are not: it has a text of its own for each error.
            return self._place(expat.ErrorString(error.code))
        before = data[: len(data) - len(content)]
        line, position = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        return f"Data at the root level is invalid. Line {line}, position {position}."

    def _place(self, what: str) -> str:
        line, column = self._parser.ErrorLineNumber, self._parser.ErrorColumnNumber
        return f"{what}. Line {line}, position {column + 1}."

    def _doctype(self, *_: object) -> None:
        raise NotXml("For security reasons DTD is prohibited in this XML document.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._pass(_START)
        element = Element(_tag(name), {_tag(key): text for key, text in attributes.items()})
        if self._open:
            self._open[-1].is_text = False
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._pass(_END)
        self._ended = self._open.pop()

    def _data(self, data: str) -> None:
        self._pass(_TEXT)
        self._open[-1].texts.append(data)

    def _comment(self, _text: str) -> None:
        self._other(_COMMENT)

    def _instruction(self, _target: str, _text: str) -> None:
        self._other(_INSTRUCTION)

    def _other(self, width: int) -> None:
        self._pass(width)
        if self._open:
            self._open[-1].is_text = False

    def _pass(self, width: int) -> None:
        """Tell the element that has just ended where the next node is."""
        if self._ended is not None:
            column = self._parser.CurrentColumnNumber
            self._ended.after = (self._parser.CurrentLineNumber, column + width)
            self._ended = None


def _tag(name: str) -> str:
    return "{" + name if "}" in name else name
