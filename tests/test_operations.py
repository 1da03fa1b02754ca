"""Every operation, from its method to the bytes on the wire and back, in both SOAP versions."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

import httpx
import pytest
from lxml import etree

from dasp_async import (
    BandwidthUsage,
    CustomerApi,
    InvalidResponse,
    MemoryBudget,
    SmAlias,
    SoapFault,
    SoapVersion,
    TransportError,
)

KEY: Final = "my & key"
NAMESPACE: Final = "http://api.discountasp.net/"
PASSWORD: Final = "hunter2-and-then-some"

Ask = Callable[[CustomerApi], Awaitable[object]]


def envelope(version: SoapVersion, content: str) -> str:
    """A message around some content, as the help page writes it."""
    return (
        f'<{version.prefix}:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:{version.prefix}="{version.namespace}"><{version.prefix}:Body>{content}'
        f"</{version.prefix}:Body></{version.prefix}:Envelope>"
    )


class Service:
    """Answers every request with the same content, and keeps what it was sent."""

    def __init__(self, content: str = "", *, status: int = 200) -> None:
        self.requests: list[httpx.Request] = []
        self._content = content
        self._status = status

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        version = SoapVersion.SOAP_1_1
        return httpx.Response(
            self._status,
            headers={"Content-Type": "text/xml; charset=utf-8"},
            text=envelope(version, self._content),
        )

    async def asked(
        self, ask: Ask, version: SoapVersion = SoapVersion.SOAP_1_1, **settings: Any
    ) -> object:
        """What a new client makes of it."""
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.answer)) as http:
            return await ask(CustomerApi(KEY, http_client=http, version=version, **settings))


def canonical(message: str | bytes) -> str:
    text = message if isinstance(message, str) else message.decode()
    return etree.canonicalize(text, strip_text=True)


SCHEMA: Final = """<xs:schema id="NewDataSet" xmlns="" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:msdata="urn:schemas-microsoft-com:xml-msdata"><xs:element name="NewDataSet"
 msdata:IsDataSet="true"><xs:complexType><xs:choice><xs:element name="UsageSummary">
