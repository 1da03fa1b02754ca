"""An answer is a result or the one right error, however it is spelled, broken or hostile."""

from __future__ import annotations

import base64
import codecs
import html
import pickle
import re
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from types import FrameType
from typing import TypeVar
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dasp_async.errors import DaspError, HttpError, InvalidResponse, SoapFault
from dasp_async.messages import HttpAnswer
from dasp_async.models import JobRecord
from dasp_async.operations import GET_JOB_STATUS, NAMESPACE
from dasp_async.response import read_answer, retry_after
from dasp_async.secret import Mask, Secret
from dasp_async.soap import SoapVersion
from tests import samples

ErrorT = TypeVar("ErrorT", bound=DaspError)

SOAP_11, SOAP_12 = SoapVersion.SOAP_1_1, SoapVersion.SOAP_1_2
NS_11, NS_12 = SOAP_11.namespace, SOAP_12.namespace
VERSIONS = pytest.mark.parametrize("version", SoapVersion)

XML, SOAP_XML = "text/xml; charset=utf-8", "application/soap+xml; charset=utf-8"
KEY = "My-Secret/Key&1234"
NOW = 1_700_000_000.0

MEMBERS = (
    "<JobName>Backup</JobName><Status>Done</Status>"
    "<StartDateTime>2026-03-14T09:26:53</StartDateTime>"
    "<CompletedDateTime>2026-03-14T09:31:07</CompletedDateTime><ErrorMessage />"
)
RECORD = JobRecord(
    "Backup",
    "Done",
    datetime.fromisoformat("2026-03-14T09:26:53"),
    datetime.fromisoformat("2026-03-14T09:31:07"),
    "",
)


def envelope(content: str, version: SoapVersion = SOAP_11) -> str:
    return (
        f'<s:Envelope xmlns:s="{version.namespace}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<s:Body>{content}</s:Body></s:Envelope>"
    )


def response(members: str = MEMBERS) -> str:
    return (
        f'<GetJobStatusResponse xmlns="{NAMESPACE}">'
        f"<GetJobStatusResult>{members}</GetJobStatusResult></GetJobStatusResponse>"
    )


def result(members: str = MEMBERS, version: SoapVersion = SOAP_11) -> str:
    return envelope(response(members), version)


def fault(parts: str, version: SoapVersion = SOAP_11) -> str:
    return envelope(f"<s:Fault>{parts}</s:Fault>", version)


def answer(
    body: str | bytes,
    status: int = 200,
    content_type: str = XML,
    header: str | None = None,
    *,
    whole: bool = True,
) -> HttpAnswer:
    return HttpAnswer(
        status,
        content_type,
        retry_after=header,
        body=body.encode() if isinstance(body, str) else body,
        whole=whole,
    )


def read(of: HttpAnswer | str | bytes, key: str = KEY) -> JobRecord:
    of = of if isinstance(of, HttpAnswer) else answer(of)
    return read_answer(GET_JOB_STATUS, of, mask=Mask(Secret(key)), now=NOW)


def error_of(kind: type[ErrorT], of: HttpAnswer | str | bytes, key: str = KEY) -> ErrorT:
    with pytest.raises(kind) as caught:
        read(of, key)
    assert type(caught.value) is kind
    assert caught.value.operation == "GetJobStatus"
    return caught.value


# --- good answers, spelled otherwise

