"""An answer as a person would read it: one line, no markup, no secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dasp_async.response.encoding import encoding_of

if TYPE_CHECKING:
    from lxml.etree import _Element

    from dasp_async.messages import HttpAnswer
    from dasp_async.secret import Mask

EXCERPT_LENGTH: Final = 200
# lxml looks through an element's attributes for each that is set.
MOST_ATTRIBUTES: Final = 300

_EXCERPT_SOURCE: Final = 20_000
# Where the body was cut, a secret may have been too; of a key of 80 letters, all escaped, so much.
_LONGEST_CUT: Final = 1000
# Patterns that `re` makes when the first error is described: not at import, which they'd slow.

# What is not closed reaches to the end: so that no text, however made, is gone over twice.
_MARKUP: Final = r"(?is)<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<(?=[a-z/!?])[^<>]*>?"
# Python refuses to read a number of thousands of digits, and no character has one.
_NO_CHARACTER: Final = r"&#[0-9]{1000,};?"
_CONTROLS: Final = r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+"


def described(answer: HttpAnswer, mask: Mask) -> str:
    """Status, content type and the beginning of the body, for a message."""
    label = cleaned(answer.content_type, mask) or "no content type"
    beginning = excerpt(answer, mask)
    nothing = "no text in the body" if answer.body else "empty body"
    if not answer.readable:
        nothing = "a body in an encoding that was not asked for and can't be read"
    body = f"body: {beginning}" if beginning else nothing
    return f"HTTP {answer.status}, {label}, {body}"


def excerpt(answer: HttpAnswer, mask: Mask) -> str:
    """The beginning of the body as a person would read it: no markup, one line, no secret."""
    from html import unescape  # noqa: PLC0415 - its table of names is slow to import

    encoding = encoding_of(answer.body, answer.content_type)
    text = mask(answer.body.decode(encoding, "replace"))
    text = (text if answer.whole else text[:-_LONGEST_CUT])[:_EXCERPT_SOURCE]
    text = re.sub(_NO_CHARACTER, "\ufffd", re.sub(_MARKUP, " ", text))
    return cleaned(unescape(text), mask)


def cleaned(text: str, mask: Mask) -> str:
    """A text on one line of limited length, without control characters and secrets."""
    # Masked again, since joined lines can spell out what lay apart, and then cut, since half a
    # secret would no longer be known for one.
    line = mask(" ".join(re.sub(_CONTROLS, " ", mask(text)).split()))
    return line if len(line) <= EXCERPT_LENGTH else line[: EXCERPT_LENGTH - 1] + "…"


def masked(element: _Element, mask: Mask) -> _Element:
    """The element itself, without secrets in its texts and attributes.

    Raises `ValueError` where one has so many attributes that it would take too long.
    """
    for each in element.iter():
        if len(each.attrib) > MOST_ATTRIBUTES:
            raise ValueError(f"it has an element of more than {MOST_ATTRIBUTES} attributes")
        each.text, each.tail = each.text and mask(each.text), each.tail and mask(each.tail)
        for name, value in each.attrib.items():
            each.set(name, mask(str(value)))
    return element
