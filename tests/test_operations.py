"""Every operation, from its method to the bytes on the wire and back, in both SOAP versions."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from lxml import etree

from dasp_async import (
    NIL,
    BandwidthUsage,
    CustomerApi,
    HttpError,
    InvalidResponse,
    MemoryBudget,
    OperationDescription,
    SmAlias,
    SoapFault,
    SoapVersion,
    TransportError,
    to_python,
)
from dasp_async.soap import XSI
from dasp_async.xsd import Element, RecordType

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


class Hurried:
    """A clock whose sleeps take no time."""

    monotonic = staticmethod(float)
    time = staticmethod(float)

    async def sleep(self, seconds: float) -> None:
        del seconds


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


# Parameters, and what stands in the request for them
CALLS: Final[list[tuple[dict[str, object], str]]] = [
    ({}, ""),
    ({"a": "x & y", "b": ""}, "<a>x &amp; y</a><b/>"),
    ({"b": "1", "a": "2"}, "<b>1</b><a>2</a>"),
    ({"a": True, "b": False}, "<a>true</a><b>false</b>"),
    ({"a": 7, "b": -(2**70)}, "<a>7</a><b>-1180591620717411303424</b>"),
    (
        {"a": 1.5, "b": float("inf"), "c": -float("inf"), "d": float("nan")},
        "<a>1.5</a><b>INF</b><c>-INF</c><d>NaN</d>",
    ),
    ({"a": Decimal("1E+3"), "b": Decimal("0.10")}, "<a>1000</a><b>0.10</b>"),
    (
        {"a": datetime(2026, 3, 1, 9, tzinfo=UTC), "b": date(2026, 3, 1)},
        "<a>2026-03-01T09:00:00+00:00</a><b>2026-03-01</b>",
    ),
    (
        {"a": UUID("A0000000-0000-0000-0000-00000000000F")},
        "<a>a0000000-0000-0000-0000-00000000000f</a>",
    ),
    ({"a": b"\x00\x01\xff"}, "<a>AAH/</a>"),
    (
        {"a": None, "b": NIL, "c": {"d": None, "e": NIL}},
        f'<b xmlns:i="{XSI}" i:nil="true"/><c><e xmlns:i="{XSI}" i:nil="true"/></c>',
    ),
    ({"a": ["x", "y"]}, "<a><string>x</string><string>y</string></a>"),
    (
        {"a": (1, 2**40, True, date(2026, 3, 1))},
        "<a><int>1</int><long>1099511627776</long><boolean>true</boolean><date>2026-03-01</date></a>",
    ),
    ({"a": []}, "<a/>"),
    (
        {"a": [{"Alias": {"Name": "n", "Addresses": ["x"]}}, {"Alias": {}}]},
        "<a><Alias><Name>n</Name><Addresses><string>x</string></Addresses></Alias><Alias/></a>",
    ),
    ({"a": {"b": {"c": 1}}}, "<a><b><c>1</c></b></a>"),
]


@pytest.mark.parametrize("version", SoapVersion)
@pytest.mark.parametrize(("parameters", "content"), CALLS)
async def test_any_operation_on_the_wire(
    parameters: dict[str, object], content: str, version: SoapVersion
) -> None:
    service = Service(f'<NewResponse xmlns="{NAMESPACE}"><NewResult>x</NewResult></NewResponse>')
    element: Any = await service.asked(lambda api: api.call("New", parameters), version)
    assert element.tag == f"{{{NAMESPACE}}}NewResponse"
    assert to_python(element) == {"NewResult": "x"}
    (request,) = service.requests
    expected = envelope(version, f'<New xmlns="{NAMESPACE}"><key>my &amp; key</key>{content}</New>')
    assert etree.canonicalize(request.content.decode(), strip_text=True, rewrite_prefixes=True) == (
        etree.canonicalize(expected, strip_text=True, rewrite_prefixes=True)
    )
    action = f'"{NAMESPACE}New"' if version is SoapVersion.SOAP_1_1 else None
    assert request.headers.get("SOAPAction") == action


@pytest.mark.parametrize("writes", [True, False])
async def test_an_unknown_operation_writes_unless_one_says_it_reads(writes: bool) -> None:
    service = Service(status=503)
    with pytest.raises(HttpError):
        await service.asked(
            lambda api: api.call("New", {}, writes=writes), clock=Hurried(), budget=None
        )
    assert len(service.requests) == (1 if writes else 3)


async def test_secrets_are_struck_out_of_an_element() -> None:
    key = "a-key-of-some-length"
    service = Service(
        f'<NewResponse xmlns="{NAMESPACE}"><a b="{key}">x{key}</a>{key}<c/>y</NewResponse>'
    )
    async with httpx.AsyncClient(transport=httpx.MockTransport(service.answer)) as http:
        element = await CustomerApi(key, http_client=http).call("New", {})
    assert etree.tostring(element).decode() == (
        etree.tostring(element).decode().replace(key, "somewhere")
    )
    assert to_python(element) == {"a": "x***", "c": ""}


JOB: Final = UUID("a0000000-0000-0000-0000-00000000000f")


@pytest.mark.parametrize("text", [str(JOB), f" {{{str(JOB).upper()}}} ", str(JOB).replace("-", "")])
async def test_a_job_is_started_and_can_be_waited_for(text: str) -> None:
    service = Service(
        f'<Sql2012CreateBackupResponse xmlns="{NAMESPACE}"><Sql2012CreateBackupResult>{text}'
        "</Sql2012CreateBackupResult></Sql2012CreateBackupResponse>"
    )
    job_id = await service.asked(
        lambda api: api.start_job("Sql2012CreateBackup", {"databaseName": "db"})
    )
    assert job_id == JOB
    assert b"<databaseName>db</databaseName>" in service.requests[0].content


@pytest.mark.parametrize(
    "result",
    [
        "",
        "<NewResult/>",
        f'<NewResult xmlns:i="{XSI}" i:nil="true"/>',
        "<NewResult>00000000-0000-0000-0000-000000000000</NewResult>",
        "<NewResult>done</NewResult>",
        f"<NewResult><string>{JOB}</string></NewResult>",
        f"<NewResult>{JOB}</NewResult><NewResult>{JOB}</NewResult>",
    ],
)
async def test_no_guid_is_no_job(result: str) -> None:
    service = Service(f'<NewResponse xmlns="{NAMESPACE}">{result}</NewResponse>')
    with pytest.raises(InvalidResponse, match="no guid, so that there is no job to wait for"):
        await service.asked(lambda api: api.start_job("New", {}))


def test_deep_elements_are_a_clear_error() -> None:
    kind = RecordType("Node", ())
    kind.members = (Element("n", kind),)
    described = OperationDescription(
        name="X",
        documentation="",
        parameters=(),
        results=kind.members,
        soap_action="",
        versions=frozenset(),
    )
    element = etree.fromstring("<n>" * 250 + "</n>" * 250)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 300)
    try:
        with pytest.raises(ValueError, match=r"^its elements are nested too deeply$"):
            to_python(element, described)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("", ""),
        ("text", "text"),
        ("<a>1</a>", {"a": "1"}),
        ("<a/><b> x </b>", {"a": "", "b": " x "}),
        ("<a>1</a><b/><a>2</a>", {"a": ["1", "2"], "b": ""}),
        ("<a>1</a><a>2</a>", ["1", "2"]),
        ("<string>1</string>", ["1"]),
        ("<a><guid>1</guid></a>", {"a": ["1"]}),
        (f'<a xmlns:i="{XSI}" i:nil="1"/><b/>', {"a": None, "b": ""}),
        (f'<string>x</string><string xmlns:i="{XSI}" i:nil="true"/>', ["x", None]),
        ('<a xmlns="urn:x">1</a><b xmlns="urn:y"/>', {"a": "1", "b": ""}),
        (
            usage("<UsageSummary><Quantity>1.50</Quantity></UsageSummary>"),
            {
                "BandwidthGetUsageResult": {
                    "UsageSummary": [{"UseDate": None, "Quantity": Decimal("1.50")}]
                }
            },
        ),
    ],
)
def test_an_element_in_plain_python(content: str, value: object) -> None:
    assert to_python(etree.fromstring(f"<r>{content}</r>")) == value


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

    async with httpx.AsyncClient(transport=httpx.MockTransport(cut)) as http:
        with pytest.raises(TransportError) as caught:
            await ask(CustomerApi(KEY, http_client=http, clock=Hurried(), budget=None))
    assert caught.value.maybe_sent
    assert sent == (3 if operation in READS else 1)


def nested(depth: int) -> dict[str, object]:
    """A value in a value and so on."""
    value: dict[str, object] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def looped() -> dict[str, object]:
    """A value that holds itself."""
    loop: dict[str, object] = {}
    loop["a"] = loop
    return loop


class Failing(dict[str, object]):
    """A mapping that can't be read."""

    def items(self) -> Any:
        raise LookupError("mine")