PREFIXED_MEMBERS = re.sub("<(/?)", r"<\1b:", MEMBERS)
SPELLINGS = {
    "other prefixes": (
        f'<a:Envelope xmlns:a="{NS_11}" xmlns:b="{NAMESPACE}"><a:Body><b:GetJobStatusResponse>'
        f"<b:GetJobStatusResult>{PREFIXED_MEMBERS}</b:GetJobStatusResult>"
        "</b:GetJobStatusResponse></a:Body></a:Envelope>"
    ),
    "no prefix": f'<Envelope xmlns="{NS_12}"><Body>{response()}</Body></Envelope>',
    "declaration": f'<?xml version="1.0" encoding="utf-8"?>\n{result()}\n',
    "layout": result().replace("><", ">\n  <"),
    "header": result().replace(
        "<s:Body>", '<s:Header><x s:mustUnderstand="1">1</x></s:Header><s:Body>'
    ),
    "after the body": result().replace("</s:Body>", "</s:Body><x/>"),
    "body attributes": result().replace("<s:Body>", '<s:Body id="1">'),
    "unknown members": result(f"<New>1</New>{MEMBERS}<More><Status>x</Status></More>"),
    "members of others": result(f'<Status xmlns="urn:x">x</Status>{MEMBERS}'),
    "text between": result(f"between {MEMBERS}"),
    "attributes": result().replace("<Status>", '<Status xmlns:x="urn:x" x:a="1" b="2">'),
    "not nil": result()
    .replace("<Status>", '<Status xsi:nil="false">')
    .replace("<JobName>", '<JobName xsi:nil="0">'),
    "nil of others": result().replace("<Status>", '<Status nil="true">'),
    "comments": result().replace("Done", "D<!-- x -->on<!-- y -->e"),
    "instructions": "<?x y?>" + result().replace("Done", "D<?x y?>one") + "<?x y?>",
    "CDATA": result().replace("Done", "D<![CDATA[on]]>e"),
    "references": result().replace("Done", "&#68;&#x6f;ne"),
    "other order": result(
        "<ErrorMessage></ErrorMessage>" + re.sub(r"<ErrorMessage />", "", MEMBERS)
    ),
    "blanks around dates": result().replace("2026-03-14T09:26:53", "\n 2026-03-14T09:26:53 "),
    "more results": envelope(
        response().replace("</GetJobStatusResponse>", "<Other>1</Other></GetJobStatusResponse>")
    ),
    "SOAP 1.2": result(version=SOAP_12),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_same_result_may_be_spelled_otherwise(spelling: str) -> None:
    assert read(SPELLINGS[spelling]) == RECORD


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("content_type", [XML, SOAP_XML, "", "text/html", "text/plain; x"])
def test_an_envelope_is_known_by_itself(status: int, content_type: str) -> None:
    assert read(answer(result(), status, content_type)) == RECORD


NAMED = result().replace("Backup", "café €")
LATIN_1 = result().replace("Backup", "café £")
CHARSETS: list[tuple[str, bytes, str]] = [
    # content type, body, JobName
    (XML, NAMED.encode(), "café €"),
    ("text/xml", NAMED.encode(), "café €"),
    ('text/xml; charset="UTF-8"', NAMED.encode(), "café €"),
    ("text/xml; charset = utf8 ; x=y", NAMED.encode(), "café €"),
    ("text/xml; charset=klingon", NAMED.encode(), "café €"),
    ("text/xml; charset=", NAMED.encode(), "café €"),
    ("text/xml; charset=\0", NAMED.encode(), "café €"),
    # names of Python's that are no charset, or none the XML parser knows
    ("text/xml; charset=utf-8-sig", NAMED.encode(), "café €"),
    ("text/xml; charset=rot13", NAMED.encode(), "café €"),
    ("text/xml; charset=zlib", NAMED.encode(), "café €"),
    ("text/xml; charset=punycode", NAMED.encode(), "café €"),
    ("text/xml; charset=utf-7", NAMED.encode(), "café €"),
    # the header's
    ("text/xml; charset=iso-8859-1", LATIN_1.encode("latin-1"), "café £"),
    ("TEXT/XML; CHARSET=ISO-8859-1", LATIN_1.encode("latin-1"), "café £"),
    ("text/xml; charset='windows-1252'", NAMED.encode("cp1252"), "café €"),
    ("text/xml; charset=iso-8859-15", NAMED.encode("iso-8859-15"), "café €"),
    ("text/xml; charset=us-ascii", result().encode("ascii"), "Backup"),
    # the declaration's, if the header has none
    (
        "text/xml",
        b'<?xml version="1.0" encoding="iso-8859-15"?>' + NAMED.encode("iso-8859-15"),
        "café €",
    ),
    # the header's goes before the declaration's
    (XML, b'<?xml version="1.0" encoding="iso-8859-1"?>' + NAMED.encode(), "café €"),
    (
        "text/xml; charset=windows-1252",
        b'<?xml version="1.0" encoding="utf-8"?>' + NAMED.encode("cp1252"),
        "café €",
    ),
    # a byte order mark goes before both
    (XML, codecs.BOM_UTF8 + NAMED.encode(), "café €"),
    ("text/xml; charset=iso-8859-1", codecs.BOM_UTF8 + NAMED.encode(), "café €"),
    (XML, codecs.BOM_UTF16_LE + NAMED.encode("utf-16-le"), "café €"),
    (XML, codecs.BOM_UTF16_BE + NAMED.encode("utf-16-be"), "café €"),
    ("text/xml; charset=utf-16", codecs.BOM_UTF16_LE + NAMED.encode("utf-16-le"), "café €"),
    ("text/xml; charset=windows-1252", codecs.BOM_UTF16_BE + NAMED.encode("utf-16-be"), "café €"),
    (
        "text/xml; charset=utf-16",
        ('<?xml version="1.0" encoding="utf-16"?>' + NAMED).encode("utf-16"),
        "café €",
    ),
]


@pytest.mark.parametrize(
    ("content_type", "body", "name"), CHARSETS, ids=[row[0] or "none" for row in CHARSETS]
)
def test_a_charset_may_be_told_in_three_places(content_type: str, body: bytes, name: str) -> None:
    assert read(answer(body, content_type=content_type)).job_name == name


VALUES = [
    # element, value of error_message
    ("", None),
    ("<ErrorMessage/>", ""),
    ("<ErrorMessage></ErrorMessage>", ""),
    ("<ErrorMessage> \n </ErrorMessage>", " \n "),
    ('<ErrorMessage xsi:nil="true"/>', None),
    ('<ErrorMessage xsi:nil="1"/>', None),
    ('<ErrorMessage xsi:nil=" true "/>', None),
    ('<ErrorMessage xsi:nil="true">x</ErrorMessage>', None),
    ('<ErrorMessage xsi:nil="True">x</ErrorMessage>', "x"),
    ('<ErrorMessage xsi:nil="">x</ErrorMessage>', "x"),
]


@pytest.mark.parametrize(("element", "expected"), VALUES)
def test_absent_nil_and_empty_are_kept_apart(element: str, expected: str | None) -> None:
    assert read(result(f"<Status>x</Status>{element}")).error_message == expected


@pytest.mark.parametrize(
    "element",
    ["", "<StartDateTime/>", '<StartDateTime xsi:nil="true"/>', "<StartDateTime> </StartDateTime>"],
)
def test_a_date_may_be_missing(element: str) -> None:
    assert read(result(f"<Status>x</Status>{element}")) == JobRecord(status="x")


# --- breaches of the contract

BREACHES = {
    "no body": (
        f'<s:Envelope xmlns:s="{NS_11}"/>',
        "its envelope has 0 bodies, not one",
    ),
    "two bodies": (
        result().replace("</s:Body>", "</s:Body><s:Body/>"),
        "its envelope has 2 bodies, not one",
    ),
    "body of the other version": (
        result().replace("<s:Body", f'<s:Body xmlns:s="{NS_12}"'),
        "its envelope has 0 bodies, not one",
    ),
    "empty body": (envelope(""), "its body does not hold one .+GetJobStatusResponse, but nothing"),
    "text in the body": (envelope("x"), "its body does not hold one .+, but nothing"),
    "two responses": (
        envelope(response() + response()),
        "its body does not hold one .+, but .+Response, .+Response",
    ),
    "another operation": (
        result().replace("GetJobStatusResponse", "StartJobResponse"),
        "its body does not hold one .+, but {http://api.discountasp.net/}StartJobResponse",
    ),
    "another namespace": (
        result().replace(NAMESPACE, "http://api.discountasp.net"),
        "its body does not hold one .+, but {http://api.discountasp.net}GetJobStatusResponse",
    ),
    "no namespace": (
        result().replace(f' xmlns="{NAMESPACE}"', ""),
        "its body does not hold one .+, but GetJobStatusResponse",
    ),
    "the request": (
        result().replace("GetJobStatusResponse", "GetJobStatus"),
        "its body does not hold one .+, but {http://api.discountasp.net/}GetJobStatus",
    ),
    "no result": (
        envelope(f'<GetJobStatusResponse xmlns="{NAMESPACE}"/>'),
        "it has no GetJobStatusResult; none, which is how ASMX writes null",
    ),
    "result of another namespace": (
        result().replace("<GetJobStatusResult", '<GetJobStatusResult xmlns="urn:x"'),
        "it has no GetJobStatusResult",
    ),
    "nil result": (
        result().replace("<GetJobStatusResult", '<GetJobStatusResult xsi:nil="true"'),
        "it has 1 GetJobStatusResult",
    ),
    "two results": (
        result().replace("</GetJobStatusResult>", "</GetJobStatusResult><GetJobStatusResult/>"),
        "it has 2 GetJobStatusResult",
    ),
    "empty result": (result(""), "its GetJobStatusResult is empty, which may mean"),
    "members of another namespace": (
        result('<Status xmlns="urn:x">x</Status>'),
        "its GetJobStatusResult is empty, which may mean",
    ),
    "two of a member": (result(f"{MEMBERS}<Status>x</Status>"), "it has two Status"),
    "two of a member, one nil": (
        result(f'<Status xsi:nil="1"/>{MEMBERS}'),
        "it has two Status",
    ),
    "element in a text": (
        result("<Status>a<b/>c</Status>"),
        "its Status holds elements, not text",
    ),
    "element in a date": (
        result("<StartDateTime><x>2026-03-14T09:26:53</x></StartDateTime>"),
        "its StartDateTime holds elements, not text",
    ),
    "no date": (
        result("<StartDateTime>soon</StartDateTime>"),
        "its StartDateTime is not a dateTime of the years 1 to 9999",
    ),
    "no such date": (
        result("<CompletedDateTime>2026-02-30T00:00:00</CompletedDateTime>"),
        "its CompletedDateTime is not a dateTime: no such day or time",
    ),
    "unqualified fault": (envelope("<Fault/>"), "its body does not hold one .+, but Fault"),
}


@pytest.mark.parametrize("breach", BREACHES)
@pytest.mark.parametrize("content_type", [XML, "text/html"])
def test_an_envelope_that_breaks_the_contract(breach: str, content_type: str) -> None:
    body, problem = BREACHES[breach]
    error = error_of(InvalidResponse, answer(body, content_type=content_type))
    assert re.match(f"GetJobStatus: {problem}.*; HTTP 200, {content_type}, ", str(error))
    assert error.transient is False


@pytest.mark.parametrize("breach", BREACHES)
def test_the_status_goes_before_a_breach(breach: str) -> None:
    assert error_of(HttpError, answer(BREACHES[breach][0], 500)).status_code == 500


NOT_ENVELOPES = {
    "empty": ("", "the body is empty"),
    "text": ("Server too busy", "not well-formed XML"),
    "HTML": ("<!DOCTYPE html><html><br></html>", "not well-formed XML"),
    "XHTML": ("<!DOCTYPE html><html/>", "it has a DOCTYPE, which SOAP forbids"),
    "other XML": ("<a/>", "its root is a, not a SOAP envelope"),
    "unknown version": (
        result().replace(NS_11, "urn:x"),
        "its root is {urn:x}Envelope, not a SOAP envelope",
    ),
    "no version": ("<Envelope><Body/></Envelope>", "its root is Envelope, not a SOAP envelope"),
    "unknown entity": (result("<Status>&nbsp;</Status>"), "not well-formed XML"),
    "text before": ("x" + result(), "not well-formed XML"),
    "text after": (result() + "x", "not well-formed XML"),
    "unbound prefix": (result("<x:Status/>"), "not well-formed XML"),
    "wrong bytes": (result().replace("Done", "D\udce9ne"), "not well-formed XML"),
}


@pytest.mark.parametrize("case", NOT_ENVELOPES)
@pytest.mark.parametrize(
    "content_type", ["text/xml", "TEXT/XML ; charset=utf-8", "application/soap+xml; action=x"]
)
def test_what_is_labelled_as_soap_must_be_an_envelope(case: str, content_type: str) -> None:
    text, problem = NOT_ENVELOPES[case]
    body = text.encode(errors="surrogateescape")
    error = error_of(InvalidResponse, answer(body, content_type=content_type))
    assert str(error).startswith(f"GetJobStatus: {problem}")


@pytest.mark.parametrize("case", NOT_ENVELOPES)
@pytest.mark.parametrize("content_type", ["", "text/html", "text/xmlx", "application/json"])
def test_what_is_labelled_otherwise_is_an_http_error(case: str, content_type: str) -> None:
    body = NOT_ENVELOPES[case][0].encode(errors="surrogateescape")
    error = error_of(HttpError, answer(body, content_type=content_type))
    assert (error.status_code, error.content_type, error.transient) == (200, content_type, False)


# --- faults

PARTS_11 = "<faultcode>s:Client</faultcode><faultstring>no</faultstring><detail>d</detail>"
PARTS_12 = (
    "<s:Code><s:Value>s:Sender</s:Value></s:Code>"
    '<s:Reason><s:Text xml:lang="en">no</s:Text></s:Reason><s:Detail>d</s:Detail>'
)


@VERSIONS
@pytest.mark.parametrize("status", [200, 202, 302, 400, 403, 500, 503])
@pytest.mark.parametrize("content_type", [XML, SOAP_XML, "text/html", ""])
def test_a_fault_goes_before_all_else(version: SoapVersion, status: int, content_type: str) -> None:
    parts, code = (PARTS_11, "Client") if version is SOAP_11 else (PARTS_12, "Sender")
    error = error_of(SoapFault, answer(fault(parts, version), status, content_type, "7"))
    assert (error.code, error.reason, error.detail) == (
        f"{{{version.namespace}}}{code}",
        "no",
        "d",
    )
    assert (error.subcodes, error.actor, error.node) == ((), None, None)
    assert (error.transient, error.retry_after) == (False, 7.0)
    assert str(error) == f"GetJobStatus: the service answered {code}: no"


@pytest.mark.parametrize("content", ["%s" + response(), response() + "%s", "<x/>%s"])
def test_a_fault_goes_before_what_is_beside_it(content: str) -> None:
    body = envelope(content % f"<s:Fault>{PARTS_11}</s:Fault>")
    assert error_of(SoapFault, body).reason == "no"


@VERSIONS
@pytest.mark.parametrize("namespace", [NS_11, NS_12])
@pytest.mark.parametrize("parts_of", [SOAP_11, SOAP_12])
@pytest.mark.parametrize("qualified", [True, False])
def test_versions_may_be_mixed(
    version: SoapVersion, namespace: str, parts_of: SoapVersion, qualified: bool
) -> None:
    if parts_of is SOAP_11:
        names = "faultcode", "faultstring", "detail"
        parts = "<{0}>c:X</{0}><{1}>no</{1}><{2}>d</{2}>"
    else:
        names = "Code", "Reason", "Detail"
        parts = "<{0}><f:Value>c:X</f:Value></{0}><{1}><f:Text>no</f:Text></{1}><{2}>d</{2}>"
    prefix = "f:" if qualified else ""
    body = envelope(
        f'<f:Fault xmlns:f="{namespace}" xmlns:c="urn:c">'
        f"{parts.format(*(prefix + name for name in names))}</f:Fault>",
        version,
    )
    error = error_of(SoapFault, answer(body, 500))
    assert (error.code, error.reason, error.detail) == ("{urn:c}X", "no", "d")


CODES = [
    # SOAP 1.1: the element, and the code
    ("<faultcode>s:Client.Authentication</faultcode>", f"{{{NS_11}}}Client.Authentication"),
    ("<faultcode> \n s:Server \t</faultcode>", f"{{{NS_11}}}Server"),
    ('<faultcode xmlns:q="urn:q">q:X</faultcode>', "{urn:q}X"),
    ('<faultcode xmlns:s="urn:q">s:X</faultcode>', "{urn:q}X"),
    ("<faultcode>unbound:X</faultcode>", "unbound:X"),
    ("<faultcode>X</faultcode>", "X"),
    ('<faultcode xmlns="urn:q">X</faultcode>', ""),
    ('<s:faultcode xmlns="urn:q">X</s:faultcode>', "{urn:q}X"),
    ("<faultcode>s:</faultcode>", "s:"),
    ('<s:faultcode xmlns="urn:q">:X</s:faultcode>', ":X"),
    ("<faultcode>http://x/y:Z</faultcode>", "http://x/y:Z"),
    ("<faultcode>{urn:x}X</faultcode>", "{urn:x}X"),
    ("<faultcode/>", ""),
    ("<faultcode> </faultcode>", ""),
    ("<faultcode><x>s:Server</x></faultcode>", ""),
    ("", ""),
]


@pytest.mark.parametrize(("element", "code"), CODES)
def test_a_code_is_resolved_where_it_stands(element: str, code: str) -> None:
    error = error_of(SoapFault, fault(f"{element}<faultstring>no</faultstring>"))
    assert (error.code, error.subcodes) == (code, ())
    kind = code.rpartition("}")[2] or "a fault"
    assert str(error) == f"GetJobStatus: the service answered {kind}: no"


def nested(*values: str) -> str:
    """SOAP 1.2's code, with one subcode in the other."""
    code = ""
    for value in reversed(values):
        code = f"<s:Value>{value}</s:Value>" + (f"<s:Subcode>{code}</s:Subcode>" if code else "")
    return f'<s:Code xmlns:q="urn:q">{code}</s:Code>'


@pytest.mark.parametrize(
    ("element", "code", "subcodes"),
    [
        (nested("s:Sender"), f"{{{NS_12}}}Sender", ()),
        (nested("s:Sender", "q:A"), f"{{{NS_12}}}Sender", ("{urn:q}A",)),
        (
            nested("s:Receiver", "q:A", "B", "x:C"),
            f"{{{NS_12}}}Receiver",
            ("{urn:q}A", "B", "x:C"),
        ),
        (nested("s:Sender", "", "q:C"), f"{{{NS_12}}}Sender", ("{urn:q}C",)),
        ("<s:Code/>", "", ()),
        ("<s:Code>s:Sender</s:Code>", f"{{{NS_12}}}Sender", ()),
        ('<s:Code xmlns:s="urn:x"><s:Value>s:Sender</s:Value></s:Code>', "", ()),
    ],
)
def test_subcodes_are_told_outermost_first(
    element: str, code: str, subcodes: tuple[str, ...]
) -> None:
    error = error_of(SoapFault, fault(element, SOAP_12))
    assert (error.code, error.subcodes) == (code, subcodes)


def test_many_subcodes_are_all_told() -> None:
    error = error_of(SoapFault, fault(nested("s:Sender", *["q:A"] * 100), SOAP_12))
    assert error.subcodes == ("{urn:q}A",) * 100


def texts(**by_language: str) -> str:
    return "".join(
        f'<s:Text xml:lang="{language.replace("_", "-")}">{text}</s:Text>'
        for language, text in by_language.items()
    )


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (f"<s:Reason>{texts(de='nein', en='no')}</s:Reason>", "no"),
        (f"<s:Reason>{texts(de='nein', en_US='no', en='nope')}</s:Reason>", "no"),
        (f"<s:Reason>{texts(de='nein', EN_GB='no')}</s:Reason>", "no"),
        (f"<s:Reason>{texts(de='nein', fr='non')}</s:Reason>", "nein"),
        (f"<s:Reason><s:Text>bare</s:Text>{texts(de='nein')}</s:Reason>", "bare"),
        ("<s:Reason><Text>unqualified</Text></s:Reason>", "unqualified"),
        ("<s:Reason>no Text</s:Reason>", "no Text"),
        ("<s:Reason><s:Text>\n a <b>b</b> c\r\nd </s:Text></s:Reason>", "a b c\nd"),
        ("<s:Reason><s:Text/></s:Reason>", ""),
        ("<s:Reason/>", ""),
        ('<faultstring xml:lang="de">nein</faultstring>', "nein"),
        ("", ""),
    ],
)
def test_the_reason_is_the_english_one(element: str, reason: str) -> None:
    assert error_of(SoapFault, fault(element, SOAP_12)).reason == reason


