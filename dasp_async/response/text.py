"""An answer as a person would read it: its charset, its text on one line, no markup, no secret."""

from __future__ import annotations

import codecs
import html
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dasp_async.messages import HttpAnswer
    from dasp_async.secret import Mask

EXCERPT_LENGTH: Final = 200

_EXCERPT_SOURCE: Final = 20_000
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
# All that an XML answer is labelled with in practice; the parser tells UTF-16 by itself.
_CHARSET_FAMILIES: Final = ("ascii", "cp125", "iso8859", "utf-8")
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


def charset(content_type: str) -> str | None:
    """Python's name of the charset in a content type; None if there is none, or an odd one."""
    match = _CHARSET.search(content_type)
    if match is None:
        return None
    try:
        name = codecs.lookup(match[1]).name
    except (LookupError, ValueError):
        return None
    return name if name.startswith(_CHARSET_FAMILIES) else None


def described(answer: HttpAnswer, mask: Mask) -> str:
    """Status, content type and the beginning of the body, for a message."""
    label = cleaned(answer.content_type, mask) or "no content type"
    beginning = excerpt(answer, mask)
    nothing = "no text in the body" if answer.body else "empty body"
    body = f"body: {beginning}" if beginning else nothing
    return f"HTTP {answer.status}, {label}, {body}"


def excerpt(answer: HttpAnswer, mask: Mask) -> str:
    """The beginning of the body as a person would read it: no markup, one line, no secret."""
    text = mask(_decoded(answer))[:_EXCERPT_SOURCE]
    return cleaned(html.unescape(_MARKUP.sub(" ", text)), mask)


def _decoded(answer: HttpAnswer) -> str:
    if _UTF_16_LE.match(answer.body):
        encoding = "utf-16-le"
    elif _UTF_16_BE.match(answer.body):
        encoding = "utf-16-be"
    else:
        encoding = charset(answer.content_type) or "utf-8"
    return answer.body.decode(encoding, "replace")


def cleaned(text: str, mask: Mask) -> str:
    """A text on one line of limited length, without control characters and secrets."""
    # Masked again, since joined lines can spell out what lay apart, and then cut, since half a
    # secret would no longer be known for one.
    line = mask(" ".join(_CONTROLS.sub(" ", mask(text)).split()))
    return line if len(line) <= EXCERPT_LENGTH else line[: EXCERPT_LENGTH - 1] + "…"
