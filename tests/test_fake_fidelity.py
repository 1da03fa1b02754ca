"""The fake's answers, held against what the real runtime answered to the same requests."""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from lxml import etree

from dasp_async.models import JobRecord
from dasp_async.testing import (
    DATE_TIME,
    DECIMAL,
    KEY,
    LONG,
    OPERATIONS,
    STRING,
    STRINGS,
    DataSetType,
    Element,
    FakeClock,
    FakeCustomerApi,
    Fault,
    Operation,
    RawAnswer,
)
from tests import samples

# Every captured case that the fake does not answer as captured, and why. (The cases of debug11
# were captured with custom errors off; the fake has them on, as the other cases.)
OTHER_PROTOCOL = "the fake speaks SOAP only, not HTTP POST nor JSON"
XSP = "the captured HTTP server's doing, not ASMX's"
SEVEN_DIGITS = "a datetime has 6 fractional digits"
AS_DOT_NET = "the fake has .NET's help page"
DIFFERENCES: Mapping[str, str] = {
    **{
        f"{version}/{case}": reason
        for version in ("soap11", "soap12")
        for case, reason in {
            "datetime-fraction-unspecified": SEVEN_DIGITS,
            "datetime-fraction-utc-local": SEVEN_DIGITS,
            "http-302-login": "HTML and SOAP in one body, the captured service's own doing",
        }.items()
    },
    "protocol11/chunked": XSP,
    "protocol11/soapaction-empty": XSP,
    "http/other-case": "paths are not case-sensitive on Windows",
    "http/bad-characters": "ASP.NET's request validation is not ASMX's",
    "http/disco": "the fake has a WSDL, but no discovery document",
    "http/help-operation": AS_DOT_NET,
    "http/post-form-start-backup": OTHER_PROTOCOL,
    "http/post-form-bad-date": OTHER_PROTOCOL,
    "http/post-form-missing-parameter": OTHER_PROTOCOL,
    "http/post-form-string": OTHER_PROTOCOL,
    "http/post-form-strings": OTHER_PROTOCOL,
    "http/post-form-wrong-key": OTHER_PROTOCOL,
    "http/post-json": OTHER_PROTOCOL,
    "http/wsdl": "compared without the white space between elements, see below",
    "http/wsdl-lower-case": "compared without the white space between elements, see below",
}

# The error pages and the help page are the captured HTTP server's, labelled without a charset;
# of the fake's own only status and media type are the same.
OWN_PAGE = "text/html"

# Texts that the captured runtime leaves unformatted, and what .NET writes for {0} and {1}.
FILLED: Mapping[str, tuple[str, ...]] = {
    "must-understand": ("T",),
    "envelope-unknown-namespace": (
        "http://example.com/envelope",
        "http://schemas.xmlsoap.org/soap/envelope/",
    ),
    "soapaction-empty-quoted": ("SOAPAction", ""),
    "soapaction-wrong": ("SOAPAction", "http://api.discountasp.net/NoSuchOperation"),
    "soapaction-single-quoted": ("SOAPAction", "'http://api.discountasp.net/GetJobStatus'"),
    "soapaction-other-case": ("SOAPAction", "http://api.discountasp.net/getjobstatus"),
    "soapaction-only-name": ("SOAPAction", "GetJobStatus"),
    "soapaction-padded": ("SOAPAction", " http://api.discountasp.net/GetJobStatus "),
    "post-soap-to-path-info": ("GetJobStatus",),
    "post-form-guid": ("GetJobStatus",),
    "unknown-operation": ("SOAPAction", "http://api.discountasp.net/NoSuchOperation"),
}

# The same request was captured for these once or twice before.
SENT_BEFORE: Mapping[str, int] = {
    "progress-2": 1,
    "progress-3": 2,
    "progress-to-failed-2": 1,
    "progress-to-failed-3": 2,
    "soap12/start-backup": 1,
}

PACIFIC_WINTER = timezone(timedelta(hours=-8))
PACIFIC_SUMMER = timezone(timedelta(hours=-7))
MEAN_TIME = timezone(-timedelta(hours=7, minutes=53))
START = datetime(2026, 3, 14, 9, 26, 53)  # noqa: DTZ001 - of no known zone, as captured
END = datetime(2026, 3, 14, 9, 31, 7)  # noqa: DTZ001 - of no known zone, as captured
MIN = datetime.min  # noqa: DTZ901 - .NET's, of no known zone
MAX = datetime.max  # noqa: DTZ901 - .NET's, of no known zone
HELP_PAGE = samples.HELP_PAGE.read_text("utf-8")
NODE = "http://127.0.0.1:18080/1.0/customerapi.asmx"
DETAIL = (
    '<j:code severity="high" xmlns:j="http://api.discountasp.net/errors">'
    "E-403 &lt;denied&gt;</j:code>"
)
PROCESS = "Server was unable to process request. ---> "