@pytest.mark.parametrize(
    ("parts", "actor", "node"),
    [
        ("<faultactor> urn:a </faultactor>", "urn:a", None),
        ("<faultactor/>", "", None),
        ("<s:Role>urn:r</s:Role><s:Node>urn:n</s:Node>", "urn:r", "urn:n"),
        ("<s:Node>a<x>b</x></s:Node>", None, "ab"),
        ('<Role xmlns="urn:x">urn:r</Role>', None, None),
        ("", None, None),
    ],
)
def test_who_and_where(parts: str, actor: str | None, node: str | None) -> None:
    error = error_of(SoapFault, fault(parts, SOAP_12))
    assert (error.actor, error.node) == (actor, node)


@pytest.mark.parametrize(
    ("element", "detail"),
    [
        ("", None),
        ("<detail/>", ""),
        ("<detail> \n </detail>", ""),
        ("<detail> a &lt; b </detail>", "a &lt; b"),
        ("<detail><x/></detail>", "<x/>"),
        (
            "<detail>a<x>b</x>c<!-- d --><y e='&quot;'/>f</detail>",
            'a<x>b</x>c<y e="&quot;"/>f',
        ),
        # What the detail itself declares may be used in a text alone, so it is kept.
        (
            '<detail xmlns:q="urn:q"><x>q:Y</x></detail>',
            '<x xmlns:q="urn:q">q:Y</x>',
        ),
        ("<s:Detail>s</s:Detail>", "s"),
        ("<Detail>u</Detail>", "u"),
        ('<x:detail xmlns:x="urn:x">no</x:detail>', None),
    ],
)
def test_the_detail_is_the_xml_in_it(element: str, detail: str | None) -> None:
    assert error_of(SoapFault, fault(element)).detail == detail


