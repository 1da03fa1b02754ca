"""Texts and elements as .NET's XmlTextWriter writes them. Pure.

Written as text, since lxml refuses what ASMX does send: raw CRs and references to control
characters, which make answers that are not XML.
"""

from __future__ import annotations

import re
from typing import Final

_REFERENCED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def element(name: str, content: str, attributes: str = "") -> str:
    """An element around content that is written already."""
    start = f"{name} {attributes}" if attributes else name
    return f"<{start}>{content}</{name}>" if content else f"<{start} />"


def text_element(name: str, text: str | None, attributes: str = "") -> str:
    """An element with text; nothing for None, which is how ASMX writes null."""
    return "" if text is None else element(name, escaped(text), attributes)


def escaped(text: str) -> str:
    """A text as element content."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _REFERENCED.sub(lambda found: f"&#x{ord(found[0]):X};", text)