def record(
    status: str | None = "Completed",
    job_name: str | None = "Sql2012CreateBackup",
    error_message: str | None = None,
    start: datetime | None = START,
    end: datetime | None = END,
) -> JobRecord:
    return JobRecord(job_name, status, start, end, error_message)


def usage(_: object, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a day, with its date in the summer of the captured server's zone."""
    days = (values["endDate"] - values["startDate"]).days + 1
    return [
        {
            "Date": (values["startDate"] + timedelta(days=day)).replace(tzinfo=PACIFIC_SUMMER),
            "BytesSent": (day + 1) * 1_000_000_007,
            "Gigabytes": Decimal("0.25") * day,
            "Note": "caf\u00e9 <&>" if day else None,
        }
        for day in range(days)
    ]


# The captured service's own operations, in the order of its WSDL. Those that are not of the
# known service, and this one's data set, were made up to show what the runtime does.
CAPTURED = (
    OPERATIONS["GetJobStatus"],
    OPERATIONS["Sql2012CreateBackup"],
    Operation(
        "GetDomainNames",
        (KEY,),
        STRINGS,
        lambda _, __: ["example.com", None, "", "b\u00fccher.example", " a & b "],
        writes=False,
        documentation="A list of strings, one of them null and one of them empty",
    ),
    Operation(
        "GetNoDomainNames",
        (KEY, Element("want", STRING)),
        STRINGS,
        lambda _, values: None if values["want"] == "null" else [],
        writes=False,
        documentation="An empty list of strings, or null where want is 'null'",
    ),
    replace(
        OPERATIONS["BandwidthGetUsage"],
        result=DataSetType(
            "Day",
            (
                Element("Date", DATE_TIME),
                Element("BytesSent", LONG),
                Element("Gigabytes", DECIMAL),
                Element("Note", STRING),
            ),
            name="BandwidthUsage",
            has_changes=True,
        ),
        answer=usage,
        documentation="Bandwidth used on each day from startDate to endDate",
    ),
    Operation(
        "EchoDateTime",
        (KEY, Element("value", DATE_TIME)),
        STRING,
        lambda _, values: values["value"].isoformat(),
        writes=False,
        documentation="What the server understood of a date: its kind, its ticks and its "
        "round-trip text",
    ),
    Operation(
        "EchoString",
        (KEY, Element("value", STRING)),
        STRING,
        lambda _, values: values["value"],
        writes=False,
        documentation="The same string again, with its length in UTF-16 units ('null' for null)",
    ),
)

# The script behind the captured answers.
PENDING = record("Pending", start=None, end=None)
RUNNING = record("Running", end=None)
JOBS: Mapping[str, tuple[JobRecord | Fault | RawAnswer | None, ...]] = {
    "a0000000-0000-0000-0000-000000000001": (PENDING, RUNNING, record()),
    "a0000000-0000-0000-0000-000000000711": (PENDING, RUNNING, record()),
    "a0000000-0000-0000-0000-000000000712": (PENDING, RUNNING, record()),
    **{
        f"f0000000-0000-0000-0000-000000000{number}": (
            PENDING,
            RUNNING,
            record("Failed", error_message="Login failed for user 'sa'."),
        )
        for number in (711, 712)
    },
    "51000000-0000-0000-0000-000000000700": (record(job_name="Slow job"),),
    "1a000000-0000-0000-0000-000000100000": (
        record("Failed", "Large job", error_message="x" * 100_000),
    ),
    **{
        f"00000000-0000-0000-0000-{number:012}": (step,)
        for number, step in {
            1: record(error_message=""),
            2: record(
                "Failed",
                error_message="Cannot open backup device. Operating system error 5 "
                "(Access is denied.).",
            ),
            3: RUNNING,
            4: record(
                job_name="Local kind",
                start=datetime(2026, 1, 15, 9, 30, tzinfo=PACIFIC_WINTER),
                end=datetime(2026, 7, 15, 9, 30, tzinfo=PACIFIC_SUMMER),
            ),
            5: record(
                job_name="Utc kind", start=START.replace(tzinfo=UTC), end=END.replace(tzinfo=UTC)
            ),
            6: record(job_name="Unspecified kind"),
            9: record(job_name="MinValue Utc, MaxValue", start=MIN.replace(tzinfo=UTC), end=MAX),
            10: record(
                job_name="MinValue Local, MaxValue Utc",
                start=MIN.replace(tzinfo=MEAN_TIME),
                end=MAX.replace(tzinfo=UTC),
            ),
            11: record(
                job_name="a < b && c > d \"quoted\" 'single' ]]> &amp; <!-- x -->",
                error_message='<error code="5">&nbsp;</error>',
            ),
            12: record(
                job_name="S\u00e3o Paulo \u65e5\u672c\u8a9e \u05e9\u05dc\u05d5\u05dd",
                error_message="\U0001f680\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301 "
                "\u2028 \u0085 \ufeff \u00a0.",
            ),
            13: record(
                "\tCompleted\n",
                "  leading and trailing  ",
                "line 1\r\nline 2\rline 3\nline 4\n",
            ),
            14: record(None, None),
            15: record("", "", ""),
            16: record(job_name="   ", error_message="\n"),
            17: None,
            18: record(job_name="not XML: \x01 \x0b \x00."),
            19: record(job_name="not XML: \ufffe \uffff."),
            20: record(job_name="half a pair: \ud83d."),
            30: Fault("The job belongs to another customer.", "Client", actor=NODE, detail=DETAIL),
            31: Fault("The job store is down."),
            32: Fault(f"{PROCESS}Could not read the job. ---> The wait operation timed out."),
            33: Fault(f"{PROCESS}Object reference not set to an instance of an object"),
            34: Fault(f"{PROCESS}<b>\u65e5\u672c & \U0001f680</b>\r\nsecond line\x01"),
            35: Fault("A code of our own.", "{http://api.discountasp.net/}JobNotFound"),
            36: Fault(
                "A subcode of our own.",
                "Client",
                subcode="{http://api.discountasp.net/}JobNotFound",
                actor=NODE,
                role="http://role.example/",
                language="en-US",
                detail=DETAIL,
            ),
            37: Fault(""),
            38: Fault(f"{PROCESS}Forbidden by the service."),
            40: RawAnswer(
                "<html><head><title>503</title></head><body><h1>Service Unavailable</h1>"
                "</body></html>",
                status=503,
            ),
            42: RawAnswer("<!DOCTYPE html><html><body>Down for maintenance<br></body></html>"),
        }.items()
    },
}


def scripted() -> FakeCustomerApi:
    fake = FakeCustomerApi(operations=CAPTURED, clock=FakeClock())
    for job_id, steps in JOBS.items():
        fake.add_job(*steps, job_id=UUID(job_id))
    return fake


def short(case: str) -> str:
    return case.partition("/")[2]


CASES = [
    name for name in samples.names() if name not in DIFFERENCES and not name.startswith("debug11/")
]


async def replayed(case: str, fake: FakeCustomerApi) -> httpx.Response:
    """The fake's answer to a captured request."""
    sample = samples.load(case)
    words = shlex.split((samples.FOLDER / case / "request").read_text("utf-8"))
    method = "POST" if "--data-binary" in words else "HEAD" if "-I" in words else "GET"
    if "-X" in words:
        method = words[words.index("-X") + 1]
    path = words[-1].removeprefix("$URL")
    # curl sends this for data, and an empty value takes a header out
    headers = {"content-type": "application/x-www-form-urlencoded", **sample.request_headers}
    body = b" " * 5_000_000 if short(case) == "too-large-5MB" else sample.request_body
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=fake), base_url="http://127.0.0.1:18080"
    ) as client:
        return await client.request(
            method,
            path,
            content=body,
            headers={name: value for name, value in headers.items() if value},
        )