@VERSIONS
def test_a_fault_may_be_empty(version: SoapVersion) -> None:
    error = error_of(SoapFault, fault("", version))
    assert (error.code, error.subcodes, error.reason) == ("", (), "")
    assert (error.actor, error.node, error.detail) == (None, None, None)
    assert str(error) == "GetJobStatus: the service answered a fault: no reason given"


def test_the_message_of_a_fault_is_one_short_line() -> None:
    reason = "first\nsecond \u202e\u061cthird " + "x" * 1000
    error = error_of(
        SoapFault, fault(f"<faultcode>a\nb</faultcode><faultstring>{reason}</faultstring>")
    )
    assert error.reason == reason
    start = "GetJobStatus: the service answered a b: "
    assert str(error).startswith(f"{start}first second third xxx")
    assert str(error).endswith("x…")
    assert len(str(error)) == len(start) + 200


# --- statuses without a fault


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 404, 418, 500, 503, 599])
def test_a_good_result_under_a_bad_status_is_none(status: int) -> None:
    error = error_of(HttpError, answer(result(), status, XML, "5"))
    assert (error.status_code, error.content_type, error.retry_after) == (status, XML, 5.0)
    assert error.excerpt == "Backup Done 2026-03-14T09:26:53 2026-03-14T09:31:07"
    assert error.transient is (status == 503)


HINTS = [
    (301, "redirects are never followed, since the body holds the key"),
    (308, "redirects are never followed, since the body holds the key"),
    (399, "redirects are never followed, since the body holds the key"),
    (401, "the key may be wrong, or this address not white-listed in the control panel"),
    (403, "the key may be wrong, or this address not white-listed in the control panel"),
    (404, "the endpoint may be wrong"),
    (400, None),
    (500, None),
    (200, None),
]


@pytest.mark.parametrize(("status", "hint"), HINTS)
def test_some_statuses_come_with_a_hint(status: int, hint: str | None) -> None:
    text = f"GetJobStatus: HTTP {status}, text/html, body: Oops"
    error = error_of(HttpError, answer("<p>Oops</p>", status, "text/html"))
    assert str(error) == (f"{text} ({hint})" if hint else text)


@pytest.mark.parametrize(
    ("status", "content_type", "kind"),
    [
        (204, "", HttpError),
        (200, "text/html", HttpError),
        (204, XML, InvalidResponse),
        (200, SOAP_XML, InvalidResponse),
        (400, XML, HttpError),
        (415, SOAP_XML, HttpError),
    ],
)
def test_an_empty_body(status: int, content_type: str, kind: type[DaspError]) -> None:
    error = error_of(kind, answer("", status, content_type))
    label = content_type or "no content type"
    assert f"HTTP {status}, {label}, empty body" in str(error)


