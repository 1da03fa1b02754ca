"""The captures and the fake, held against the live runtime: case by case, byte by byte."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dasp_async import SoapVersion
from dasp_async.soap import XSI
from dasp_async.testing import (
    BOOLEAN,
    DATE_TIME,
    DECIMAL,
    GUID,
    INT,
    KEY,
    LONG,
    STRING,
    STRINGS,
    ArrayType,
    Element,
    FakeCustomerApi,
    Operation,
)
from dasp_async.testing.types import ValueType
from tests import samples
from tests.interop.mono import MonoService


@pytest.fixture
def anyio_backend() -> str:
    """One event loop: which it is shows in no answer."""
    return "asyncio"


NAMESPACE = "http://api.discountasp.net/"
VERSIONS = pytest.mark.parametrize("version", SoapVersion)

# --- the captures: what the runtime answered once, and answers here ----------------------------

SCRIPT = "the captured script answers with pages of its own, or slowly; not so here"
ITS_OWN = "an operation of the captured service alone, or rows of its own"
STATE = "depends on what was asked before"
XSP = "the captured HTTP server could not do it"
# The captures win: a client meets what they have; the fake, too, answers as they do.
NOT_AS_CAPTURED: Mapping[str, str] = {
    **{
        f"{group}/{case}": reason
        for group in ("soap11", "soap12")
        for case, reason in {
            "dataset": ITS_OWN,
            "dataset-no-rows": ITS_OWN,
            "strings": ITS_OWN,
            "strings-empty": ITS_OWN,
            "strings-null": ITS_OWN,
            "http-200-html": SCRIPT,
            "http-302-login": SCRIPT,
            "http-503-html": SCRIPT,
            "slow-700ms": SCRIPT,
            "start-backup": STATE,
            **{f"progress-{number}": STATE for number in (1, 2, 3)},
            **{f"progress-to-failed-{number}": STATE for number in (1, 2, 3)},
        }.items()
    },
    "protocol11/soapaction-other-operation": ITS_OWN,
    "protocol11/chunked": XSP,
    "protocol11/soapaction-empty": XSP,
    "protocol11/content-type-json": "captured with a handler for scripts in front of ASMX",
}
GROUPS = ("soap11", "soap12", "protocol11")
CAPTURED = [name for name in samples.names() if name.partition("/")[0] in GROUPS]


@pytest.mark.parametrize("case", [case for case in CAPTURED if case not in NOT_AS_CAPTURED])
def test_the_runtime_answers_as_captured(mono: MonoService, case: str) -> None:
    sample = samples.load(case)
    method = "PUT" if case == "protocol11/method-put" else "POST"
    body = b" " * 5_000_000 if case == "protocol11/too-large-5MB" else sample.request_body
    # httpx sends none unless it is told, as curl sends one unless it is told.
    headers = {"content-type": "application/x-www-form-urlencoded", **sample.request_headers}
    sent = {name: value for name, value in headers.items() if value}
    answer = httpx.request(method, mono.url, content=body, headers=sent)
    assert answer.status_code == sample.status
    assert answer.headers["content-type"] == sample.headers["content-type"]
    assert answer.content == sample.body


def test_the_differences_are_captures() -> None:
    assert set(NOT_AS_CAPTURED) <= set(CAPTURED)


# --- the fake: the same request to both ---------------------------------------------------------


class Answer(NamedTuple):
    """What is compared of an answer."""

    status: int
    content_type: str
    body: bytes


class Both:
    """The live service and a fake, asked the same."""

    def __init__(self, live: httpx.AsyncClient, fake: httpx.AsyncClient, url: str) -> None:
        self._services = ((live, url), (fake, "http://127.0.0.1/1.0/customerapi.asmx"))

    async def ask(
        self, version: SoapVersion, operation: str, content: str, key: str = "<key>test-key</key>"
    ) -> list[Answer]:
        """The two answers, the live one first."""
        headers = {"Content-Type": f"{version.media_type}; charset=utf-8"}
        if version is SoapVersion.SOAP_1_1:
            headers["SOAPAction"] = f'"{NAMESPACE}{operation}"'
        body = (
            f'<s:Envelope xmlns:s="{version.namespace}" xmlns:xsi="{XSI}"><s:Body>'
            f'<{operation} xmlns="{NAMESPACE}">{key}{content}</{operation}></s:Body></s:Envelope>'
        )
        answers: list[Answer] = []
        for client, url in self._services:
            found = await client.post(url, content=body.encode(), headers=headers)
            kind = found.headers["content-type"].lower().replace(" ", "")
            answers.append(Answer(found.status_code, kind, found.content))
        return answers


@asynccontextmanager
async def both(url: str, fake: FakeCustomerApi) -> AsyncGenerator[Both]:
    transport = httpx.ASGITransport(app=fake)
    async with (
        httpx.AsyncClient() as live,
        httpx.AsyncClient(transport=transport) as faked,
    ):
        yield Both(live, faked, url)


KINDS: Mapping[str, ValueType] = {
    "String": STRING,
    "Int": INT,
    "Long": LONG,
    "Decimal": DECIMAL,
    "Boolean": BOOLEAN,
    "DateTime": DATE_TIME,
    "Guid": GUID,
    "Strings": STRINGS,
    "Ints": ArrayType(INT),
}
ECHOES = [
    Operation(
        f"Echo{name}",
        (KEY, Element("value", kind)),
        kind,
        lambda _, values: values["value"],
        writes=False,
    )
    for name, kind in KINDS.items()
]


def values(*texts: str) -> list[str]:
    return [f"<value>{text}</value>" for text in texts]


HEX = "0123456789abcdef0123456789abcdef"
DASHED = str(uuid.UUID(HEX))
# By operation, the parameters in spellings that a client may send, good and bad
SPELLINGS: Mapping[str, list[str]] = {
    "EchoString": [
        *values("", " ", "\n\t ", " a  b ", "a\r\nb\rc", "&#13;&#10;&#9;", "<![CDATA[<&>]]>"),
        *values("a<!-- c -->b", "a<b/>c", "a<?pi x?>b", "&amp;amp;", "]]&gt;", "&#x1F600;\u00e9"),
        *values("\ufeff\u2028\u0085", "&undefined;", "&#1;", "&#xFFFF;"),
        *("", "<value/>", '<value xmlns="">x</value>', "<Value>x</Value>"),
        *("<value>a</value><value>b</value>", '<value xsi:nil="true"/>', '<value foo="">x</value>'),
        *('<value xsi:nil="true">x</value>', '<value xsi:nil="1"/>'),
        *("stray<value>x</value>text", "<other/><value>x</value><more>y</more>"),
    ],
    "EchoInt": [
        *values("0", "-1", "+1", " 1 ", "\n1\t", "01", "-0", "2147483647", "2147483648"),
        *values("-2147483648", "-2147483649", "", " ", "1.0", "1e3", "0x10", "x", "1,000", "--1"),
        *values("\u0661", "99999999999999999999", "+ 1", "1-", "(1)", "1<!-- c -->2", "\u00a01"),
        *("", '<value xsi:nil="true"/>', "<value>1</value><value>2</value>"),
    ],
    "EchoLong": values("9223372036854775807", "9223372036854775808", " 5 ", "1.0", ""),
    "EchoDecimal": values(
        *("0", "1.50", "-1.50", "+1.5", ".5", "5.", "-.5", "00.10", "1e3", " 1 ", "0.00", "."),
        *("79228162514264337593543950335", "0.0000000000000000000000000001", "1,5", "INF", "NaN"),
        *("", "x", "(1)", "1-", "1 000", "$1", "-0", "-0.0", "79228162514264337593543950336"),
        *("12345678901234567890123456789.5", "0.00000000000000000000000000001"),
        *("1.000000000000000000000000000000",),
    ),
    "EchoBoolean": [
        *values(
            "true",
            "false",
            "1",
            "0",
            " true ",
            "\n0\t",
            "True",
            "yes",
            "",
            "2",
            "tr ue",
            " x ",
            "\u00a0true",
        ),
        *("", '<value xsi:nil="true"/>'),
    ],
    "EchoDateTime": [
        *values("2026-03-14T09:26:53", "2026-03-14T09:26:53Z", "2026-03-14T09:26:53-07:00"),
        *values("2026-03-14T09:26:53.5", "2026-03-14T09:26:53.123456", " 2026-03-14T09:26:53 "),
        *values("2026-03-14", "2026-03-14T25:00:00", "2026-02-29T00:00:00", "2024-02-29T00:00:00"),
        *values("0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999"),
        *values("0000-01-01T00:00:00", "10000-01-01T00:00:00", "2026-03-14 09:26:53", ""),
        *values("2026-03-14T09:26", "2026-03-14T09:26:60", "2026-03-14T09:26:53+2:00", "x"),
        *values("2026-03-14T09:26:53+0200", "03/14/2026", "2026-03-14T09:26:53.", "2026-3-14"),
        *values("2026-03-14T09:26:53.0000000", "2026-11-01T01:30:00-07:00"),
        *values("2026-11-01T01:30:00-08:00", "2026-03-14T24:00:00", "9999-12-31T24:00:00"),
        *values("\u00a02026-03-14"),
        *("", '<value xsi:nil="true"/>'),
    ],
    "EchoGuid": [
        *values(DASHED, DASHED.upper(), f"{{{DASHED}}}", f"({DASHED})", HEX, f" {DASHED} ", ""),
        *values(
            "x", DASHED[:-1], f"{{{DASHED}", f"({DASHED}}}", f"urn:uuid:{DASHED}", f"\u00a0{DASHED}"
        ),
        "",
    ],
    "EchoStrings": [
        *("", "<value/>", "<string>a</string>", '<value xsi:nil="true"/>'),
        *values("<string>a</string>", "text", "<item>a</item>", '<string xmlns="">a</string>'),
        *values('<string/><string xsi:nil="true"/><string> </string>'),
        *values("<string>a</string>x<string>b</string>", "<string>a<b/></string>"),
        '<value xsi:nil="true"><string>a</string></value>',
        "<value><string>a</string></value><value><string>b</string></value>",
    ],
    "EchoInts": [
        *values("<int>1</int><int>2</int>", "<int/>", '<int xsi:nil="true"/>', "<int>x</int>"),
        *values("<string>1</string>", ""),
    ],
}

# What the fake answers otherwise, with the reason
ZONE = "the fake is in no zone, and gives a date back in the one it came in"
DIGITS = "a datetime has 6 fractional digits"
RARE = "a spelling that .NET reads and no SOAP stack writes"
DIFFERENCES: Mapping[tuple[str, str], str] = {
    ("EchoDateTime", "2026-03-14T09:26:53+02:00"): ZONE,
    ("EchoDateTime", "2026-03-14T09:26:53+14:00"): ZONE,
    ("EchoDateTime", "0001-01-01T00:00:00+14:00"): ZONE,
    ("EchoDateTime", "9999-12-31T23:59:59-14:00"): ZONE,
    ("EchoDateTime", "2026-03-14T09:26:53.1234567"): DIGITS,
    ("EchoDateTime", "2026-03-14T09:26:53.12345678"): DIGITS,
    ("EchoDateTime", "2026-03-14T09:26:53z"): RARE,
    ("EchoDateTime", "2026-03-14T09:26:53+14:01"): RARE,
    ("EchoDateTime", "2026-03-14Z"): RARE,
    ("EchoDateTime", "2026-03-14+02:00"): RARE,
    ("EchoDateTime", "2026-03"): RARE,
    ("EchoDateTime", "2026"): RARE,
    ("EchoDateTime", "--03-14"): RARE,
    ("EchoDateTime", "---14"): RARE,
    ("EchoDateTime", "09:26:53"): RARE,
    ("EchoDateTime", "\u00a02026-03-14T09:26:53"): RARE,
    ("EchoGuid", "{0x01234567,0x89ab,0xcdef,{0x01,0x23,0x45,0x67,0x89,0xab,0xcd,0xef}}"): RARE,
    ("EchoGuid", f"{{{HEX}}}"): "refused by both; the text for it is Mono's own",
}


@VERSIONS
@pytest.mark.parametrize("operation", SPELLINGS)
async def test_the_fake_reads_as_the_runtime_does(
    mono: MonoService, version: SoapVersion, operation: str
) -> None:
    async with both(mono.echo_url, FakeCustomerApi(operations=ECHOES)) as services:
        for content in SPELLINGS[operation]:
            of_live, of_fake = await services.ask(version, operation, content)
            assert of_fake == of_live, content


@pytest.mark.parametrize(("operation", "text"), DIFFERENCES)
async def test_the_differences_are_there(mono: MonoService, operation: str, text: str) -> None:
    async with both(mono.echo_url, FakeCustomerApi(operations=ECHOES)) as services:
        (content,) = values(text)
        of_live, of_fake = await services.ask(SoapVersion.SOAP_1_1, operation, content)
    assert of_fake != of_live


FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ITEMS = st.lists(
    st.sampled_from(
        [
            *("<string>a</string>", "<string/>", '<string xsi:nil="true"/>', "<string> </string>"),
            *("text", "<item>b</item>", '<string xmlns="">c</string>', "<!-- comment -->", " \n"),
            *('<string xsi:nil="false">d</string>', "<string><![CDATA[<e>]]></string>"),
        ]
    )
).map("".join)


@FEW
@given(
    st.one_of(
        st.tuples(st.just("EchoInt"), st.text("0123456789+- \n.", max_size=11)),
        st.tuples(st.just("EchoBoolean"), st.text("01trueTRUEfals", max_size=6)),
        st.tuples(st.just("EchoString"), st.text(" \t\n\r\x85\xa0\u2028aé\U0001f680")),
        st.tuples(st.just("EchoStrings"), ITEMS),
    ),
    st.sampled_from(SoapVersion),
)
async def test_the_fake_reads_anything_as_the_runtime_does(
    mono: MonoService, case: tuple[str, str], version: SoapVersion
) -> None:
    operation, text = case
    async with both(mono.echo_url, FakeCustomerApi(operations=ECHOES)) as services:
        (content,) = values(text)
        of_live, of_fake = await services.ask(version, operation, content)
    assert of_fake == of_live


# --- the fake's account -------------------------------------------------------------------------

DOMAIN = "<domainName>{domain}</domainName>"
ALIAS = f"{DOMAIN}<aliasName>info</aliasName>"
USER = f"{DOMAIN}<userName>jane</userName><password>a-test-password</password>"
RANGE = "<startDate>2026-03-0{}T00:00:00</startDate><endDate>2026-03-{}T00:00:00</endDate>"
# What is asked in turn, each of what the others have left
CONVERSATION: list[tuple[str, str]] = [
    ("SMGetAllAliases", DOMAIN),
    ("SMGetAllAliases", ""),
    ("SMUpdateAliasAddresses", ALIAS),
    ("SMAddAlias", ALIAS.replace("aliasName>", "AliasName>")),
    ("SMAddAlias", ALIAS),
    ("SMAddAlias", ALIAS),
    ("SMGetAllAliases", DOMAIN),
    # A misspelt parameter is null without a word.
    ("SMUpdateAliasAddresses", f"{ALIAS}<addresses><string>a</string></addresses>"),
    ("SMGetAllAliases", DOMAIN),
    (
        "SMUpdateAliasAddresses",
        f'{ALIAS}<newAddresses><string> a </string><string/><string xsi:nil="1"/></newAddresses>',
    ),
    ("SMAddAlias", f"{ALIAS.replace('info', 'b&lt;')}<addresses><string>c</string></addresses>"),
    ("SMGetAllAliases", DOMAIN),
    ("SMAddUser", USER.replace("password>", "Password>")),
    ("SMAddUser", f"{USER}<maxMailboxSizeInMB>many</maxMailboxSizeInMB>"),
    ("SMAddUser", f"{USER}<firstName/><maxMailboxSizeInMB> 5 </maxMailboxSizeInMB>"),
    ("SMAddUser", USER),
    ("SMAddUser", f"<userName>jane</userName>{DOMAIN}"),
    ("BandwidthGetUsage", RANGE.format(1, 31)),
    ("BandwidthGetUsage", RANGE.format(2, 15)),
    ("BandwidthGetUsage", RANGE.format(2, "03")),
    ("BandwidthGetUsage", ""),
    ("BandwidthGetUsage", RANGE.format(1, "99")),
    ("Sql2012CreateBackup", "<databaseName>DB_1</databaseName>"),
    ("Sql2012CreateBackup", ""),
    ("GetJobStatus", ""),
    ("GetJobStatus", f"<jobId>{DASHED}</jobId>"),
    ("GetJobStatus", "<jobId>x</jobId>"),
    ("NoSuchOperation", ""),
]
KEYS = ("<key>test-key</key>", "<key>Test-Key</key>", "<key/>", "")
# Mono leaves unfilled what .NET fills in, and the fake has it as .NET.
FORMATTED = (b"HTTP Header {0}: {1}.", b"HTTP Header SOAPAction: %bNoSuchOperation.")


def account() -> FakeCustomerApi:
    """What the live service has, too."""
    fake = FakeCustomerApi(lockout_after=None)
    quantities = (Decimal("1.50"), Decimal(0), None, Decimal(2**96 - 1))
    for day, quantity in zip((1, 8, 15, 22), quantities, strict=True):
        # The server's zone: summer time begins on the 8th, at 2.
        zone = timezone(timedelta(hours=-8 if day <= 8 else -7))
        fake.add_bandwidth(datetime(2026, 3, day, tzinfo=zone), quantity)
    return fake


def comparable(answers: Iterable[Answer]) -> list[Answer]:
    """The answers with all jobs' ids the same, and texts filled in."""
    unfilled, filled = FORMATTED[0], FORMATTED[1] % NAMESPACE.encode()
    return [
        each._replace(
            body=re.sub(rb"[0-9a-f]{8}(-0000){3}-[0-9]{12}", b"id", each.body).replace(
                unfilled, filled
            )
        )
        for each in answers
    ]


@VERSIONS
@pytest.mark.parametrize("key", KEYS)
async def test_the_fake_acts_as_the_service_does(
    mono: MonoService, version: SoapVersion, key: str
) -> None:
    domain = f"{uuid.uuid4()}.example"
    async with both(mono.url, account()) as services:
        for operation, content in CONVERSATION:
            sent = content.replace("{domain}", domain)
            answers = await services.ask(version, operation, sent, key)
            of_live, of_fake = comparable(answers)
            assert of_fake == of_live, operation


async def test_the_fake_writes_whole_numbers_as_decimals(mono: MonoService) -> None:
    row = Operation("EchoDecimal", (KEY,), DECIMAL, lambda _, __: 7, writes=False)
    fake = FakeCustomerApi(operations=[row])
    async with both(mono.echo_url, fake) as services:
        (content,) = values("7")
        of_live, of_fake = await services.ask(SoapVersion.SOAP_1_1, "EchoDecimal", content)
    assert of_fake == of_live