<xs:complexType><xs:sequence><xs:element name="UseDate" type="xs:dateTime" minOccurs="0"/>
<xs:element name="Quantity" type="xs:decimal" minOccurs="0"/></xs:sequence></xs:complexType>
</xs:element></xs:choice></xs:complexType></xs:element></xs:schema>"""


def usage(rows: str) -> str:
    """The result of `BandwidthGetUsage`."""
    return (
        f"<BandwidthGetUsageResult>{SCHEMA}<diffgr:diffgram "
        'xmlns:diffgr="urn:schemas-microsoft-com:xml-diffgram-v1">'
        f'<NewDataSet xmlns="">{rows}</NewDataSet></diffgr:diffgram></BandwidthGetUsageResult>'
    )


ALIASES: Final = """<SMGetAllAliasesResult>
<SMAlias><EmailAddress>info@a.example</EmailAddress>
<Addresses><string>x@a.example</string><string xsi:nil="true"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/><string>y@b.example</string></Addresses>
</SMAlias>
<SMAlias><EmailAddress>empty@a.example</EmailAddress><Addresses/></SMAlias>
<SMAlias/></SMGetAllAliasesResult>"""

# The call, the operation, what stands in the request after the key, the content of the
# response, and the result
OPERATIONS: Final[list[tuple[Ask, str, str, str, object]]] = [
    (
        lambda api: api.bandwidth_get_usage(
            date(2026, 3, 1), datetime(2026, 3, 31, 23, 59, 59, 500000, tzinfo=UTC)
        ),
        "BandwidthGetUsage",
        (
            "<startDate>2026-03-01T00:00:00</startDate>"
            "<endDate>2026-03-31T23:59:59.500000+00:00</endDate>"
        ),
        usage(
            "<UsageSummary><UseDate>2026-03-01T00:00:00-08:00</UseDate><Quantity>12.50</Quantity>"
            "</UsageSummary><UsageSummary/>"
        ),
        [
            BandwidthUsage(
                datetime(2026, 3, 1, tzinfo=timezone(-timedelta(hours=8))), Decimal("12.50")
            ),
            BandwidthUsage(),
        ],
    ),
    (
        lambda api: api.bandwidth_get_usage(date(2026, 3, 1), date(2026, 3, 2)),
        "BandwidthGetUsage",
        "<startDate>2026-03-01T00:00:00</startDate><endDate>2026-03-02T00:00:00</endDate>",
        usage(""),
        [],
    ),
    (
        lambda api: api.sm_add_user(
            "a.example",
            "info",
            PASSWORD + "<&>",
            first_name="Ann",
            last_name="Émile",
            max_mailbox_size_in_mb=100,
        ),
        "SMAddUser",
        (
            "<domainName>a.example</domainName><userName>info</userName>"
            f"<password>{PASSWORD}&lt;&amp;&gt;</password><firstName>Ann</firstName>"
            "<lastName>Émile</lastName><maxMailboxSizeInMB>100</maxMailboxSizeInMB>"
        ),
        "",
        None,
    ),
    (
        lambda api: api.sm_add_alias("a.example", "info", ["x@a.example", "y@b.example"]),
        "SMAddAlias",
        (
            "<domainName>a.example</domainName><aliasName>info</aliasName>"
            "<addresses><string>x@a.example</string><string>y@b.example</string></addresses>"
        ),
        "",
        None,
    ),
    (
        lambda api: api.sm_update_alias_addresses("a.example", "info", ("z@a.example",)),
        "SMUpdateAliasAddresses",
        (
            "<domainName>a.example</domainName><aliasName>info</aliasName>"
            "<newAddresses><string>z@a.example</string></newAddresses>"
        ),
        "",
        None,
    ),
    (
        lambda api: api.sm_update_alias_addresses("a.example", "info", []),
        "SMUpdateAliasAddresses",
        "<domainName>a.example</domainName><aliasName>info</aliasName><newAddresses/>",
        "",
        None,
    ),
    (
        lambda api: api.sm_get_all_aliases("a.example"),
        "SMGetAllAliases",
        "<domainName>a.example</domainName>",
        ALIASES,
        [
            SmAlias("info@a.example", ("x@a.example", "y@b.example")),
            SmAlias("empty@a.example"),
            SmAlias(),
        ],
    ),
    (
        lambda api: api.sm_get_all_aliases("a.example"),
        "SMGetAllAliases",
        "<domainName>a.example</domainName>",
        "<SMGetAllAliasesResult/>",
        [],
    ),
    (
        lambda api: api.sm_get_all_aliases("a.example"),
        "SMGetAllAliases",
        "<domainName>a.example</domainName>",
        "",
        [],
    ),
]


@pytest.mark.parametrize("version", SoapVersion)
@pytest.mark.parametrize("case", OPERATIONS)
async def test_an_operation_on_the_wire(
    case: tuple[Ask, str, str, str, object], version: SoapVersion
) -> None:
    ask, operation, parameters, content, result = case
    service = Service(f'<{operation}Response xmlns="{NAMESPACE}">{content}</{operation}Response>')
    assert await service.asked(ask, version) == result
    (request,) = service.requests
    expected = envelope(
        version,
        f'<{operation} xmlns="{NAMESPACE}"><key>my &amp; key</key>{parameters}</{operation}>',
    )
    assert canonical(request.content) == canonical(expected)
    assert request.headers["Content-Type"] == f"{version.media_type}; charset=utf-8"
    action = f'"{NAMESPACE}{operation}"' if version is SoapVersion.SOAP_1_1 else None
    assert request.headers.get("SOAPAction") == action


READS: Final = {"BandwidthGetUsage", "SMGetAllAliases"}


@pytest.mark.parametrize(
    ("ask", "operation"), [(ask, operation) for ask, operation, *_ in OPERATIONS]
)
async def test_what_writes_is_sent_once(ask: Ask, operation: str) -> None:
    sent = 0

    def cut(request: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        raise httpx.ReadError("cut", request=request)

    class Hurried:
        """A clock whose sleeps take no time."""

        monotonic = staticmethod(float)
        time = staticmethod(float)

        async def sleep(self, seconds: float) -> None:
            del seconds

    async with httpx.AsyncClient(transport=httpx.MockTransport(cut)) as http:
        with pytest.raises(TransportError) as caught:
            await ask(CustomerApi(KEY, http_client=http, clock=Hurried(), budget=None))
    assert caught.value.maybe_sent
    assert sent == (3 if operation in READS else 1)


# A call with a wrong argument, and what is said of it
WRONG: Final[list[tuple[Callable[[Any], Awaitable[object]], str]]] = [
    (lambda api: api.sm_get_all_aliases(None), "domainName must be text, not NoneType"),
    (
        lambda api: api.sm_add_alias("a", "b", "x@a.example"),
        "addresses must be a list of texts, not str",
    ),
    (lambda api: api.sm_add_alias("a", "b", 3), "addresses must be a list of texts, not int"),
    (lambda api: api.sm_add_alias("a", "b", ["x", 3]), "addresses must be text, not int"),
    (
        lambda api: api.bandwidth_get_usage("2026-03-01", date(2026, 3, 2)),
        "startDate must be a datetime or a date, not str",
    ),
    (
        lambda api: api.bandwidth_get_usage(
            datetime(2026, 3, 1, tzinfo=timezone(timedelta(seconds=1))), date(2026, 3, 2)
        ),
        "startDate has an offset that XSD can't write: whole minutes, 14 hours at most",
    ),
    (
        lambda api: api.sm_add_user(
            "a", "b", "c\0", first_name="d", last_name="e", max_mailbox_size_in_mb=1
        ),
        r"password holds U\+0000 at position 1, which XML cannot carry",
    ),
    (
        lambda api: api.sm_add_user(
            "a", "b", "c", first_name="d", last_name="e", max_mailbox_size_in_mb=2**31
        ),
        "maxMailboxSizeInMB must be from -2147483648 to 2147483647",
    ),
    (
        lambda api: api.sm_add_user(
            "a", "b", "c", first_name="d", last_name="e", max_mailbox_size_in_mb=True
        ),
        "maxMailboxSizeInMB must be a whole number, not bool",
    ),
]


@pytest.mark.parametrize(("ask", "text"), WRONG)
async def test_a_wrong_argument_costs_no_call(
    ask: Callable[[Any], Awaitable[object]], text: str
) -> None:
    service, budget = Service(), MemoryBudget()
    with pytest.raises(ValueError, match=f"^{text}$"):
        await service.asked(ask, budget=budget)
    assert service.requests == []
    assert await budget.remaining() == 1000


async def add_user(api: CustomerApi, password: str) -> None:
    await api.sm_add_user(
        "a.example", "info", password, first_name="A", last_name="B", max_mailbox_size_in_mb=1
    )


async def test_a_password_is_shown_nowhere() -> None:
    service = Service(
        "<soap:Fault><faultcode>soap:Server</faultcode><faultstring>Not good enough: "
        f"{PASSWORD}</faultstring></soap:Fault>",
        status=500,
    )
    with pytest.raises(SoapFault, match=r"Not good enough: \*\*\*") as caught:
        await service.asked(lambda api: add_user(api, PASSWORD))
    assert PASSWORD.encode() in service.requests[0].content
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    lines = [
        "".join(frame)
        for frame, summary in zip(report.stack.format(), report.stack, strict=True)
        if "dasp_async" in summary.filename
    ]
    assert lines
    assert PASSWORD not in "".join(lines)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "it has no BandwidthGetUsageResult"),
        ("<BandwidthGetUsageResult/>", "it does not hold one schema and one diffgram"),
        (
            usage("").replace("UsageSummary", "Day"),
            "its DataSet has no table UsageSummary, but Day",
        ),
        (
            usage("<UsageSummary><Quantity>many</Quantity></UsageSummary>"),
            "its column Quantity is not a decimal",
        ),
    ],
)
async def test_a_usage_that_breaks_the_contract(content: str, text: str) -> None:
    service = Service(
        f'<BandwidthGetUsageResponse xmlns="{NAMESPACE}">{content}</BandwidthGetUsageResponse>'
    )
    with pytest.raises(InvalidResponse, match=text):
        await service.asked(lambda api: api.bandwidth_get_usage(date(2026, 3, 1), date(2026, 3, 2)))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<SMGetAllAliasesResult/><SMGetAllAliasesResult/>", "it has 2 SMGetAllAliasesResult"),
        (
            (
                "<SMGetAllAliasesResult><SMAlias><EmailAddress>a</EmailAddress><EmailAddress>b"
                "</EmailAddress></SMAlias></SMGetAllAliasesResult>"
            ),
            "it has two EmailAddress",
        ),
        (
            (
                "<SMGetAllAliasesResult><SMAlias><Addresses><string><b/></string></Addresses>"
                "</SMAlias></SMGetAllAliasesResult>"
            ),
            "its Addresses holds elements, not text",
        ),
    ],
)
async def test_aliases_that_break_the_contract(content: str, text: str) -> None:
    service = Service(
        f'<SMGetAllAliasesResponse xmlns="{NAMESPACE}">{content}</SMGetAllAliasesResponse>'
    )
    with pytest.raises(InvalidResponse, match=text):
        await service.asked(lambda api: api.sm_get_all_aliases("a.example"))