@pytest.mark.parametrize("body", ["<a/>", " ", "<!-- x -->", "\0\0\0"])
def test_a_body_without_text_is_not_called_empty(body: str) -> None:
    error = error_of(HttpError, answer(body, 500))
    assert str(error) == f"GetJobStatus: HTTP 500, {XML}, no text in the body"
    assert error.excerpt == ""


# --- Retry-After

RETRY_AFTER = [
    (None, None),
    ("0", 0.0),
    ("120", 120.0),
    (" 7 ", 7.0),
    ("7\x1c", 7.0),
    ("999999999", 999_999_999.0),
    # 1,700,000,000 is 2023-11-14T22:13:20Z
    ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
    ("Tue, 14 Nov 2023 22:14:20 +0000", 60.0),
    ("Tue, 14 Nov 2023 23:14:20 +0100", 60.0),
    ("Tue, 14 Nov 2023 22:14:20 -0000", 60.0),
    ("Tuesday, 14-Nov-23 22:14:20 GMT", 60.0),
    ("Tue Nov 14 22:14:20 2023", 60.0),
    ("Tue, 14 Nov 2023 22:12:20 GMT", 0.0),
    ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ("Mon, 01 Jan 0001 00:00:00 +1400", 0.0),
    ("", None),
    ("soon", None),
    ("-1", None),
    ("1.5", None),
    ("1e3", None),
    ("٣", None),
    ("7, 8", None),
    ("1" + "0" * 30, None),
    ("Tue, 14 Nov 99999 22:14:20 GMT", None),
    ("Tue, 32 Nov 2023 22:14:20 GMT", None),
    ("nan", None),
    ("inf", None),
    ("\0", None),
]


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):  # pragma: no cover
        pytest.skip("the zone of a process cannot be set here")
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTER)
def test_retry_after_is_read(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds
    for kind, body in ((HttpError, "busy"), (SoapFault, fault(""))):
        assert error_of(kind, answer(body, 503, XML, header)).retry_after == seconds


@settings(deadline=None)
@given(st.one_of(st.text(), st.text("0123456789 :,-+GMTueNov", max_size=40)))
def test_any_retry_after_is_seconds_or_none(header: str) -> None:
    seconds = retry_after(header, NOW)
    assert seconds is None or seconds >= 0


@settings(deadline=None)
@given(st.datetimes(timezones=st.timezones()))
def test_any_http_date_is_seconds_or_none(moment: datetime) -> None:
    seconds = retry_after(format_datetime(moment), NOW)
    assert seconds is None or seconds >= 0


# --- excerpts

EXCERPTS = [
    ("<p>a</p><p>b</p>", "a b"),
    ("a<br>b<BR/>c", "a b c"),
    ("<SCRIPT type='x'>var a = '<b>';</SCRIPT >a", "a"),
    ("<style>p { color: red }</style>a", "a"),
    ("a<script>b</script >c<script>d", "a c"),
    ("<scripts>a</scripts>", "a"),
    ("<!-- <b>x</b> -->a<!---->b", "a b"),
    ("<!-- a -> b -->c", "c"),
    ("a<!-- x", "a"),
    ("<!DOCTYPE html><?xml version='1.0'?>a", "a"),
    ("<title>a</title>\r\n\t b", "a b"),
    ("a &lt;b&gt; &amp;amp; &#99; &eacute; &nbsp; d &unknown;", "a <b> &amp; c é d &unknown;"),
    ("1 < 2 <3", "1 < 2 <3"),
    ("a <b", "a"),
    ("a\0b\x1b[31mc\x7fd\x85e", "a b [31mc d e"),
    ("a\u202eb\u2066c\u200bd\u200fe\u061cf\u2028g\ufeffh", "a b c d e f g h"),
    ("a&#x202e;b&#8203;c&#0;d", "a b c\ufffdd"),
    (f"a&#{'9' * 5000};b", "a\ufffdb"),
    (f"a&#{'9' * 5000} b", "a\ufffd b"),
    ("x" * 200, "x" * 200),
    ("x" * 201, "x" * 199 + "…"),
    ("x " * 1000, "x " * 99 + "x…"),
    ("\U0001f680" * 201, "\U0001f680" * 199 + "…"),
]


@pytest.mark.parametrize(("body", "excerpt"), EXCERPTS, ids=range(len(EXCERPTS)))
def test_an_excerpt_is_what_a_person_would_read(body: str, excerpt: str) -> None:
    error = error_of(HttpError, answer(body, 500, "text/html; charset=utf-8"))
    assert error.excerpt == excerpt
    assert excerpt in str(error)


EXCERPT_CHARSETS = [
    ("text/html", "café €".encode()),
    ("text/html; charset=klingon", "café €".encode()),
    ("text/html; charset=windows-1252", "café €".encode("cp1252")),
    ("text/html", codecs.BOM_UTF8 + "café €".encode()),
    ("text/html; charset=windows-1252", codecs.BOM_UTF16_LE + "café €".encode("utf-16-le")),
    ("text/html", codecs.BOM_UTF16_BE + "café €".encode("utf-16-be")),
    ("text/html; charset=utf-16", "café €".encode("utf-16-le")),
    ("text/html", "café €".encode("utf-16-be")),
]


@pytest.mark.parametrize(("content_type", "body"), EXCERPT_CHARSETS)
def test_an_excerpt_is_decoded(content_type: str, body: bytes) -> None:
    assert error_of(HttpError, answer(body, 500, content_type)).excerpt == "café €"


def test_an_excerpt_of_wrong_bytes_has_replacements() -> None:
    assert error_of(HttpError, answer(b"caf\xe9\xff", 500)).excerpt == "caf\ufffd\ufffd"


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "<script",
        "<script>",
        "</script ",
        "<",
        "<a",
        "&",
        "&#",
        " ",
        "\0",
        "-->",
        "charset=",
    ],
)
@pytest.mark.parametrize("before", ["", "<!--", "<script>"])
def test_no_text_however_made_is_gone_over_twice(piece: str, before: str) -> None:
    body = before + piece * (4_000_000 // len(piece))
    for kind, status in ((HttpError, 500), (InvalidResponse, 200)):
        assert len(str(error_of(kind, answer(body, status)))) < 800


def test_a_content_type_is_shown_as_one_short_line() -> None:
    content_type = "text/html\r\n\x1b[2J" + "; x=y" * 1000
    error = error_of(HttpError, answer("", 500, content_type))
    assert error.content_type == content_type
    assert "text/html [2J; x=y" in str(error)
    assert len(str(error)) < 300


@pytest.mark.parametrize("content_type", ["charset" * 100_000, "charset=" + "a" * 100_000])
def test_a_long_content_type_is_no_trouble(content_type: str) -> None:
    assert error_of(HttpError, answer("x", 500, content_type)).excerpt == "x"


# --- hostile XML


def bomb(entities: str, use: str) -> str:
    return f"<!DOCTYPE x [{entities}]>" + result(f"<Status>{use}</Status>")


def hostile(path: Path) -> dict[str, str]:
    laughs = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
    )
    return {
        "DOCTYPE": "<!DOCTYPE x>" + result(),
        "empty subset": "<!DOCTYPE x []>" + result(),
        "public DOCTYPE": f'<!DOCTYPE x PUBLIC "-//x" "{path.as_uri()}">' + result(),
        "internal entity": bomb('<!ENTITY x "canary">', "&x;"),
        "unused entity": bomb('<!ENTITY x "canary">', "x"),
        "external entity": bomb(f'<!ENTITY x SYSTEM "{path.as_uri()}">', "&x;"),
        "external entity of the net": bomb('<!ENTITY x SYSTEM "http://127.0.0.1:9/">', "&x;"),
        "external subset": f'<!DOCTYPE x SYSTEM "{path.as_uri()}">'
        + result("<Status>&x;</Status>"),
        "parameter entity": bomb(f'<!ENTITY % x SYSTEM "{path.as_uri()}"> %x;', "x"),
        "billion laughs": bomb(laughs, "&a11;"),
        "quadratic blow-up": bomb(f'<!ENTITY x "{"x" * 100_000}">', "&x;" * 10_000),
        "recursion": bomb('<!ENTITY x "&y;"><!ENTITY y "&x;">', "&x;"),
        "default attribute": bomb('<!ATTLIST Status nil CDATA "true">', "x"),
    }