NO_TYPE: Final = "must be a value that XSD has a type for, not"
NO_NAME: Final = "must have names that XML allows; got"

# A call with a wrong argument, and what is said of it
WRONG: Final[list[tuple[Callable[[Any], Awaitable[object]], str]]] = [
    (
        lambda api: api.call("New", {"a": object()}),
        f"a {NO_TYPE} object",
    ),
    (
        lambda api: api.call("New", {"a": {1, 2}}),
        f"a {NO_TYPE} set",
    ),
    (
        lambda api: api.call("New", {"a": [None]}),
        f"a {NO_TYPE} NoneType",
    ),
    (
        lambda api: api.call("New", {"a": [[1]]}),
        f"a {NO_TYPE} list",
    ),
    (
        lambda api: api.call("New", {"a": [{"b": 1, "c": 2}]}),
        "a must have items that are simple values, or mappings of one name each",
    ),
    (
        lambda api: api.call("New", {"a": {"b c": 1}}),
        f"a {NO_NAME} 'b c'",
    ),
    (lambda api: api.call("New", {"a": {1: 1}}), f"a {NO_NAME} 1"),
    (
        lambda api: api.call("New", {"a": Decimal("NaN")}),
        "a must be a finite decimal of at most 100 digits on each side",
    ),
    (lambda api: api.call("N:w", {}), f"operation {NO_NAME} 'N:w'"),
    (lambda api: api.call("", {}), f"operation {NO_NAME} ''"),
    (lambda api: api.call("Öffne", {}), "operation must have a name in ASCII"),
    (lambda api: api.call("X", {"x²": 1}), f"parameters {NO_NAME} 'x²'"),
    (lambda api: api.call("X", {"a": nested(500)}), "a is nested too deeply"),
    (
        lambda api: api.call("X", {"password": "p", "a": looped()}),
        "parameters are nested too deeply, or hold themselves",
    ),
    (
        lambda api: api.call("X", {"user": {"password": "p", "a": looped()}}),
        "parameters are nested too deeply, or hold themselves",
    ),
    (
        lambda api: api.call("X", {"user": {"password": "p", "a": nested(500)}}),
        "user can't be read: RecursionError",
    ),
    (lambda api: api.call("X", Failing()), "parameters can't be read: LookupError"),
    (
        lambda api: api.call("X", {"password": Failing()}),
        "parameters can't be read: LookupError",
    ),
    (
        lambda api: api.start_job("New", {"": 1}),
        f"parameters {NO_NAME} ''",
    ),
    (
        lambda api: api.call("New", {"key": "x"}),
        "the key is sent of its own accord: leave it out of the parameters",
    ),
    (lambda api: api.sm_get_all_aliases(None), "domainName must be text, not NoneType"),
    (
        lambda api: api.sm_add_alias("a", "b", "x@a.example"),
        "addresses must be a list, not str",
    ),
    (lambda api: api.sm_add_alias("a", "b", 3), "addresses must be a list, not int"),
    (lambda api: api.sm_add_alias("a", "b", ["x", 3]), r"addresses \[1\] must be text, not int"),
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


async def test_parameters_that_are_no_mapping() -> None:
    pairs: Any = [("a", 1)]
    with pytest.raises(TypeError, match="parameters must be a mapping, not list"):
        await Service().asked(lambda api: api.call("New", pairs))


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


def failing_items() -> Iterator[str]:
    yield "x@a.example"
    raise LookupError("of the caller's own")


RAISING: Final[list[Ask]] = [
    lambda api: api.sm_add_alias("a.example", "info", failing_items()),
    lambda api: api.call("X", {"password": PASSWORD, "a": Failing()}),
    lambda api: api.call("X", {"password": PASSWORD, "user": {"password": Failing()}}),
]


@pytest.mark.parametrize("ask", RAISING)
async def test_whatever_an_argument_raises_shows_no_secret(ask: Ask) -> None:
    service = Service()
    with pytest.raises((LookupError, ValueError)) as caught:
        await service.asked(ask)
    for frame, _ in traceback.walk_tb(caught.value.__traceback__):
        if "/dasp_async/" in frame.f_code.co_filename:
            shown = repr(frame.f_locals)
            assert KEY not in shown
            assert "my &amp; key" not in shown
            assert PASSWORD not in shown
    assert caught.value.__context__ is None
    assert service.requests == []
