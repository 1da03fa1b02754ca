"""What a secret looks like, whole or in pieces, and where a text shows it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final
from urllib.parse import quote, quote_plus

KEYS: Final = {
    "plain": "NOT-A-REAL-KEY-0123-ABCD",
    "with signs": "NOT<A>REAL&KEY \"0123' +/%\u00e9\\",
}
KEY: Final = KEYS["plain"]
PASSWORD: Final = "pass-&-<word> 'of' \u00e9%+ \"nobody\""
# Shorter ones occur by chance.
PIECE: Final = 8
JOB: Final = "00000000-0000-0000-0000-000000000001"


def spellings(secret: str) -> Iterator[str]:
    """A text in each of the ways in which an answer or a printer may write it."""
    yield secret
    xml = html.escape(secret, quote=False)
    yield from (xml, html.escape(xml, quote=False), html.escape(secret))
    yield xml.replace('"', "&quot;").replace("'", "&apos;")
    yield secret.encode("ascii", "xmlcharrefreplace").decode()
    for url in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield from (url, re.sub("%..", lambda found: found[0].lower(), url))
    yield from (json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3])
    # As .NET's and browsers' JSON has it
    yield re.sub(r"[^\w -]", lambda found: f"\\u{ord(found[0]):04x}", secret)
    yield from (repr(secret)[1:-1], ascii(secret)[1:-1], repr(secret.encode())[2:-1])
    yield from (secret.encode().hex(), secret.encode().hex().upper())


@cache
def pieces(secret: str) -> frozenset[str]:
    """The shortest pieces that give a secret away: a spelling of it holds one of them."""
    windows = [secret[start : start + PIECE] for start in range(len(secret) - PIECE + 1)]
    plain = {spelling for window in windows for spelling in spellings(window)}
    # Of any 8 bytes, base64 writes 6 in the same way wherever they stand.
    data = secret.encode()
    encoded = {base64.b64encode(data[at : at + 6]).decode() for at in range(len(data) - 5)}
    return frozenset(plain | encoded | {each.translate(_URL_SAFE) for each in encoded})


_URL_SAFE: Final = str.maketrans("+/", "-_")


def found(text: str, secrets: Iterable[str]) -> list[str]:
    """The pieces of secrets that a text shows."""
    return [piece for secret in secrets for piece in pieces(secret) if piece in text]