@pytest.mark.parametrize("attack", hostile(Path("/")))
def test_a_dtd_is_never_acted_on(attack: str, tmp_path: Path) -> None:
    bait = tmp_path / "bait"
    bait.write_text('canary<!ENTITY x "canary">', encoding="utf-8")
    body = hostile(bait)[attack]
    errors = [
        error_of(InvalidResponse, body),
        error_of(HttpError, answer(body, 500)),
        outcome_of(answer(body, 200, "text/html")),
    ]
    # Some are too much for the parser already.
    assert re.search("it has a DOCTYPE, which SOAP forbids|not well-formed XML", str(errors[0]))
    for error in errors:
        assert isinstance(error, DaspError)
        assert "canary" not in everything(error)


@pytest.mark.parametrize("content_type", [XML, "text/html", ""])
def test_a_doctype_is_refused_whatever_the_label(content_type: str) -> None:
    # A parser that looks for what is not there would stumble over that first.
    attacks = hostile(Path("/no such file"))
    for attack in ("DOCTYPE", "public DOCTYPE", "external entity", "external subset"):
        error = error_of(InvalidResponse, answer(attacks[attack], content_type=content_type))
        assert "it has a DOCTYPE, which SOAP forbids" in str(error)


@pytest.mark.parametrize("attack", ["DOCTYPE", "unused entity", "external entity"])
def test_a_dtd_hides_no_fault(attack: str, tmp_path: Path) -> None:
    body = hostile(tmp_path)[attack].replace(response(), f"<s:Fault>{PARTS_11}</s:Fault>")
    error_of(InvalidResponse, body)


def test_xinclude_is_not_followed(tmp_path: Path) -> None:
    bait = tmp_path / "bait"
    bait.write_text("canary", encoding="utf-8")
    include = (
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" '
        f'parse="text" href="{bait.as_uri()}"/>'
    )
    error = error_of(InvalidResponse, result(f"<Status>{include}</Status>"))
    assert "its Status holds elements, not text" in str(error)
    assert read(result(f"{MEMBERS}{include}")) == RECORD
    detail = error_of(SoapFault, fault(f"<detail>{include}</detail>")).detail
    assert detail is not None
    assert "include" in detail
    assert "canary" not in detail


def test_a_schema_is_not_fetched(tmp_path: Path) -> None:
    body = result().replace(
        "<s:Body>", f'<s:Body xsi:schemaLocation="urn:x {(tmp_path / "none").as_uri()}">'
    )
    assert read(f'<?xml-stylesheet href="{tmp_path.as_uri()}"?>{body}') == RECORD


@pytest.mark.parametrize("depth", [300, 20_000])
def test_depth_is_limited(depth: int) -> None:
    deep = "<x>" * depth + "</x>" * depth
    for body in (result(MEMBERS + deep), fault(f"<detail>{deep}</detail>"), deep):
        assert "not well-formed XML" in str(error_of(InvalidResponse, body))


def test_some_depth_is_no_trouble() -> None:
    assert read(result(MEMBERS + "<x>" * 200 + "</x>" * 200)) == RECORD


def test_one_text_is_limited_to_10_mb() -> None:
    assert read(result(f"<Status>{'x' * 9_000_000}</Status>")).status == "x" * 9_000_000
    error = error_of(InvalidResponse, result(f"<Status>{'x' * 10_500_000}</Status>"))
    assert "not well-formed XML" in str(error)
    assert len(str(error)) < 800


def test_many_members_are_no_trouble() -> None:
    assert read(result("<New/>" * 40_000 + MEMBERS)) == RECORD
    many = " ".join(f'a{n}="x"' for n in range(20_000))
    assert read(result().replace("<Status>", f"<Status {many}>")) == RECORD


LONG = "urn:" + "x" * 100_000
DECLARED = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(2_000))


@pytest.mark.timeout(5)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso8859-1"])
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(result("<a/>" * 500_000), "more than 50000 tags", id="many elements"),
        pytest.param(
            fault(f"<detail {DECLARED}>{'<a/>' * 2_000}</detail>"),
            "declares more than 1000 namespaces",
            id="declarations that each child would repeat",
        ),
        pytest.param(
            result(f"<b xmlns='{LONG}'>{'<a/>' * 20_000}</b>"),
            "a namespace of more than 300 bytes",
            id="a long namespace that each name would repeat",
        ),
        pytest.param(
            result(f'<n:b xmlns:n\n= \t"{LONG}">{"<n:a/>" * 20_000}</n:b>'),
            "a namespace of more than 300 bytes",
            id="the same with a prefix and blanks",
        ),
        pytest.param(
            result(f'<{"p" * 201}:b xmlns:{"p" * 201}="{LONG}">x</{"p" * 201}:b>'),
            "a namespace of more than 300 bytes",
            id="the same behind a long prefix",
        ),
        pytest.param(
            result(f'<b xmlns{" " * 51}="{LONG}">x</b>'),
            "a namespace of more than 300 bytes",
            id="the same behind many blanks",
        ),
        pytest.param(
            result(f'<b xmlns={" " * 51}"{LONG}">x</b>'),
            "a namespace of more than 300 bytes",
            id="the same after many blanks",
        ),
    ],
)
def test_a_small_answer_that_would_cost_much_is_refused(
    body: str, problem: str, encoding: str
) -> None:
    label = f"text/xml; charset={encoding}"
    error = error_of(InvalidResponse, answer(body.encode(encoding), content_type=label))
    assert problem in str(error)


@pytest.mark.parametrize("label", ["utf-7", "big5", "cp037", "unicode_escape", "idna"])
def test_an_encoding_that_hides_things_is_not_believed(label: str) -> None:
    body = f'<?xml version="1.0" encoding="{label}"?>{result()}'
    assert read(body) == RECORD
    hidden = "+ADw-!DOCTYPE x+AD4-" + body
    assert "not well-formed" in str(error_of(InvalidResponse, hidden))


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be"])
def test_utf_32_is_read(encoding: str, mark: bool) -> None:
    text = ("\ufeff" if mark else "") + result()
    assert read(text.encode(encoding)) == RECORD


