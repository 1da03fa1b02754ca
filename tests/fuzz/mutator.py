"""Changes to an input that know what XML, HTTP and SOAP are made of."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Final

from dasp_async.operations import NAMESPACE
from dasp_async.soap import XSD, XSI, SoapVersion

_TOKEN: Final = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<[^<>]*>|[^<]+|<", re.DOTALL)
_NAME: Final = re.compile(rb"(?<=<)/?[\w:.-]+")
_ATTRIBUTE: Final = re.compile(rb"""([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')""")
_URI: Final = re.compile(rb"""(?:urn:|http://)[^"'<>\s]*""")

_DIFFGRAM: Final = "urn:schemas-microsoft-com:xml-diffgram-v1"
_WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
_URIS: Final = [
    each.encode()
    for each in (
        *(NAMESPACE, XSD, XSI, _DIFFGRAM, _WSDL, f"{_WSDL}soap/", f"{_WSDL}soap12/"),
        *(version.namespace for version in SoapVersion),
        *("urn:x", "", "x" * 301, "http://microsoft.com/wsdl/types/"),
        *("urn:schemas-microsoft-com:xml-msdata", "http://www.w3.org/XML/1998/namespace"),
    )
]
_TEXTS: Final = [
    *(b"", b" ", b"1", b"-0", b"9" * 100, b"9" * 101, b"1" * 5000, b"+1", b"1_0", b"\xd9\xa3"),
    *(b"0x10", b"1e5", b"1e999999999", b"1e-999999999", b"INF", b"-INF", b"NaN", b"nan", b"1.5."),
    *(b"true", b"0", b"True", b"YQ==", b"Y", b"0g", b"ff"),
    *(b"2026-03-14T09:26:53", b"2026-03-14T24:00:00Z", b"9999-12-31T24:00:00", b"2026-02-30"),
    *(b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"99999-01-01T00:00:00"),
    *(b"2026-03-14T09:26:53." + b"1" * 300, b"-0001-01-01T00:00:00", b"2026-03-14+14:00"),
    *(b"0" * 32, b"{01234567-89ab-cdef-0123-456789abcdef}", b"urn:uuid:" + b"1" * 32),
    *(b"Completed", b"Failed", b"test-key", b"test&#45;key", b"dGVzdC1rZXk=", b"too many"),
    *(b"&lt;", b"&amp;", b"&#0;", b"&#x10FFFF;", b"&#xD800;", b"&nbsp;", b"&x;", b"]]>"),
    *(b"<![CDATA[a<b]]>", b"<!-- x -->", b"<?x y?>", b"\0", b"\xff", b"\xed\xa0\x80"),
    *(b"\xe2\x80\xae", b"\xef\xbf\xbf", b"s:Client", b"x:y", b":", b"{urn:x}y"),
]
_ATTRIBUTES: Final = [
    *(b'xsi:nil="true"', b'xsi:nil="1"', b'xsi:nil=" true "', b'xsi:nil="false"'),
    *(b'xsi:type="xsd:int"', b'xsi:type="x:y"', b'xmlns=""', b'xmlns="urn:x"', b'xmlns:s="urn:x"'),
    *(b'xml:lang="en"', b'xml:lang="de"', b'xml:id="a"', b'xml:base="x"', b'a:b:c="d"'),
    *(b'maxOccurs="unbounded"', b'maxOccurs="0"', b'minOccurs="0"', b'nillable="true"'),
    *(b'abstract="true"', b'mixed="true"', b'form="unqualified"', b'ref="s:schema"'),
    *(b'ref="t:Op"', b'type="t:All"', b'type="s:int"', b'type="t:ArrayOfAll"', b'base="t:All"'),
    *(b'type="s:nothing"', b'name=""', b'name="_xD800_"', b'name="_x0020_"', b'name="1"'),
    *(b'style="rpc"', b'use="encoded"', b'part="x"', b'targetNamespace="urn:x"', b'id="a" id="a"'),
    b'xmlns:msdata="urn:schemas-microsoft-com:xml-msdata" msdata:IsDataSet="true"',
    b" ".join(b'a%d="x"' % n for n in range(100)),
    b" ".join(b'xmlns:n%d="urn:%d"' % (n, n) for n in range(120)),
]
_NAMES: Final = [
    *(b"s:Fault", b"s:Body", b"s:Envelope", b"s:Header", b"faultcode", b"faultstring", b"detail"),
    *(b"s:Code", b"s:Value", b"s:Subcode", b"s:Reason", b"s:Text", b"s:Detail", b"s:Node"),
    *(b"string", b"int", b"SMAlias", b"Status", b"UsageSummary", b"xs:schema", b"s:schema"),
    *(b"s:element", b"s:complexType", b"s:simpleType", b"s:sequence", b"s:restriction", b"s:list"),
    *(b"s:enumeration", b"s:complexContent", b"s:extension", b"s:choice", b"s:any", b"x:y"),
    *(b"diffgr:diffgram", b"diffgr:before", b"_xD800_", b"_x0000_", b"\xe6\x97\xa5", b"a:b:c"),
]
_HEADS: Final = [
    *(b'<?xml version="1.0" encoding="%s"?>' % each for each in (b"utf-16", b"iso-8859-1", b"x")),
    *(b'<?xml version="1.1"?>', b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xfe\0\0", b" ", b"x"),
    *(b"<!DOCTYPE x>", b'<!DOCTYPE x SYSTEM "file:///etc/hostname">', b"<!doctype html>"),
    b'<!DOCTYPE x [<!ENTITY x "y"><!ATTLIST Status a CDATA "b">]>',
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY x "&b;&b;&b;">]>',
    b'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    b'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]>',
]
_ENCODINGS: Final = (
    *("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig", "iso8859-1"),
    *("cp1252", "utf-7", "cp037", "iso8859-5"),
)
_LINES: Final = [
    *(b"content-type: text/xml; charset=%s" % each.encode() for each in _ENCODINGS),
    *(b"content-type: %s" % each for each in (b"", b"text/html", b"application/soap+xml", b"\xff")),
    *(
        b"content-type: text/xml; charset=%s" % each
        for each in (b"undefined", b"hex", b'"\0"', b"..")
    ),
    *(b"content-type: text/xml; a=test-key", b"content-type: text/plain\ncontent-type: text/xml"),
    *(b"content-encoding: %s" % each for each in (b"gzip", b"br", b"identity", b" GZIP ", b"\xff")),
    *(b"retry-after: %s" % each for each in (b"7", b"9" * 10, b"-1", b"test-key", b"\x857", b"")),
    b"retry-after: Tue, 14 Nov 2023 22:14:20 GMT",
    *(
        b"date: %s" % each
        for each in (b"Tue, 14 Nov 2023 22:14:20 GMT", b", , , , ,", b"1 Jan , 1:1 +")
    ),
    *(b"date: 1 Jan 1 0:0:0 +9999", b"date: Mon, 31 Dec 9999 23:59:59 -9999", b"date: 0 0 0 0 0"),
]
_STATUSES: Final = (b"200", b"204", b"302", b"401", b"404", b"500", b"503", b"999", b"0")

Tokens = list[bytes]


def _end(tokens: Tokens, start: int) -> int:
    """The place after the element, or whatever else, that begins there."""
    depth = 0
    for place in range(start, len(tokens)):
        token = tokens[place]
        if token.startswith(b"</"):
            depth -= 1
        elif token.startswith(b"<") and not token.endswith(b"/>") and token[1:2] not in b"!?":
            depth += 1
        if depth <= 0:
            return place + 1
    return len(tokens)


def _span(chance: random.Random, tokens: Tokens) -> tuple[int, int]:
    start = chance.randrange(len(tokens))
    return start, _end(tokens, start)


def _drop(chance: random.Random, tokens: Tokens) -> None:
    start, end = _span(chance, tokens)
    del tokens[start:end]


def _double(chance: random.Random, tokens: Tokens) -> None:
    start, end = _span(chance, tokens)
    tokens[start:start] = tokens[start:end] * chance.choice((1, 1, 2, 20))


def _move(chance: random.Random, tokens: Tokens) -> None:
    start, end = _span(chance, tokens)
    part = tokens[start:end]
    del tokens[start:end]
    place = chance.randint(0, len(tokens))
    tokens[place:place] = part


def _nest(chance: random.Random, tokens: Tokens) -> None:
    start, end = _span(chance, tokens)
    name = chance.choice(_NAMES)
    depth = chance.choice((1, 1, 2, 60, 240, 300))
    tokens[end:end] = [b"</%s>" % name] * depth
    tokens[start:start] = [b"<%s>" % name] * depth


def _unwrap(chance: random.Random, tokens: Tokens) -> None:
    start, end = _span(chance, tokens)
    if end - start > 1:
        del tokens[end - 1]
        del tokens[start]


def _rename(chance: random.Random, tokens: Tokens) -> None:
    start, end = _span(chance, tokens)
    found = _NAME.search(tokens[start])
    if found is None:
        return
    others = [each[0] for token in tokens if (each := _NAME.search(token))]
    name = chance.choice([*_NAMES, chance.choice(others).lstrip(b"/")])
    for place in {start, end - 1}:
        tokens[place] = _NAME.sub(
            lambda each: b"/" * each[0].startswith(b"/") + name, tokens[place], count=1
        )


def _set_text(chance: random.Random, tokens: Tokens) -> None:
    place = chance.randint(0, len(tokens))
    if place < len(tokens) and not tokens[place].startswith(b"<"):
        tokens[place] = chance.choice(_TEXTS)
    else:
        tokens.insert(place, chance.choice(_TEXTS))


def _add_attribute(chance: random.Random, tokens: Tokens) -> None:
    place = chance.randrange(len(tokens))
    found = _NAME.search(tokens[place])
    if found is not None:
        token = tokens[place]
        added = b" %s" % chance.choice(_ATTRIBUTES)
        tokens[place] = token[: found.end()] + added + token[found.end() :]


def _set_attribute(chance: random.Random, tokens: Tokens) -> None:
    places = [place for place, token in enumerate(tokens) if b"=" in token]
    if not places:
        return
    place, giver = chance.choice(places), chance.choice(places)
    found = list(_ATTRIBUTE.finditer(tokens[place]))
    given = [each[2] for each in _ATTRIBUTE.finditer(tokens[giver])]
    if found:
        one = chance.choice(found)
        value = chance.choice([*given, b'"%s"' % chance.choice(_TEXTS), b'""'])
        token = tokens[place]
        kept = b"" if chance.random() < 0.2 else b"%s=%s" % (one[1], value)
        tokens[place] = token[: one.start()] + kept + token[one.end() :]


_ON_TOKENS: Final = (
    *(_drop, _double, _move, _nest, _unwrap, _rename, _set_text, _add_attribute, _set_attribute),
)


def _namespace(chance: random.Random, body: bytes) -> bytes:
    found = sorted(set(_URI.findall(body)))
    if not found:
        return body
    return body.replace(chance.choice(found), chance.choice(_URIS), chance.choice((-1, 1)))


def _head(chance: random.Random, body: bytes) -> bytes:
    return chance.choice(_HEADS) + re.sub(rb"\A<\?xml[^>]*>", b"", body)


def _encoded(chance: random.Random, body: bytes) -> bytes:
    return body.decode("utf-8", "replace").encode(chance.choice(_ENCODINGS), "replace")


def _cut(chance: random.Random, body: bytes) -> bytes:
    return body[: chance.randint(0, len(body))]


_ON_BODIES: Final[tuple[Callable[[random.Random, bytes], bytes], ...]] = (
    *(_namespace, _namespace, _head, _encoded, _cut),
)


def _lines(chance: random.Random, head: bytes) -> bytes:
    first, *lines = head.split(b"\n")
    words = first.split(b" ")
    way = chance.randrange(4)
    if way == 0 and len(words) > 2:
        words[2] = chance.choice(_STATUSES)
    elif way == 1 and lines:
        lines.remove(chance.choice(lines))
    else:
        lines.append(chance.choice(_LINES))
    return b"\n".join([b" ".join(words), *lines])


def mutated(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """An input with a few changes; `others` are inputs to take elements from."""
    head, _, body = data.partition(b"\n\n")
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        way = chance.random()
        if way < 0.1:
            head = _lines(chance, head)
        elif way < 0.25:
            body = chance.choice(_ON_BODIES)(chance, body)
        else:
            tokens = _TOKEN.findall(body) or [b"<a/>"]
            if way < 0.3:
                given = _TOKEN.findall(chance.choice(others).partition(b"\n\n")[2]) or [b"<a/>"]
                start, end = _span(chance, given)
                place = chance.randint(0, len(tokens))
                tokens[place:place] = given[start:end]
            else:
                chance.choice(_ON_TOKENS)(chance, tokens)
            body = b"".join(tokens)
    return head + b"\n\n" + body
