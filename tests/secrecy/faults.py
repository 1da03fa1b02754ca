"""The fault table: servers that fail in every way, and put what was sent wherever they can."""

from __future__ import annotations

import base64
import gzip
import html
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import trustme

from dasp_async import (
    AttemptTimeout,
    DaspError,
    HttpError,
    InvalidResponse,
    SoapFault,
    TransportError,
)
from tests.secrecy.search import spellings
from tests.servers import (
    SOAP_1_1,
    SOAP_1_2,
    Behaviour,
    Wire,
    answer,
    certified,
    is_silent,
    replies,
    replies_and_closes,
    sample,
)

SERVER_ERROR: Final = "500 Internal Server Error"
CAP: Final = 65_536
SMALL_CAP: Final = 1024


class Row(NamedTuple):
    """A fault: what a read comes to, and what the server does, which is told what is sent."""

    error: type[DaspError]
    serve: Callable[[list[str]], Behaviour]
    options: Mapping[str, Any] = MappingProxyType({})
    server: Callable[[], dict[str, Any]] = dict


def echo(secrets: Iterable[str]) -> str:
    """The secrets in all spellings, and amidst other things in base64."""
    words: list[str] = []
    for secret in secrets:
        words += spellings(secret)
        for encoding in ("utf-8", "utf-16-le"):
            # Beginning at each of the three places that base64 tells apart
            words += [
                base64.b64encode(f"{before}{secret}: x".encode(encoding)).decode()
                for before in ("", "u:", "user:")
            ]
    return " | ".join(words)


def says(
    body: str | bytes,
    status: str = "200 OK",
    content_type: str = SOAP_1_1,
    encoding: str = "utf-8",
    **headers: str,
) -> Callable[[list[str]], Behaviour]:
    """An answer in which ECHO stands for all that was sent; escaped in what is XML."""
    page = body if isinstance(body, str) else body.decode()

    def serve(secrets: list[str]) -> Behaviour:
        raw, escaped = echo(secrets), html.escape(echo(secrets), quote=True)
        text = page.replace("RAWECHO", raw).replace("ECHO", escaped).replace("NAME", secrets[0])
        return replies(
            answer(
                text.encode(encoding, "replace"),
                status=status.replace("ECHO", raw),
                content_type=content_type.replace("ECHO", raw),
                headers={name: value.replace("ECHO", raw) for name, value in headers.items()},
            )
        )

    return serve


def always(behaviour: Behaviour) -> Callable[[list[str]], Behaviour]:
    """What a server does whatever is sent."""

    def serve(_: list[str]) -> Behaviour:
        return behaviour

    return serve


def sends(data: str) -> Callable[[list[str]], Behaviour]:
    """Bytes that are no HTTP answer, with all that was sent at ECHO."""
    return lambda secrets: replies_and_closes(data.replace("ECHO", echo(secrets)).encode())


def _resets(wire: Wire) -> None:
    wire.receive()
    wire.reset()


def sends_half(wire: Wire) -> None:
    """The beginning of an answer, and no more."""
    wire.receive()
    wire.send(answer()[:-50])
    wire.wait_until_gone()


def _cut_in_the_key(secrets: list[str]) -> Behaviour:
    """An answer that the size cap of its row cuts in the middle of the key."""
    key = secrets[0].encode()
    page = b"<p>".ljust(SMALL_CAP - len(key) + 3, b" ") + key
    return replies(answer(page, content_type="text/html"))


def _zipped(secrets: list[str]) -> Behaviour:
    body = gzip.compress(f"<h1>{html.escape(echo(secrets))}</h1>".encode())
    headers = {"Content-Encoding": "gzip"}
    return replies(answer(body, status=SERVER_ERROR, content_type="text/html", headers=headers))


def _envelope(body: str, version: str = "http://schemas.xmlsoap.org/soap/envelope/") -> str:
    return f'<s:Envelope xmlns:s="{version}"><s:Body>{body}</s:Body></s:Envelope>'


FAULT_11: Final = _envelope(
    "<s:Fault><faultcode>ECHO</faultcode><faultstring>no key ECHO</faultstring>"
    '<faultactor>ECHO</faultactor><detail><sent by="ECHO">ECHO<![CDATA[RAWECHO]]></sent></detail>'
    "</s:Fault>"
)
FAULT_12: Final = _envelope(
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ECHO</s:Value></s:Subcode>"
    '</s:Code><s:Reason><s:Text xml:lang="en">ECHO</s:Text></s:Reason><s:Node>ECHO</s:Node>'
    "<s:Role>ECHO</s:Role><s:Detail><a>ECHO</a></s:Detail></s:Fault>",
    "http://www.w3.org/2003/05/soap-envelope",
)
NO_CDATA: Final = FAULT_11.replace("<![CDATA[RAWECHO]]>", "")
COMPLETED: Final = sample("soap11/completed").decode()
PAGE: Final = "<title>ECHO</title><!-- ECHO --><b>no: ECHO</b> RAWECHO"
HTML: Final = "text/html; charset=utf-8"
LABELLED: Final = "text/html; for=ECHO"


def _dated(text: str) -> str:
    return COMPLETED.replace("<StartDateTime>", f"<StartDateTime>{text}", 1)