@pytest.mark.parametrize("case", CASES)
async def test_answers_as_captured(case: str) -> None:
    fake = scripted()
    if short(case) == "wrong-key-soapexception":
        fake.trouble(Fault("Invalid API key.", "Client"))
    if case.endswith("start-backup"):
        fake = FakeCustomerApi(clock=FakeClock())
    for _ in range(SENT_BEFORE.get(case, SENT_BEFORE.get(short(case), 0))):
        await replayed(case, fake)

    answer = await replayed(case, fake)

    sample = samples.load(case)
    captured = sample.body
    for number, text in enumerate(FILLED.get(short(case), ())):
        captured = captured.replace(b"{%d}" % number, text.encode())
    assert answer.status_code == sample.status
    if sample.headers["content-type"] == OWN_PAGE:
        assert answer.headers["content-type"].partition(";")[0] == OWN_PAGE
        assert bool(answer.content) == bool(captured)
    else:
        assert answer.headers["content-type"] == sample.headers["content-type"]
        assert answer.content == captured


def test_the_differences_are_cases() -> None:
    assert set(DIFFERENCES) <= set(samples.names())


def canonical(document: bytes) -> str:
    """A document without the white space between its elements."""
    root = etree.fromstring(document, etree.XMLParser(remove_blank_text=True))
    return etree.canonicalize(etree.tostring(root, encoding="unicode"))


@pytest.mark.parametrize("case", ["http/wsdl", "http/wsdl-lower-case"])
async def test_the_wsdl_is_as_captured(case: str) -> None:
    answer = await replayed(case, scripted())
    sample = samples.load(case)
    assert answer.headers["content-type"] == sample.headers["content-type"]
    assert canonical(answer.content) == canonical(sample.body)


async def test_the_help_page_is_the_vendors() -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=scripted()), base_url="https://api.discountasp.net"
    ) as client:
        page = await client.get("/1.0/customerapi.asmx?op=GetJobStatus")
    text = html.unescape(re.sub(r"<[^>]*>", "", page.text.partition("<body>")[2]))
    assert text.split() == HELP_PAGE.split()