def test_bytes_that_are_not_in_their_encoding_are_no_text() -> None:
    body = b"\xff\xfe" + "<a>".encode("utf-16-le") + b"\x00"
    assert "not text in utf-16" in str(error_of(InvalidResponse, body))
    spoilt = answer("é", content_type="text/xml; charset=us-ascii")
    assert "not text in ascii" in str(error_of(InvalidResponse, spoilt))


def test_a_long_detail_is_cut() -> None:
    detail = error_of(SoapFault, fault(f"<detail>{'<a>b</a>' * 20_000}</detail>")).detail
    assert detail is not None
    assert (len(detail), detail[:8]) == (64 * 1024, "<a>b</a>")


@pytest.mark.parametrize("body", [result(), result()[:-20], fault(PARTS_11), "x"])
def test_what_was_longer_than_the_limit_is_not_read(body: str) -> None:
    error = error_of(InvalidResponse, answer(body, whole=False))
    assert f"longer than max_response_bytes ({len(body)} were read)" in str(error)
    assert error_of(HttpError, answer(body, 500, whole=False)).status_code == 500
    error_of(HttpError, answer(body, 200, "text/html", whole=False))


def test_an_answer_may_be_cut_off_anywhere() -> None:
    for body in (result(), fault(PARTS_11), result().replace("Backup", "日本")):
        raw = body.encode()
        for end in range(len(raw)):
            for content_type, kind in ((XML, InvalidResponse), ("text/html", HttpError)):
                error_of(kind, answer(raw[:end], content_type=content_type))


# --- secrets


def everything(outcome: JobRecord | DaspError) -> str:
    """All that an error or a result lets out, pickled bytes included."""
    shown = [str(outcome), repr(outcome)]
    if isinstance(outcome, DaspError):
        shown += [repr(outcome.args), repr(vars(outcome))]
        shown += traceback.format_exception(outcome)
    pickled = [pickle.dumps(outcome, p) for p in range(pickle.HIGHEST_PROTOCOL + 1)]
    return "\n".join(shown + [raw.decode("latin-1") for raw in pickled])


def outcome_of(of: HttpAnswer, key: str = KEY) -> JobRecord | DaspError:
    try:
        return read(of, key)
    except DaspError as error:
        return error