STATUSES: Final = ("400", "401", "403", "404", "407", "429", "500", "503")
REDIRECTS: Final = {
    "301": "http://127.0.0.2:1/?ECHO",
    "302": "http://api.discountasp.net/?ECHO",
    "303": "/other?ECHO",
    "307": "https://api.discountasp.net/?ECHO",
    "308": "//127.0.0.2:1/?ECHO",
}
# What a page is in, and what it says of that
ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf-8, a wrong label": "latin-1",
    "utf-16": "utf-16",
    "utf-16-le": "utf-8",
    "latin-1": "latin-1",
    "latin-1, a wrong label": "utf-8",
    "ascii": "windows-1252",
}

HTTP: Final[dict[str, Row]] = {
    **{
        f"{status}, in the status line, the headers and the body": Row(
            HttpError,
            says(PAGE, f"{status} ECHO", LABELLED, **{"Retry-After": "ECHO", "X-Sent": "ECHO"}),
        )
        for status in STATUSES
    },
    **{
        f"{status} to {location}": Row(HttpError, says(PAGE, f"{status} ECHO", Location=location))
        for status, location in REDIRECTS.items()
    },
    "a text": Row(HttpError, says("RAWECHO", content_type="text/plain; ECHO")),
    "an encoding that nobody knows": Row(
        HttpError, says("RAWECHO", content_type="text/plain", **{"Content-Encoding": "ECHO"})
    ),
    "a page in gzip": Row(HttpError, _zipped),
    **{
        f"a page in {name}": Row(
            HttpError,
            says(PAGE, SERVER_ERROR, f"text/html; charset={label}", name.partition(",")[0]),
        )
        for name, label in ENCODINGS.items()
    },
}
SOAP: Final[dict[str, Row]] = {
    "a fault": Row(SoapFault, says(FAULT_11, SERVER_ERROR, f"{SOAP_1_1}; for=ECHO")),
    "a fault in SOAP 1.2": Row(SoapFault, says(FAULT_12, SERVER_ERROR, SOAP_1_2)),
    "a fault and 200": Row(SoapFault, says(FAULT_11)),
    "a fault and 403": Row(SoapFault, says(FAULT_11, "403 ECHO")),
    "a fault in UTF-16": Row(
        SoapFault, says(NO_CDATA, SERVER_ERROR, "text/xml; charset=utf-16", "utf-16")
    ),
    "a fault in UTF-8, and says latin-1": Row(
        SoapFault, says(NO_CDATA, SERVER_ERROR, "text/xml; charset=iso-8859-1")
    ),
    "another answer": Row(InvalidResponse, says(_envelope('<Other a="ECHO">ECHO</Other>'))),
    "another document": Row(InvalidResponse, says("<Other>ECHO</Other>")),
    "two bodies": Row(InvalidResponse, says(FAULT_11.replace("Fault>", "Body>"))),
    "no XML": Row(InvalidResponse, says("ECHO RAWECHO")),
    "a tag that is not closed": Row(InvalidResponse, says("<a><b>ECHO</b>")),
    "XML that breaks in the echo": Row(InvalidResponse, says(_envelope("<a>RAWECHO</a>"))),
    "XML that breaks in an attribute": Row(InvalidResponse, says('<a b="RAWECHO"/>')),
    "an entity": Row(InvalidResponse, says("<a>&NAME;</a>")),
    "a DOCTYPE": Row(InvalidResponse, says('<!DOCTYPE a [<!ENTITY b "ECHO">]><a>&b;</a>')),
    "a date that is none": Row(InvalidResponse, says(_dated("ECHO"))),
    "a date with elements": Row(InvalidResponse, says(_dated("<a>ECHO</a>"))),
    "a member twice": Row(
        InvalidResponse, says(COMPLETED.replace("<Status>", "<Status>ECHO</Status><Status>", 1))
    ),
    "too long": Row(InvalidResponse, says("RAWECHO ECHO" + " " * CAP)),
    "cut in the key": Row(HttpError, _cut_in_the_key, {"max_response_bytes": SMALL_CAP}),
}
NETWORK: Final[dict[str, Row]] = {
    "closed": Row(TransportError, sends("")),
    "reset": Row(TransportError, always(_resets)),
    "cut": Row(TransportError, always(replies_and_closes(answer()[:-50]))),
    "not HTTP": Row(TransportError, sends("ECHO\r\n\r\n")),
    "a status that is none": Row(TransportError, sends("HTTP/1.1 ECHO\r\n\r\n")),
    "a header that is none": Row(TransportError, sends("HTTP/1.1 200 OK\r\nECHO\r\n\r\n")),
    "a length that is none": Row(
        TransportError, sends("HTTP/1.1 200 OK\r\nContent-Length: ECHO\r\n\r\n")
    ),
    "a chunk that is none": Row(
        TransportError, sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nECHO\r\n")
    ),
    "an encoding of the transfer": Row(
        TransportError, sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: ECHO\r\n\r\n")
    ),
    "silent": Row(AttemptTimeout, always(is_silent), {"attempt_timeout": 0.1}),
    "stuck in the body": Row(AttemptTimeout, always(sends_half), {"attempt_timeout": 0.1}),
    "no trust": Row(
        TransportError, always(is_silent), server=lambda: {"tls": certified(trustme.CA())}
    ),
}
FAULTS: Final = {**HTTP, **SOAP, **NETWORK}
