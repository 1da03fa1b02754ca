"""Which encoding the bytes of an answer are in."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import Final

_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
_DECLARATION: Final = re.compile(
    rb"""<\?xml\b[^>]{0,200}?\bencoding\s{0,20}=\s{0,20}["']([\w.:-]{1,40})"""
)
# All that XML is written in in practice. Others only hide what an answer holds.
_ACCEPTED: Final = ("ascii", "cp125", "iso8859", "utf-8", "utf-16", "utf-32")

# The longer mark first, since UTF-32's begins with UTF-16's.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Without a mark they show by the NULs beside ASCII characters.
_WIDE: Final = (
    (rb"[^\0]\0\0\0", "utf-32-le"),
    (rb"\0\0\0[^\0]", "utf-32-be"),
    (rb"(?:[^\0]\0){2}", "utf-16-le"),
    (rb"(?:\0[^\0]){2}", "utf-16-be"),
)

# Longer than any label; Python remembers each that it has looked up, known or not, for good.
LONGEST_LABEL: Final = 40


def encoding_of(body: bytes, content_type: str) -> str:
    """Python's name for the encoding of an answer's body with that Content-Type header.

    A byte order mark wins over the header's charset, and that over the XML declaration
    (RFC 7303 section 3). It is UTF-8 if they name none, or none that is accepted.
    """
    # Neither a mark nor one of the patterns begins like that.
    if not body.startswith(b"<?xml"):
        for mark, name in _MARKS:
            if body.startswith(mark):
                return name
        for pattern, name in _WIDE:
            if re.match(pattern, body):
                return name
    return _labelled(content_type) or _declared(body) or "utf-8"


@lru_cache
def _labelled(content_type: str) -> str | None:
    found = _CHARSET.search(content_type)
    return None if found is None else _accepted(found[1])


def _declared(body: bytes) -> str | None:
    found = _DECLARATION.match(body)
    return None if found is None else _accepted(found[1].decode())


def _accepted(label: str) -> str | None:
    if len(label) > LONGEST_LABEL:
        return None
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    return name if name.startswith(_ACCEPTED) else None