def as_base64(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


ECHOES: dict[str, Callable[[str], str]] = {
    "plain": lambda key: key,
    "XML": escape,
    "XML attribute": lambda key: quoteattr(key)[1:-1],
    "HTML": lambda key: html.escape(key, quote=True),
    "URL": lambda key: quote(key, safe=""),
    "URL form": quote_plus,
    "base64": as_base64,
}

# Where an answer can echo what was sent; "@" stands for the echo.
PLACES: dict[str, HttpAnswer] = {
    "result": answer(
        result("<JobName>a @ b</JobName><Status>@</Status><ErrorMessage>@</ErrorMessage>")
    ),
    "date": answer(result("<StartDateTime>@</StartDateTime>")),
    "reason": answer(fault("<faultcode>s:Server</faultcode><faultstring>Bad key @!</faultstring>")),
    "reasons": answer(fault("<s:Reason><s:Text>@</s:Text></s:Reason>", SOAP_12)),
    "code": answer(fault("<faultcode>s:@</faultcode>")),
    "subcodes": answer(fault(nested("@", "q:@", "@"), SOAP_12)),
    "actor": answer(fault("<faultactor>urn:@</faultactor>")),
    "node and role": answer(fault("<s:Node>@</s:Node><s:Role>@</s:Role>", SOAP_12)),
    "detail": answer(fault('<detail>@<x a="@">@</x>@</detail>')),
    "HTML": answer("<p class='@'>Bad key @!</p> @", 403, "text/html"),
    "HTML of status 200": answer("Bad key: @", 200, "text/html"),
    "not an envelope": answer("<a>@</a>"),
    "not XML": answer("<a>@</b>"),
    "wrong end": answer(result("<Status>@</Status")),
    "empty result": answer(result("<X>@</X>")),
    "cut off": answer("a @ b", whole=False),
    "content type": answer("", 500, "text/html; x=@"),
    "content type of a breach": answer("", 200, "text/xml; x=@"),
    "UTF-16": answer("@".encode("utf-16"), 500, "text/html"),
    "UTF-16, unmarked": answer("<?xml?>@".encode("utf-16-le"), 500, "text/html; charset=utf-16"),
    "far back": answer(result("<Status>" + "x" * 150 + "@</Status>"), 500),
    "at the end of an excerpt": answer("x" * 190 + "@", 500),
}


def with_echo(place: str, echo: str) -> HttpAnswer:
    plain = PLACES[place]
    wide = plain.body[1:2] == b"\0" or plain.body.startswith(codecs.BOM_UTF16_LE)
    encoding = "utf-16-le" if wide else "utf-8"
    return HttpAnswer(
        plain.status,
        plain.content_type.replace("@", echo),
        body=plain.body.replace("@".encode(encoding), echo.encode(encoding)),
        whole=plain.whole,
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("echo", ECHOES)
def test_an_echoed_key_is_masked(place: str, echo: str) -> None:
    outcome = outcome_of(with_echo(place, ECHOES[echo](KEY)))
    shown = everything(outcome)
    for spelling in ECHOES.values():
        # Half of it would be too much.
        assert spelling(KEY)[:9] not in shown


@pytest.mark.parametrize("place", sorted(set(PLACES) - {"date", "wrong end"}))
def test_a_short_key_is_left_alone(place: str) -> None:
    shown = everything(outcome_of(with_echo(place, "1234567"), key="1234567"))
    assert "123456" in shown or place in {"empty result", "cut off"}


@pytest.mark.parametrize("place", ["result", "reason", "actor", "HTML", "not XML", "far back"])
def test_a_key_spelled_by_number_is_masked(place: str) -> None:
    echo = "".join(f"&#{ord(character)};" for character in KEY)
    assert KEY[:9] not in everything(outcome_of(with_echo(place, echo)))


def test_a_key_in_cdata_is_masked() -> None:
    error = error_of(SoapFault, fault(f"<detail><x><![CDATA[{KEY}]]></x></detail>"))
    assert error.detail == "<x>***</x>"


NAMES = {
    "root": "<Secret-Key-1234/>",
    "root in a namespace": '<a xmlns="urn:Secret-Key-1234"/>',
    "long root": f"<{'x' * 190}Secret-Key-1234/>",
    "long namespace": f'<a xmlns="urn:{"x" * 185}Secret-Key-1234"/>',
    "response": envelope("<Secret-Key-1234/>"),
    "long response": envelope(f"<{'x' * 85}Secret-Key-1234/>"),
    "mismatch": "<Secret-Key-1234></x>",
    "long mismatch": f"<{'x' * 150}Secret-Key-1234></x>",
    "unknown prefix": "<Secret-Key-1234:x/>",
    "unknown entity": "<x>&Secret-Key-1234;</x>",
    "fault": fault("<detail><Secret-Key-1234/></detail>"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_key_in_a_name_is_masked(name: str) -> None:
    for status in (200, 500):
        shown = everything(outcome_of(answer(NAMES[name], status), key="Secret-Key-1234"))
        assert "Secret-K" not in shown


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("two words of key", "two\nwords of\tkey"),
        ("two words of key", "two  words<br>of key"),
        ("two words of key", "two\u202ewords&nbsp;of key"),
        ("two  words of  key", "<p>two words</p> of key"),
        ("zero\u200bwidth key", "a zero\u200bwidth key"),
        ("zero\u200bwidth key", "a zero&#8203;width key"),
    ],
)
def test_a_key_put_together_by_cleaning_is_masked(key: str, body: str) -> None:
    error = error_of(HttpError, answer(body, 500, "text/html"), key)
    assert "***" in error.excerpt
    assert "words" not in str(error) + error.excerpt
    assert "width" not in str(error) + error.excerpt


def test_a_key_is_not_cut_before_it_is_masked() -> None:
    for length in range(19_900, 20_020):
        body = f"<!--{'x' * length}-->a {KEY}"
        assert KEY[:4] not in everything(error_of(HttpError, answer(body, 500)))


def test_a_key_put_together_in_a_message_is_masked() -> None:
    parts = "<faultcode>two\nwords of key</faultcode><faultstring>two\nwords of key</faultstring>"
    error = error_of(SoapFault, fault(parts), "two words of key")
    assert str(error) == "GetJobStatus: the service answered ***: ***"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    key=st.text("abcXYZ019 -_/+=<>&\"'é日🚀", min_size=8).filter(lambda k: len(k.strip()) > 7),
    place=st.sampled_from(["result", "reason", "detail", "actor", "not XML"]),
)
def test_any_key_is_masked(key: str, place: str) -> None:
    shown = everything(outcome_of(with_echo(place, quoteattr(key)[1:-1]), key))
    assert key not in shown
    assert escape(key) not in shown


def frames_of(error: BaseException | None) -> Iterator[FrameType]:
    """The frames of the package that an error holds on to, through the errors linked to it too."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_globals["__name__"].startswith("dasp_async"):
                yield frame
        error = error.__cause__ or error.__context__


# An answer does show its content type, and a result raises nothing.
QUIET_PLACES = [place for place in PLACES if place != "result" and "content type" not in place]


@pytest.mark.parametrize("place", QUIET_PLACES)
def test_no_frame_of_an_error_shows_the_key(place: str) -> None:
    error = outcome_of(with_echo(place, "Secret-Key-1234"), "Secret-Key-1234")
    assert isinstance(error, DaspError)
    assert (error.__cause__, error.__context__) == (None, None)
    frames = list(frames_of(error))
    assert frames
    assert not [frame for frame in frames if "Secret-K" in repr(frame.f_locals)]


# --- whatever comes

CAPTURED = sorted({samples.load(name).body for name in samples.names()} - {b""}, key=len)[:150]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    body = bytearray(draw(st.sampled_from(CAPTURED)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 40)))
        change = draw(st.sampled_from(["flip", "delete", "double", "insert", "cut"]))
        if change == "flip" and start < len(body):
            body[start] ^= 1 << draw(st.integers(0, 7))
        elif change == "delete":
            del body[start:end]
        elif change == "double":
            body[start:start] = body[start:end]
        elif change == "insert":
            body[start:start] = draw(st.sampled_from(INSERTED) | st.binary(max_size=8))
        elif change == "cut":
            del body[start:]
    return bytes(body)


INSERTED = [
    *[b"<", b">", b"&", b"&#0;", b"&x;", b"\0", b"\xff\xfe", b"<?x?>"],
    *[b"<!--", b"<![CDATA[", b"]]>", b"<!DOCTYPE x>"],
    *[b' xsi:nil="true"', b' xmlns=""', b"<soap:Fault/>", b"</soap:Body>"],
]

# Codecs of Python's; some of them are no charset, and some no parser knows.
CHARSET_NAMES = [
    *["latin-1", "cp1252", "cp1258", "cp037", "big5", "iso2022_jp", "utf-7", "utf-8-sig"],
    *["utf-16", "utf-32", "idna", "mbcs", "hex", "undefined", "unicode_escape"],
]
CONTENT_TYPES = st.one_of(
    st.sampled_from([XML, SOAP_XML, "text/html", "", "application/json"]),
    st.sampled_from(CHARSET_NAMES).map("text/xml; charset={}".format),
    st.text(max_size=20).map("text/xml; charset={}".format),
    st.text(max_size=40),
)


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=mutated() | st.binary(max_size=200),
    status=st.sampled_from([200, 204, 302, 400, 500, 503]) | st.integers(100, 999),
    content_type=CONTENT_TYPES,
    header=st.none() | st.text(max_size=20),
    whole=st.sampled_from([True, True, True, False]),
)
def test_only_a_result_or_an_error_of_ours_comes_out(
    *, body: bytes, status: int, content_type: str, header: str | None, whole: bool
) -> None:
    outcome = outcome_of(
        HttpAnswer(status, content_type, retry_after=header, body=body, whole=whole)
    )
    if isinstance(outcome, JobRecord):
        assert status < 300
        assert whole
    else:
        assert len(str(outcome)) < 1000
        assert "\n" not in str(outcome)
        twin = pickle.loads(pickle.dumps(outcome))  # noqa: S301 - our own
        assert vars(twin) == vars(outcome)


@pytest.mark.parametrize(
    "name", ["cp125", "iso8859-", "iso8859-99", "utf-8-sig", "utf-8-x", "cp1259"]
)
def test_a_charset_only_one_side_knows_is_none(name: str) -> None:
    assert read(answer(result(), content_type=f"text/xml; charset={name}")) == RECORD


@pytest.mark.timeout(5)
def test_a_detail_whose_children_repeat_much_is_cut() -> None:
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(900))
    detail = error_of(SoapFault, fault(f"<detail {declared}>{'<a/>' * 40_000}</detail>")).detail
    assert detail is not None
    assert len(detail) == 64 * 1024


@pytest.mark.parametrize(
    ("piece", "counted", "most"), [("<a/>", "<", 50_000), ("<a xmlns='u'/>", "xmlns", 1_000)]
)
def test_an_answer_may_be_as_large_as_the_bounds_allow(piece: str, counted: str, most: int) -> None:
    def with_pieces(number: int) -> str:
        return result(f"{piece * number}{MEMBERS}")

    rest = most - result().count(counted)
    assert read(with_pieces(rest)) == RECORD
    assert f"more than {most} " in str(error_of(InvalidResponse, with_pieces(rest + 1)))


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_namespace_may_be_of_300_bytes(quote: str) -> None:
    # nothing is looked for in an answer of 4096 bytes or less
    blanks = " " * 5000

    def with_namespace(length: int) -> str:
        return result(f"<a xmlns={quote}{'x' * length}{quote}/>{blanks}{MEMBERS}")

    assert read(with_namespace(300)) == RECORD
    assert "more than 300 bytes" in str(error_of(InvalidResponse, with_namespace(301)))
