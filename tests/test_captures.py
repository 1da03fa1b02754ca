"""Every captured answer of the real ASMX runtime is read as exactly what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeAlias

import pytest

from dasp_async.errors import DaspError, HttpError, InvalidResponse, SoapFault
from dasp_async.models import JobRecord
from dasp_async.operations import GET_JOB_STATUS
from dasp_async.response import read_answer
from dasp_async.secret import Mask, Secret
from dasp_async.soap import SoapVersion
from tests import samples


@dataclass(frozen=True)
class Fault:
    """A `SoapFault`; its reason is `reason`, and after it a stack trace if `lines` is not 1."""

    code: str
    reason: str
    lines: int = 1
    subcodes: tuple[str, ...] = ()
    actor: str | None = None
    node: str | None = None
    detail: str | None = ""


@dataclass(frozen=True)
class Page:
    """An `HttpError`."""

    status: int
    content_type: str
    excerpt: str = ""


@dataclass(frozen=True)
class Breach:
    """An `InvalidResponse`: what breaks the contract, and how its message ends."""

    problem: str
    body: str
    content_type: str = "text/xml; charset=utf-8"


Expected: TypeAlias = JobRecord | Fault | Page | Breach

SOAP_11, SOAP_12 = SoapVersion.SOAP_1_1, SoapVersion.SOAP_1_2
CLIENT, SERVER = f"{{{SOAP_11.namespace}}}Client", f"{{{SOAP_11.namespace}}}Server"
RECEIVER = f"{{{SOAP_12.namespace}}}Receiver"
HTML, HTML_UTF_8 = "text/html", "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
XML = "text/xml; charset=utf-8"

UNSET = datetime(1, 1, 1)  # noqa: DTZ001 - as .NET sends it, without a zone
START = datetime(2026, 3, 14, 9, 26, 53)  # noqa: DTZ001 - the same
END = datetime(2026, 3, 14, 9, 31, 7)  # noqa: DTZ001 - the same

LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001 - the same
PST, PDT = timezone(timedelta(hours=-8)), timezone(timedelta(hours=-7))
LOCAL_MEAN_TIME = timezone(-timedelta(hours=7, minutes=53))

BACKUP = "Sql2012CreateBackup"
ACCESS_DENIED = "Cannot open backup device. Operating system error 5 (Access is denied.)."
COMPLETED = JobRecord(BACKUP, "Completed", START, END, "")
PENDING = JobRecord(BACKUP, "Pending", UNSET, UNSET, None)
RUNNING = JobRecord(BACKUP, "Running", START, UNSET, None)

UNABLE = "Server was unable to process request. ---> "
UNREADABLE = "Server was unable to read request. ---> There is an error in XML document "
NO_ACTION = "Server did not recognize the value of HTTP Header {0}: {1}."
GUID_FORMAT = "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
EXTENSIONS = "There was an exception running the extensions specified in the config file. ---> "
SURROGATES = (
    "There was an error generating the XML document. ---> The surrogate pair (0xD83D, 0x2E) is "
    "invalid. A high surrogate character (0xD800 - 0xDBFF) must always be paired with a low "
    "surrogate character (0xDC00 - 0xDFFF)."
)
SOAP_EXCEPTION = "System.Web.Services.Protocols.SoapException: "
RUNTIME_ERROR = (
    "Runtime Error Application Exception Runtime Error A runtime error has occurred Description: "
    "An application error occurred on the server. The current custom error settings for this "
    "application prevent…"
)
NOT_FOUND = (
    "Error 404 Application Exception Runtime error The resource cannot be found. Description: "
    "HTTP 404.The resource you are looking for (or one of its dependencies) could have been "
    "removed, had its name c…"
)
HELP = (
    "CustomerApi Web Service Web Service CustomerApi Overview Service Description Client proxy "
    "Methods GetJobStatus Sql2012CreateBackup GetDomainNames GetNoDomainNames BandwidthGetUsage "
    "EchoDateTime EchoS…"
)
WSDL = (
    "Get the status on an asynchronous job Start a backup of a SQL 2012 database; its result is "
    "a jobId for GetJobStatus A list of strings, one of them null and one of them empty An empty "
    "list of strings,…"
)

MALFORMED = Page(400, XML)
UNSUPPORTED = Page(415, XML)
BARE_RESULT = "its root is {http://api.discountasp.net/}%s, not a SOAP envelope"
# What a fault of the service's own has in its detail.
OWN_DETAIL = (
    '<j:code xmlns:j="http://api.discountasp.net/errors" severity="high">'
    "E-403 &lt;denied&gt;</j:code>"
)
OTHER_OPERATION = (
    "its body does not hold one {http://api.discountasp.net/}GetJobStatusResponse, "
    "but {http://api.discountasp.net/}%sResponse"
)
NO_RESULT = (
    "it has no GetJobStatusResult; none, which is how ASMX writes null, may mean that the service "
    "does not know what was asked for"
)
NO_TEXT = "no text in the body"


def scripted(version: SoapVersion) -> dict[str, Expected]:
    """The answers that both versions give, but for the namespace and the names of the codes."""
    soap = f"{{{version.namespace}}}"
    sender, receiver = ("Client", "Server") if version is SOAP_11 else ("Sender", "Receiver")
    client, server = soap + sender, soap + receiver
    media = f"{version.media_type}; charset=utf-8"
    service = "http://127.0.0.1:18080/1.0/customerapi.asmx"
    own_code = "{http://api.discountasp.net/}JobNotFound"
    return {
        # jobs
        "completed": COMPLETED,
        "failed": JobRecord(BACKUP, "Failed", START, END, ACCESS_DENIED),
        "not-yet-completed": RUNNING,
        "slow-700ms": JobRecord("Slow job", "Completed", START, END, None),
        "large-100k": JobRecord("Large job", "Failed", START, END, "x" * 100_000),
        "progress-1": PENDING,
        "progress-2": RUNNING,
        "progress-3": JobRecord(BACKUP, "Completed", START, END, None),
        "progress-to-failed-1": PENDING,
        "progress-to-failed-2": RUNNING,
        "progress-to-failed-3": JobRecord(
            BACKUP, "Failed", START, END, "Login failed for user 'sa'."
        ),
        # dates
        "datetime-local": JobRecord(
            "Local kind",
            "Completed",
            datetime(2026, 1, 15, 9, 30, tzinfo=PST),
            datetime(2026, 7, 15, 9, 30, tzinfo=PDT),
            None,
        ),
        "datetime-utc": JobRecord(
            "Utc kind", "Completed", START.replace(tzinfo=UTC), END.replace(tzinfo=UTC), None
        ),
        "datetime-unspecified": JobRecord("Unspecified kind", "Completed", START, END, None),
        "datetime-fraction-unspecified": JobRecord(
            "7 and 2 digits, Unspecified",
            "Completed",
            START.replace(microsecond=123_456),
            START.replace(microsecond=120_000),
            None,
        ),
        "datetime-fraction-utc-local": JobRecord(
            "7 digits, Utc and Local",
            "Completed",
            START.replace(microsecond=123_456, tzinfo=UTC),
            START.replace(microsecond=999_999, tzinfo=PDT),
            None,
        ),
        "datetime-minvalue-utc-maxvalue": JobRecord(
            "MinValue Utc, MaxValue", "Completed", UNSET.replace(tzinfo=UTC), LAST_MOMENT, None
        ),
        "datetime-minvalue-local-maxvalue-utc": JobRecord(
            "MinValue Local, MaxValue Utc",
            "Completed",
            UNSET.replace(tzinfo=LOCAL_MEAN_TIME),
            LAST_MOMENT.replace(tzinfo=UTC),
            None,
        ),
        # texts
        "text-xml-special": JobRecord(
            "a < b && c > d \"quoted\" 'single' ]]> &amp; <!-- x -->",
            "Completed",
            START,
            END,
            '<error code="5">&nbsp;</error>',
        ),
        "text-non-ascii": JobRecord(
            "São Paulo 日本語 שלום",
            "Completed",
            START,
            END,
            "🚀👨\u200d👩\u200d👧 e\u0301 \u2028 \x85 \ufeff \xa0.",
        ),
        "text-whitespace": JobRecord(
            "  leading and trailing  ",
            "\tCompleted\n",
            START,
            END,
            "line 1\nline 2\nline 3\nline 4\n",
        ),
        "text-null": JobRecord(None, None, START, END, None),
        "text-empty": JobRecord("", "", START, END, ""),
        "text-only-whitespace": JobRecord("   ", "Completed", START, END, "\n"),
        "text-control-characters": Breach(
            "not well-formed XML",
            "body: not XML: \ufffd. Completed 2026-03-14T09:26:53 2026-03-14T09:31:07",
            media,
        ),
        "text-noncharacters": Breach(
            "not well-formed XML",
            "body: not XML: . Completed 2026-03-14T09:26:53 2026-03-14T09:31:07",
            media,
        ),
        "text-lone-surrogate": Fault(server, UNABLE + SURROGATES),
        # faults
        "fault-soapexception-client-detail": Fault(
            client,
            "The job belongs to another customer.",
            actor=service if version is SOAP_11 else None,
            node=None if version is SOAP_11 else service,
            detail=OWN_DETAIL,
        ),
        "fault-soapexception-server": Fault(server, "The job store is down."),
        "fault-inner-exception": Fault(
            server, UNABLE + "Could not read the job. ---> The wait operation timed out."
        ),
        "fault-null-reference": Fault(
            server, UNABLE + "Object reference not set to an instance of an object"
        ),
        "fault-text-special": Page(
            500, media, f"soap:{receiver} {UNABLE}<b>日本 & 🚀</b> second line"
        ),
        "fault-own-code": Fault(own_code, "A code of our own."),
        "fault-own-subcode": Fault(
            client, "A subcode of our own.", detail=OWN_DETAIL, actor=service
        )
        if version is SOAP_11
        else Fault(
            client,
            "A subcode of our own.",
            subcodes=(own_code,),
            actor="http://role.example/",
            node=service,
            detail=OWN_DETAIL,
        ),
        "fault-empty-message": Fault(server, "SoapException"),
        "fault-httpexception-403": Fault(server, UNABLE + "Forbidden by the service."),
        "unknown-job": Fault(server, UNABLE + "Job not found."),
        "unknown-job-random": Fault(server, UNABLE + "Job not found."),
        "wrong-key": Fault(server, UNABLE + "Invalid API key."),
        "wrong-key-soapexception": Fault(client, "Invalid API key."),
        # pages
        "http-503-html": Page(503, HTML_UTF_8, "503 Service Unavailable"),
        "http-302-login": Page(302, media, "Object moved Object moved to here"),
        "http-200-html": Page(200, HTML_UTF_8, "Down for maintenance"),
        # no result, and the results of other operations
        "result-null": Breach(NO_RESULT, NO_TEXT, media),
        "start-backup": Breach(
            OTHER_OPERATION % BACKUP,
            f"body: a0000000-0000-0000-0000-00000000000{1 if version is SOAP_11 else 2}",
            media,
        ),
        "strings": Breach(
            OTHER_OPERATION % "GetDomainNames", "body: example.com bücher.example a & b", media
        ),
        "strings-empty": Breach(OTHER_OPERATION % "GetNoDomainNames", NO_TEXT, media),
        "strings-null": Breach(OTHER_OPERATION % "GetNoDomainNames", NO_TEXT, media),
        "dataset": Breach(
            OTHER_OPERATION % "BandwidthGetUsage",
            "body: 2026-03-14T00:00:00-07:00 1000000007 0.00 "
            "2026-03-15T00:00:00-07:00 2000000014 0.25 café <&>",
            media,
        ),
        "dataset-no-rows": Breach(OTHER_OPERATION % "BandwidthGetUsage", NO_TEXT, media),
    }


PROTOCOL_11: dict[str, Expected] = {
    # requests that are not XML, or of the wrong type
    "malformed-xml": MALFORMED,
    "malformed-xml-after-call": MALFORMED,
    "malformed-xml-in-call": MALFORMED,
    "not-xml": MALFORMED,
    "empty-body": MALFORMED,
    "whitespace-before-declaration": MALFORMED,
    "doctype": MALFORMED,
    "content-type-of-other-version": UNSUPPORTED,
    "content-type-plain": UNSUPPORTED,
    "content-type-application-xml": UNSUPPORTED,
    "content-type-absent": UNSUPPORTED,
    "content-type-json": Page(500, HTML, RUNTIME_ERROR),
    "method-put": Page(405, HTML, RUNTIME_ERROR),
    # requests that are served, odd as they are
    "guid-braces": COMPLETED,
    "guid-no-hyphens": COMPLETED,
    "guid-upper-case": PENDING,
    "guid-whitespace": COMPLETED,
    "extra-element": COMPLETED,
    "swapped-order": COMPLETED,
    "parameters-prefixed": COMPLETED,
    "two-calls": JobRecord(BACKUP, "Failed", START, END, ACCESS_DENIED),
    "envelope-of-other-version": COMPLETED,
    "content-type-no-charset": COMPLETED,
    "content-type-unknown-charset": COMPLETED,
    "content-type-upper-case": COMPLETED,
    "content-type-quoted-charset": COMPLETED,
    "utf16-body": COMPLETED,
    "utf16-body-no-charset": COMPLETED,
    "utf16-body-charset-utf8": COMPLETED,
    "utf8-bom": COMPLETED,
    "no-xml-declaration": COMPLETED,
    "header-not-must-understand": COMPLETED,
    "accept-gzip": COMPLETED,
    "expect-100": COMPLETED,
    "no-soapaction": COMPLETED,
    "soapaction-unquoted": COMPLETED,
    # guids that are none
    "guid-not-a-guid": Fault(CLIENT, f"{UNREADABLE}(6, 32). ---> {GUID_FORMAT}"),
    "guid-empty": Fault(CLIENT, f"{UNREADABLE}(6, 22). ---> Unrecognized Guid format."),
    "guid-nil": Fault(CLIENT, f"{UNREADABLE}(6, 31). ---> Unrecognized Guid format."),
    # parameters that got lost
    "missing-jobid": Fault(SERVER, UNABLE + "Job not found."),
    "missing-key": Fault(SERVER, UNABLE + "API key is missing."),
    "missing-both": Fault(SERVER, UNABLE + "API key is missing."),
    "key-nil": Fault(SERVER, UNABLE + "Invalid API key."),
    "parameters-unqualified": Fault(SERVER, UNABLE + "API key is missing."),
    "call-wrong-namespace": Fault(SERVER, UNABLE + "API key is missing."),
    "call-no-namespace": Fault(SERVER, UNABLE + "API key is missing."),
    "unknown-operation-known-action": Fault(SERVER, UNABLE + "API key is missing."),
    "body-without-call": Fault(SERVER, UNABLE + "API key is missing."),
    "soapaction-other-operation": Fault(SERVER, UNABLE + "API key is missing."),
    "content-type-no-charset-non-ascii": Fault(SERVER, UNABLE + "Invalid API key."),
    "latin1-body": Fault(SERVER, UNABLE + "Invalid API key."),
    # actions that are none
    "unknown-operation": Fault(CLIENT, NO_ACTION),
    "soapaction-empty-quoted": Fault(CLIENT, NO_ACTION),
    "soapaction-wrong": Fault(CLIENT, NO_ACTION),
    "soapaction-single-quoted": Fault(CLIENT, NO_ACTION),
    "soapaction-other-case": Fault(CLIENT, NO_ACTION),
    "soapaction-only-name": Fault(CLIENT, NO_ACTION),
    "soapaction-padded": Fault(CLIENT, NO_ACTION),
    # envelopes that are none
    "no-body": Fault(
        CLIENT,
        "Server was unable to read request. ---> "
        "Request format is invalid: Missing required soap:Body element.",
    ),
    "envelope-unknown-namespace": Fault(
        f"{{{SOAP_11.namespace}}}VersionMismatch",
        "Possible SOAP version mismatch: Envelope namespace {0} was unexpected. Expecting {1}.",
    ),
    "must-understand": Fault(
        f"{{{SOAP_11.namespace}}}MustUnderstand",
        "SOAP header {0} was not understood.",
        detail=None,
    ),
    # limits of the server
    "chunked": Fault(
        SERVER,
        EXTENSIONS + "Unable to read data from the transport connection: Operation on "
        "non-blocking socket would block. ---> Operation on non-blocking socket would block",
    ),
    "too-large-5MB": Fault(SERVER, EXTENSIONS + "Upload size exceeds httpRuntime limit."),
    # asked in SOAP 1.1, answered in 1.2
    "no-soapaction-not-xml": Fault(
        RECEIVER, UNABLE + "Data at the root level is invalid. Line 1, position 1."
    ),
    "no-soapaction-empty-body": Fault(RECEIVER, UNABLE + "Root element is missing."),
}

HTTP: dict[str, Expected] = {
    "help": Page(200, HTML, HELP),
    "help-operation": Page(500, HTML, RUNTIME_ERROR),
    "help-operation-mono": Page(200, HTML, HELP),
    "help-operation-mono-soap12": Page(200, HTML, HELP),
    "double-slash": Page(200, HTML, HELP),
    "js-proxy": Page(500, HTML, RUNTIME_ERROR),
    "path-info-unknown": Page(500, HTML, RUNTIME_ERROR),
    "http-get-disabled": Page(500, HTML, RUNTIME_ERROR),
    "bad-characters": Page(500, HTML, RUNTIME_ERROR),
    "not-found-asmx": Page(404, HTML, NOT_FOUND),
    "not-found": Page(404, HTML, NOT_FOUND),
    "other-case": Page(404, HTML, NOT_FOUND),
    "folder": Page(404, HTML, NOT_FOUND),
    "post-soap-to-not-found": Page(404, HTML, NOT_FOUND),
    "head": Page(405, HTML),
    "options": Page(405, HTML, RUNTIME_ERROR),
    "delete": Page(405, HTML, RUNTIME_ERROR),
    "post-soap-to-path-info": Page(500, TEXT, "{0} Web Service method name is not valid."),
    "post-form-guid": Page(500, TEXT, "{0} Web Service method name is not valid."),
    "post-form-missing-parameter": Page(500, TEXT, "Missing parameter: {0}."),
    "post-form-bad-date": Page(
        500,
        TEXT,
        "Cannot convert {0} to {1}. Parameter name: type ---> Format_UnknownDateTimeWord",
    ),
    "post-form-wrong-key": Page(500, TEXT, "Invalid API key."),
    "post-json": Page(200, "application/json", '{"d":"1:x"}'),
    "post-soap-to-help": COMPLETED,
    "post-form-no-operation": Fault(
        RECEIVER, UNABLE + "Data at the root level is invalid. Line 1, position 1."
    ),
    # XML that is no envelope
    "wsdl": Breach(
        "its root is {http://schemas.xmlsoap.org/wsdl/}definitions, not a SOAP envelope",
        "body: " + WSDL,
    ),
    "wsdl-lower-case": Breach(
        "its root is {http://schemas.xmlsoap.org/wsdl/}definitions, not a SOAP envelope",
        "body: " + WSDL,
    ),
    "disco": Breach(
        "its root is {http://schemas.xmlsoap.org/disco/}discovery, not a SOAP envelope", NO_TEXT
    ),
    "post-form-string": Breach(BARE_RESULT % "string", "body: 7:café 🚀"),
    "post-form-start-backup": Breach(
        BARE_RESULT % "guid", "body: a0000000-0000-0000-0000-000000000003"
    ),
    "post-form-strings": Breach(
        BARE_RESULT % "ArrayOfString", "body: example.com bücher.example a & b"
    ),
}

DEBUG_11: dict[str, Expected] = {
    "wrong-key": Fault(
        SERVER, f"{SOAP_EXCEPTION}{UNABLE}System.Exception: Invalid API key.", lines=6
    ),
    "wrong-key-soapexception": Fault(CLIENT, f"{SOAP_EXCEPTION}Invalid API key.", lines=5),
    "unknown-job": Fault(
        SERVER, f"{SOAP_EXCEPTION}{UNABLE}System.Exception: Job not found.", lines=6
    ),
    "fault-inner-exception": Fault(
        SERVER,
        f"{SOAP_EXCEPTION}{UNABLE}System.InvalidOperationException: Could not read the job. "
        "---> System.TimeoutException: The wait operation timed out.",
        lines=7,
    ),
    "fault-null-reference": Fault(
        SERVER,
        f"{SOAP_EXCEPTION}{UNABLE}System.NullReferenceException: "
        "Object reference not set to an instance of an object",
        lines=6,
    ),
    "fault-text-special": Page(
        500,
        XML,
        f"soap:Server {SOAP_EXCEPTION}{UNABLE}System.Exception: <b>日本 & 🚀</b> second line "
        "at CustomerApi.Fixed (System.Int32 number) [0x003b0] in…",
    ),
    "fault-soapexception-client-detail": Fault(
        CLIENT,
        f"{SOAP_EXCEPTION}The job belongs to another customer.",
        lines=5,
        actor="http://127.0.0.1:18080/debug/1.0/customerapi.asmx",
        detail=OWN_DETAIL,
    ),
    "guid-not-a-guid": Fault(
        CLIENT,
        f"{SOAP_EXCEPTION}Server was unable to read request. ---> "
        "System.InvalidOperationException: There is an error in XML document (6, 32). ---> "
        f"System.FormatException: {GUID_FORMAT}",
        lines=17,
    ),
    "fault-httpexception-403": Fault(
        SERVER,
        f"{SOAP_EXCEPTION}{UNABLE}System.Web.HttpException: Forbidden by the service.",
        lines=6,
    ),
    "malformed-xml": MALFORMED,
    "unknown-operation": Fault(CLIENT, SOAP_EXCEPTION + NO_ACTION, lines=6),
    "empty-body": MALFORMED,
}

EXPECTED: dict[str, Expected] = {
    f"{folder}/{case}": expected
    for folder, cases in {
        "soap11": scripted(SOAP_11),
        "soap12": scripted(SOAP_12),
        "protocol11": PROTOCOL_11,
        "http": HTTP,
        "debug11": DEBUG_11,
    }.items()
    for case, expected in cases.items()
}

UNANSWERED = {
    "protocol11/soapaction-empty": "the server closed the connection without an answer",
}


def read(name: str) -> JobRecord | DaspError:
    try:
        return read_answer(
            GET_JOB_STATUS,
            samples.load(name).answer,
            mask=Mask(Secret("not in any of the captures")),
            now=0.0,
        )
    except DaspError as error:
        return error


def check_fault(error: SoapFault, expected: Fault) -> None:
    first_line, *trace = error.reason.split("\n")
    assert (error.code, first_line, error.subcodes) == (
        expected.code,
        expected.reason,
        expected.subcodes,
    )
    assert len(trace) == expected.lines - 1
    assert (error.actor, error.node, error.detail) == (
        expected.actor,
        expected.node,
        expected.detail,
    )
    kind = expected.code.partition("}")[2]
    assert str(error).startswith(f"GetJobStatus: the service answered {kind}: ")
    assert "\n" not in str(error)
    assert error.transient is False


def check_page(error: HttpError, expected: Page) -> None:
    assert (error.status_code, error.content_type, error.excerpt) == (
        expected.status,
        expected.content_type,
        expected.excerpt,
    )
    assert str(error).startswith(f"GetJobStatus: HTTP {expected.status}, {expected.content_type}, ")
    assert error.transient is (expected.status == 503)


def check_breach(error: InvalidResponse, expected: Breach) -> None:
    # libxml2's own words, in brackets, change from release to release.
    pattern = (
        re.escape(f"GetJobStatus: {expected.problem}")
        + (r" \(.+\)" if expected.problem == "not well-formed XML" else "")
        + re.escape(f"; HTTP 200, {expected.content_type}, {expected.body}")
    )
    assert re.fullmatch(pattern, str(error))
    assert error.transient is False


@pytest.mark.parametrize("name", EXPECTED)
def test_an_answer_is_read_as_what_it_says(name: str) -> None:
    outcome = read(name)
    expected = EXPECTED[name]
    if isinstance(outcome, DaspError):
        assert (outcome.operation, outcome.retry_after) == ("GetJobStatus", None)
    match outcome, expected:
        case SoapFault(), Fault():
            check_fault(outcome, expected)
        case HttpError(), Page():
            check_page(outcome, expected)
        case InvalidResponse(), Breach():
            check_breach(outcome, expected)
        case _:
            # In writing, since equal datetimes may have different offsets.
            assert repr(outcome) == repr(expected)


def test_every_capture_is_in_the_table() -> None:
    assert set(EXPECTED) == set(samples.names()) - set(UNANSWERED)
    for name in samples.names():
        assert (samples.FOLDER / name / "body").exists() == (name not in UNANSWERED)
