"""`describe`, and calls that are checked by a description before anything is sent."""

from __future__ import annotations

import base64
import random
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

import httpx
import pytest
from lxml import etree
from pytest_httpx import HTTPXMock

import dasp_async
from dasp_async import (
    NIL,
    CustomerApi,
    DaspError,
    HttpError,
    InvalidResponse,
    MemoryBudget,
    SoapFault,
    SoapVersion,
    TransportError,
)
from dasp_async.soap import XSI
from dasp_async.wsdl import OperationDescription, ServiceDescription
from dasp_async.xsd import GUID, SIMPLE_TYPES, Element
from tests.samples import load

KEY: Final = "NOT-A-REAL-KEY-0123-ABCD"
URL: Final = "https://api.discountasp.net/1.0/customerapi.asmx"
NAMESPACE: Final = "http://api.discountasp.net/"
PASSWORD: Final = "not-a-password-of-anyone"
CAPTURED: Final = load("http/wsdl").body
PACKAGE: Final = str(Path(dasp_async.__file__).parent)

Handler = Callable[[httpx.Request], httpx.Response]
Ask = Callable[[CustomerApi], Awaitable[object]]


class Hurried:
    """A clock whose sleeps take no time."""

    monotonic = staticmethod(float)
    time = staticmethod(float)

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Server:
    """Gives these answers in turn, the last of them ever again, and keeps what it was sent."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answers[min(len(self.requests), len(self._answers)) - 1]

    async def asked(self, ask: Ask, **settings: Any) -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self)) as http:
            return await ask(CustomerApi(KEY, http_client=http, **settings))


def page(content: bytes | str = CAPTURED, status: int = 200, **headers: str) -> httpx.Response:
    """An answer to `?WSDL`."""
    labelled = {"Content-Type": "text/xml; charset=utf-8", **headers}
    return httpx.Response(status, headers=labelled, content=content)


async def describe(api: CustomerApi) -> ServiceDescription:
    return await api.describe()


# --- describe


async def test_what_is_sent() -> None:
    server, budget = Server(page()), MemoryBudget()
    found = await server.asked(describe, budget=budget)
    assert list(found.operations)[:2] == ["GetJobStatus", "Sql2012CreateBackup"]
    (request,) = server.requests
    assert request.method == "GET"
    assert str(request.url) == f"{URL}?WSDL"
    assert request.content == b""
    assert request.headers["Accept-Encoding"] == "identity"
    assert "SOAPAction" not in request.headers
    assert KEY not in f"{request.url} {request.headers!r}"
    assert await budget.remaining() == 1000


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://a.example/b.asmx?c=d&e", "https://a.example/b.asmx?WSDL"),
        ("https://a.example/b.asmx#c", "https://a.example/b.asmx?WSDL"),
        ("https://a.example/b.asmx?c#d?e", "https://a.example/b.asmx?WSDL"),
        ("https://a.example", "https://a.example?WSDL"),
        ("https://a.example:444/b%20c", "https://a.example:444/b%20c?WSDL"),
    ],
)
async def test_the_query_stands_in_for_the_endpoints_own(endpoint: str, url: str) -> None:
    server = Server(page())
    await server.asked(describe, endpoint=endpoint)
    assert server.requests[0].url == httpx.URL(url)


async def test_a_client_of_our_own(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=CAPTURED)
    async with CustomerApi(KEY, endpoint=f"{URL}?a=b#c") as api:
        found = await api.describe()
    assert "GetJobStatus" in found.operations
    (request,) = httpx_mock.get_requests()
    assert (request.method, str(request.url)) == ("GET", f"{URL}?WSDL")
    assert request.content == b""
    assert request.headers["Accept-Encoding"] == "identity"
    assert KEY not in f"{request.url} {request.headers!r}"


async def test_each_time_anew() -> None:
    server = Server(page())

    async def twice(api: CustomerApi) -> None:
        assert await api.describe() is not await api.describe()

    await server.asked(twice)
    assert len(server.requests) == 2


async def test_it_is_retried() -> None:
    clock, server = Hurried(), Server(page("busy", 503), page("busy", 503), page())
    found = await server.asked(describe, clock=clock)
    assert "GetJobStatus" in found.operations
    assert clock.slept == [0.5, 1.0]


async def test_a_broken_connection_is_an_error_of_ours() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(broken)) as http:
        with pytest.raises(
            TransportError,
            match=r"^describe: no answer from api\.discountasp\.net: ConnectError: refused$",
        ):
            await CustomerApi(KEY, http_client=http, clock=Hurried()).describe()


HTML: Final = "<html><body>Not here</body></html>"
NOT_WSDL: Final = "not WSDL 1.1's {http://schemas.xmlsoap.org/wsdl/}definitions"


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (page(HTML, 404), HttpError, "HTTP 404, text/xml; charset=utf-8, body: Not here (the "),
        (page(HTML, 500), HttpError, "HTTP 500, text/xml; charset=utf-8, body: Not here"),
        (page(CAPTURED, 500), HttpError, "HTTP 500"),
        (page("", 302), HttpError, "redirects are never followed"),
        (page(HTML), InvalidResponse, f"its root is html, {NOT_WSDL}; HTTP 200"),
        (page("<html><br></html>"), InvalidResponse, "not well-formed XML"),
        (page("no XML"), InvalidResponse, "not well-formed XML"),
        (page(""), InvalidResponse, "the body is empty"),
        (page(CAPTURED + b" " * 50_000), InvalidResponse, "longer than max_response_bytes"),
        (page(b"<!DOCTYPE a>" + CAPTURED[39:]), InvalidResponse, "it has a DOCTYPE"),
        (
            page('<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>'),
            InvalidResponse,
            "it has no operation bound to SOAP",
        ),
    ],
)
async def test_what_is_no_description(
    answer: httpx.Response, kind: type[DaspError], text: str
) -> None:
    with pytest.raises(kind) as caught:
        await Server(answer).asked(describe, max_response_bytes=50_000, clock=Hurried())
    assert str(caught.value).startswith("describe: ")
    assert text in str(caught.value)
    assert caught.value.operation == "describe"


async def test_an_echo_of_the_key_is_masked() -> None:
    answer = page(f"<{KEY}/>")
    with pytest.raises(InvalidResponse, match=r"its root is \*\*\*, not WSDL") as caught:
        await Server(answer).asked(describe)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("Sun, 01 Mar 2026 09:26:53 GMT", datetime(2026, 3, 1, 9, 26, 53, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 09:26:53 -0000", datetime(2026, 3, 1, 9, 26, 53, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
async def test_the_services_time(header: str | None, moment: datetime | None) -> None:
    answer = page() if header is None else page(Date=header)
    assert (await Server(answer).asked(describe)).served_at == moment


async def test_mutations_are_descriptions_or_errors_of_ours() -> None:
    chance = random.Random(0)
    outcomes: set[type] = set()
    for _ in range(200):
        body = bytearray(CAPTURED)
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(body))
            body[start : start + chance.randint(0, 300)] = chance.choice(
                [b"", b'"', b"s:", b">", b"<!--", bytes(body[:200])]
            )
        try:
            found: ServiceDescription = await Server(page(bytes(body))).asked(describe)
            outcomes.add(type(found))
        except DaspError as error:
            outcomes.add(type(error))
    assert outcomes == {ServiceDescription, InvalidResponse}


# --- calls that are checked


def member(name: str, kind: str, more: str = "") -> str:
    return f'<s:element minOccurs="0" name="{name}" type="{kind}" {more}/>'


def value(name: str, kind: str, more: str = "") -> str:
    """A parameter that has to be there."""
    return f'<s:element minOccurs="1" name="{name}" type="{kind}" {more}/>'


def record(name: str, *members: str) -> str:
    return (
        f'<s:complexType name="{name}"><s:sequence>{"".join(members)}</s:sequence></s:complexType>'
    )


OPAQUE: Final = '<s:complexType name="Opaque" mixed="true"/>'
TYPES: Final = (
    OPAQUE
    + record("Strings", member("string", "s:string", 'maxOccurs="unbounded" nillable="true"'))
    + record("Users", member("User", "t:User", 'maxOccurs="unbounded"'))
    + record("User", member("Name", "s:string"), value("Age", "s:int"), member("Boss", "t:User"))
    + '<s:simpleType name="Colour"><s:restriction base="s:string"><s:enumeration value="Red"/>'
    '<s:enumeration value="Green"/></s:restriction></s:simpleType>'
    '<s:simpleType name="Days"><s:list><s:simpleType><s:restriction base="s:string">'
    '<s:enumeration value="Mon"/><s:enumeration value="Tue"/></s:restriction></s:simpleType>'
    "</s:list></s:simpleType>"
)

# The parameters of each operation after the key, and its result
OPERATIONS: Final[dict[str, tuple[str, str]]] = {
    "One": (value("a", "{}"), ""),
    "Nullable": (value("a", "s:int", 'nillable="true"'), ""),
    "Create": (member("name", "s:string") + value("days", "s:int"), "m:guid"),
    "CreateText": ("", "s:string"),
    "Count": ("", "s:int"),
    "SetPassword": (
        member("user", "s:string") + member("newPassword", "s:string") + value("days", "s:int"),
        "",
    ),
    "SetPwd": (member("pwdHash", "t:Colour"), ""),
}


def wsdl(kind: str = "s:string") -> str:
    """A service of these operations; `kind` is the type of the parameter of `One`."""
    elements = "".join(
        f'<s:element name="{name}"><s:complexType><s:sequence>{member("key", "s:string")}'
        f"{parameters.format(kind)}</s:sequence></s:complexType></s:element>"
        f'<s:element name="{name}Response"><s:complexType><s:sequence>'
        f"{result and value(f'{name}Result', result)}</s:sequence></s:complexType></s:element>"
        for name, (parameters, result) in OPERATIONS.items()
    )
    messages = "".join(
        f'<w:message name="{name}{way}"><w:part element="t:{name}{element}"/></w:message>'
        for name in OPERATIONS
        for way, element in (("In", ""), ("Out", "Response"))
    )
    ports = "".join(
        f'<w:operation name="{name}"><w:input message="t:{name}In"/>'
        f'<w:output message="t:{name}Out"/></w:operation>'
        for name in OPERATIONS
    )
    bindings = "".join(
        f'<w:operation name="{name}"><soap:operation soapAction="{NAMESPACE}{name}"/></w:operation>'
        for name in OPERATIONS
    )
    return f"""<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/"
 xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:s="http://www.w3.org/2001/XMLSchema"
 xmlns:m="http://microsoft.com/wsdl/types/" xmlns:t="{NAMESPACE}" targetNamespace="{NAMESPACE}">
<w:types><s:schema targetNamespace="{NAMESPACE}" elementFormDefault="qualified">{elements}{TYPES}
</s:schema></w:types>{messages}<w:portType name="P">{ports}</w:portType>
<w:binding name="B" type="t:P"><soap:binding/>{bindings}</w:binding></w:definitions>"""


async def description(kind: str = "s:string") -> ServiceDescription:
    found: ServiceDescription = await Server(page(wsdl(kind))).asked(describe)
    return found


def answered(operation: str, content: str = "") -> httpx.Response:
    return page(
        f'<e:Envelope xmlns:e="{SoapVersion.SOAP_1_1.namespace}"><e:Body><{operation}Response '
        f'xmlns="{NAMESPACE}">{content}</{operation}Response></e:Body></e:Envelope>'
    )


BOSS: Final = {"Name": "b", "Age": 1, "Boss": None}
NIL_XML: Final = f'xmlns:i="{XSI}" i:nil="true"'
JOB: Final = UUID("a0000000-0000-0000-0000-00000000000f")

# A type, a value of it, and what stands in the element for it
SENT: Final[list[tuple[str, object, str]]] = [
    ("s:string", "x & y", "x &amp; y"),
    ("s:string", "", ""),
    ("s:boolean", True, "true"),
    ("s:boolean", False, "false"),
    ("s:byte", -128, "-128"),
    ("s:short", 32767, "32767"),
    ("s:int", -(2**31), "-2147483648"),
    ("s:int", 2**31 - 1, "2147483647"),
    ("s:long", 2**63 - 1, "9223372036854775807"),
    ("s:unsignedByte", 255, "255"),
    ("s:unsignedShort", 65535, "65535"),
    ("s:unsignedInt", 2**32 - 1, "4294967295"),
    ("s:unsignedLong", 2**64 - 1, "18446744073709551615"),
    ("s:integer", -(2**70), "-1180591620717411303424"),
    ("s:decimal", Decimal("1E+3"), "1000"),
    ("s:decimal", Decimal("-0.10"), "-0.10"),
    ("s:decimal", 7, "7"),
    ("s:float", 1.5, "1.5"),
    ("s:double", float("-inf"), "-INF"),
    ("s:double", 3, "3"),
    ("s:dateTime", date(2026, 3, 1), "2026-03-01T00:00:00"),
    (
        "s:dateTime",
        datetime(2026, 3, 1, 9, 26, 53, 500000, tzinfo=timezone(timedelta(hours=-7))),
        "2026-03-01T09:26:53.500000-07:00",
    ),
    ("s:date", date(2026, 3, 1), "2026-03-01"),
    ("m:guid", JOB, str(JOB)),
    ("m:guid", f"{{{str(JOB).upper()}}}", str(JOB)),
    ("m:guid", UUID(int=0), str(UUID(int=0))),
    ("s:base64Binary", b"\x00\x01\xff", "AAH/"),
    ("s:hexBinary", b"\x00\x01\xff", "0001FF"),
    ("t:Colour", "Red", "Red"),
    ("t:Days", "Tue Mon", "Tue Mon"),
    ("t:Days", "", ""),
    ("t:Strings", ["x", NIL, ""], f"<string>x</string><string {NIL_XML}/><string/>"),
    ("t:Strings", (each for each in ("x", "y")), "<string>x</string><string>y</string>"),
    ("t:Strings", [], ""),
    ("t:User", {"Name": None, "Age": 7, "Boss": None}, "<Age>7</Age>"),
    (
        "t:User",
        {"Name": "a", "Age": 7, "Boss": BOSS},
        "<Name>a</Name><Age>7</Age><Boss><Name>b</Name><Age>1</Age></Boss>",
    ),
    (
        "t:Users",
        [BOSS, {**BOSS, "Name": None}],
        "<User><Name>b</Name><Age>1</Age></User><User><Age>1</Age></User>",
    ),
]


def canonical(text: str) -> str:
    return etree.canonicalize(text, strip_text=True, rewrite_prefixes=True)


@pytest.mark.parametrize("version", SoapVersion)
@pytest.mark.parametrize(
    ("kind", "given", "content"),
    [case for case in SENT if case[1].__class__.__name__ != "generator"],
)
async def test_a_value_of_each_type_on_the_wire(
    kind: str, given: object, content: str, version: SoapVersion
) -> None:
    server, described = Server(answered("One")), await description(kind)
    await server.asked(
        lambda api: api.call("One", {"a": given}, description=described), version=version
    )
    (request,) = server.requests
    body = etree.fromstring(request.content)[0]
    assert body.tag == f"{{{version.namespace}}}Body"
    expected = f'<One xmlns="{NAMESPACE}"><key>{KEY}</key><a>{content}</a></One>'
    assert canonical(etree.tostring(body[0]).decode()) == canonical(expected)
    assert request.headers["Content-Type"] == f"{version.media_type}; charset=utf-8"
    action = f'"{NAMESPACE}One"' if version is SoapVersion.SOAP_1_1 else None
    assert request.headers.get("SOAPAction") == action


async def test_an_iterable_is_an_array_too() -> None:
    server, described = Server(answered("One")), await description("t:Strings")
    letters = iter("xy")
    await server.asked(lambda api: api.call("One", {"a": letters}, description=described))
    assert b"<string>x</string><string>y</string>" in server.requests[0].content


async def test_a_null_that_is_written() -> None:
    server, described = Server(answered("Nullable")), await description()
    await server.asked(lambda api: api.call("Nullable", {"a": NIL}, description=described))
    element = etree.fromstring(server.requests[0].content)[0][0][1]
    assert element.get(f"{{{XSI}}}nil") == "true"


async def test_what_may_be_left_out_is_left_out() -> None:
    server, described = (
        Server(answered("Create", f"<CreateResult>{JOB}</CreateResult>")),
        (await description()),
    )
    job = await server.asked(
        lambda api: api.start_job("Create", {"name": None, "days": 1}, description=described)
    )
    assert job == JOB
    assert b"name" not in server.requests[0].content
    assert b"<days>1</days>" in server.requests[0].content


async def test_a_job_whose_id_is_text() -> None:
    described = await description()
    server = Server(answered("CreateText", f"<CreateTextResult>{JOB}</CreateTextResult>"))
    job = await server.asked(lambda api: api.start_job("CreateText", {}, description=described))
    assert job == JOB


class Described(Protocol):
    """A call that is checked by a description."""

    def __call__(self, api: CustomerApi, described: Any) -> Awaitable[object]: ...


def one(given: object) -> Described:
    return lambda api, described: api.call("One", {"a": given}, description=described)


def called(name: str, parameters: Mapping[Any, object]) -> Described:
    return lambda api, described: api.call(name, parameters, description=described)


def started(name: str, parameters: Mapping[Any, object]) -> Described:
    return lambda api, described: api.start_job(name, parameters, description=described)


def changed(name: str, **fields: Any) -> Callable[[ServiceDescription], ServiceDescription]:
    """A description in which an operation is otherwise."""

    def change(described: ServiceDescription) -> ServiceDescription:
        operation: OperationDescription = replace(described.operations[name], **fields)
        return replace(described, operations={**described.operations, name: operation})

    return change


NOT_SAID: Final = "can't be called as the service describes it"
ORDERED: Final = {"name": "n", "days": 1}
NAME_LEFT_OUT: Final = "None leaves out name, which the service reads as null"
NO_NIL: Final = "a can't be NIL; None leaves out what may be left out"

# The type of `One`'s parameter, the call, and the message
REFUSED: Final[list[tuple[str, Described, str]]] = [
    (
        "s:string",
        called("Create", {"nmae": "n", "days": 1}),
        "Create: parameters have no 'nmae'; did you mean 'name'?",
    ),
    (
        "s:string",
        called("Create", {"Name": "n", "days": 1}),
        "Create: parameters have no 'Name'; did you mean 'name'?",
    ),
    (
        "s:string",
        called("Create", {"zzz": "n", "days": 1}),
        "Create: parameters have no 'zzz'; they are name, days",
    ),
    ("s:string", called("Create", {7: 1}), "Create: parameters have no 7; they are name, days"),
    ("s:string", called("Count", {"a": 1}), "Count: parameters have no 'a'; they are none"),
    ("s:string", called("Create", {"days": 1}), f"Create: parameters lack name; {NAME_LEFT_OUT}"),
    ("s:string", called("Create", {"name": "n"}), "Create: parameters lack days"),
    ("s:string", called("Create", {}), f"Create: parameters lack name, days; {NAME_LEFT_OUT}"),
    (
        "s:string",
        called("Create", {"days": 1, "name": "n"}),
        "Create: parameters must be in the order name, days",
    ),
    (
        "s:string",
        called("Create", {"name": "n", "days": None}),
        "Create: days must not be None: the service requires it",
    ),
    ("s:string", one(7), "a must be text, not int"),
    ("s:string", one("x\0"), "a holds U+0000 at position 1, which XML cannot carry"),
    ("s:string", one(NIL), NO_NIL),
    ("s:int", one(NIL), NO_NIL),
    ("s:int", one("7"), "a must be a whole number, not str"),
    ("s:int", one(True), "a must be a whole number, not bool"),
    ("s:int", one(2**31), "a must be from -2147483648 to 2147483647"),
    ("s:unsignedByte", one(-1), "a must be from 0 to 255"),
    ("s:boolean", one(1), "a must be True or False, not int"),
    ("s:decimal", one(1.5), "a must be a Decimal, not float"),
    (
        "s:decimal",
        one(Decimal("1E+999999999999999999")),
        "a must be a finite decimal of at most 100 digits on each side",
    ),
    ("s:double", one("1"), "a must be a number, not str"),
    ("s:dateTime", one("2026-03-01"), "a must be a datetime or a date, not str"),
    ("s:date", one(datetime(2026, 3, 1, tzinfo=UTC)), "a must be a date, not datetime"),
    (
        "m:guid",
        one("x"),
        (
            "a must be a uuid.UUID or text that UUID reads, like "
            "'01234567-89ab-cdef-0123-456789abcdef'; got text of 1 characters"
        ),
    ),
    ("s:base64Binary", one("AAH/"), "a must be bytes, not str"),
    ("t:Colour", one("red"), "a must be one of Green, Red"),
    ("t:Days", one("Mon Wed"), "a must be one of Mon, Tue"),
    ("t:Days", one(["Mon"]), "a must be text, not list"),
    ("t:Strings", one("x"), "a must be a list, not str"),
    ("t:Strings", one(b"x"), "a must be a list, not bytes"),
    ("t:Strings", one({"string": "x"}), "a must be a list, not dict"),
    ("t:Strings", one(7), "a must be a list, not int"),
    ("t:Strings", one(["x", None]), "a [1] must be text, not NoneType"),
    ("t:User", one([1]), "a must be a mapping, not list"),
    ("t:User", one({"name": "x"}), "a members have no 'name'; did you mean 'Name'?"),
    (
        "t:User",
        one({"Name": "x"}),
        "a members lack Age, Boss; None leaves out Boss, which the service reads as null",
    ),
    (
        "t:User",
        one({"Name": "x", "Age": None, "Boss": None}),
        "a Age must not be None: the service requires it",
    ),
    (
        "t:Users",
        one([BOSS, {**BOSS, "Boss": {**BOSS, "Age": "1"}}]),
        "a [1] Boss Age must be a whole number, not str",
    ),
    ("t:Opaque", one("x"), "a is of type Opaque, which holds XML of any kind"),
    ("s:anyType", one("x"), "a is of type anyType, which would have to say its type"),
    (
        "s:string",
        called("create", {}),
        "the service's description has no operation 'create'; did you mean Create?",
    ),
    ("s:string", called("a b", {}), "operation must have names that XML allows; got 'a b'"),
    ("s:string", called("Xyz", {}), "the service's description has no operation 'Xyz'"),
    (
        "s:string",
        called("Create", {"key": "x", **ORDERED}),
        "the key is sent of its own accord: leave it out of the parameters",
    ),
    (
        "s:string",
        started("Count", {}),
        "Count answers int, and no job's id to wait for; use `call`",
    ),
    (
        "s:string",
        started("Nullable", {"a": 1}),
        "Nullable answers nothing, and no job's id to wait for; use `call`",
    ),
]


async def refusal(
    ask: Described, described: ServiceDescription, kind: type[Exception] = ValueError
) -> str:
    """What is said of a call that must be neither sent nor counted."""
    server, budget = Server(page("unasked for")), MemoryBudget()
    with pytest.raises(kind) as caught:
        await server.asked(lambda api: ask(api, described), budget=budget)
    assert server.requests == []
    assert await budget.remaining() == 1000
    return str(caught.value)


@pytest.mark.parametrize(("kind", "ask", "text"), REFUSED)
async def test_what_is_refused_before_it_is_sent(kind: str, ask: Described, text: str) -> None:
    assert await refusal(ask, await description(kind)) == text


OTHERWISE: Final[list[tuple[Callable[[ServiceDescription], ServiceDescription], str]]] = [
    (
        changed("Create", problem="it takes a SOAP header, Auth"),
        f"Create {NOT_SAID}: it takes a SOAP header, Auth",
    ),
    (
        lambda described: replace(described, namespace="urn:x"),
        f"Create {NOT_SAID}: its namespace is urn:x, not {NAMESPACE}",
    ),
    (
        changed("Create", soap_action="urn:x"),
        f"Create {NOT_SAID}: its SOAPAction is urn:x, not {NAMESPACE}Create",
    ),
    (
        changed("Create", parameters=(Element("days", SIMPLE_TYPES["int"]),)),
        f"Create {NOT_SAID}: its first parameter is not the key",
    ),
    (changed("Create", parameters=()), f"Create {NOT_SAID}: its first parameter is not the key"),
]


@pytest.mark.parametrize(("change", "text"), OTHERWISE)
@pytest.mark.parametrize("ask", [called("Create", ORDERED), started("Create", ORDERED)])
async def test_an_operation_that_is_described_otherwise(
    ask: Described, change: Callable[[ServiceDescription], ServiceDescription], text: str
) -> None:
    assert await refusal(ask, change(await description())) == text


@pytest.mark.parametrize("ask", [called("Create", ORDERED), started("Create", ORDERED)])
@pytest.mark.parametrize(
    ("other", "name"), [({}, "dict"), (CAPTURED, "bytes"), (GUID, "SimpleType")]
)
async def test_what_is_no_description_of_a_service(ask: Described, other: Any, name: str) -> None:
    text = f"description must be what describe() answers, not {name}"
    assert await refusal(ask, other, TypeError) == text


@pytest.mark.parametrize(
    ("name", "parameters", "text"),
    [
        (7, {}, "operation must be text, not int"),
        ("Create", [], "parameters must be a mapping, not list"),
        ("Create", None, "parameters must be a mapping, not NoneType"),
    ],
)
async def test_a_call_of_no_name_or_no_parameters(name: Any, parameters: Any, text: str) -> None:
    described = await description()
    for ask in (called, started):
        assert await refusal(ask(name, parameters), described, TypeError) == text


# --- passwords


def left_behind(error: BaseException) -> Iterator[str]:
    """All that is left of an error and what it came from, with our own frames' locals."""
    link: BaseException | None = error
    while link is not None:
        yield f"{link!r} {link} {vars(link)}"
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if frame.f_code.co_filename.startswith(PACKAGE):
                yield f"{frame.f_code.co_qualname} {frame.f_locals}"
        link = link.__cause__ or link.__context__


def assert_hidden(error: BaseException) -> None:
    texts = list(left_behind(error))
    assert len(texts) > 1
    assert [text for text in texts if PASSWORD in text] == []


FAULT: Final = page(
    f'<e:Envelope xmlns:e="{SoapVersion.SOAP_1_1.namespace}"><e:Body><e:Fault>'
    f"<faultcode>e:Server</faultcode><faultstring>No: {PASSWORD}</faultstring>"
    "</e:Fault></e:Body></e:Envelope>",
    500,
)
ECHO: Final = page(f"<a>{PASSWORD}</a>")

NAMES: Final = ["password", "newPassword", "PASSWD", "adminPwd", "clientSecret"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("answer", "kind"), [(FAULT, SoapFault), (ECHO, HttpError)])
@pytest.mark.parametrize("starts", [False, True])
async def test_a_password_that_is_echoed(
    name: str, answer: httpx.Response, kind: type[DaspError], starts: bool
) -> None:
    ask = started if starts else called
    described: Any = None
    server = Server(httpx.Response(answer.status_code, content=answer.content))
    with pytest.raises(kind, match=r"\*\*\*") as caught:
        await server.asked(lambda api: ask("New", {"a": 1, name: PASSWORD})(api, described))
    assert PASSWORD.encode() in server.requests[0].content
    assert_hidden(caught.value)


async def test_a_password_that_is_checked_and_echoed() -> None:
    described = await description()
    parameters = {"user": "u", "newPassword": PASSWORD, "days": 1}
    for answer, kind in (
        (FAULT, SoapFault),
        (answered("Other", PASSWORD), InvalidResponse),
    ):
        server = Server(httpx.Response(answer.status_code, content=answer.content))
        with pytest.raises(kind, match=r"\*\*\*") as caught:
            await server.asked(called_with("SetPassword", parameters, described))
        assert PASSWORD.encode() in server.requests[0].content
        assert_hidden(caught.value)


def called_with(name: str, parameters: Mapping[str, object], described: Any) -> Ask:
    return lambda api: api.call(name, parameters, description=described)


# Values with passwords in them
WITHIN: Final[list[dict[str, object]]] = [
    {"user": {"name": "n", "password": PASSWORD}},
    {"users": [{"User": {"password": PASSWORD}}, {"User": {"password": PASSWORD}}]},
    {"passwords": ["x", PASSWORD]},
    {"passwords": (PASSWORD, 7)},
    {"secret": {"text": PASSWORD}},
    {"a": 1, "secrets": {"b": [{"text": PASSWORD}]}},
]


@pytest.mark.parametrize("parameters", WITHIN)
async def test_a_password_within_a_value(parameters: dict[str, object]) -> None:
    server = Server(httpx.Response(500, content=FAULT.content))
    with pytest.raises(SoapFault, match=r"No: \*\*\*$") as caught:
        await server.asked(lambda api: api.call("New", parameters))
    assert PASSWORD.encode() in server.requests[0].content
    assert_hidden(caught.value)


async def test_what_has_a_passwords_name_is_hidden_of_whatever_type() -> None:
    content = PASSWORD.encode()
    server = Server(httpx.Response(500, content=b""))
    with pytest.raises(HttpError) as caught:
        await server.asked(lambda api: api.call("New", {"password": content}))
    assert base64.b64encode(content) in server.requests[0].content
    assert_hidden(caught.value)


# An operation and its parameters, the one with the password among them; whether it is checked
WITH_PASSWORD: Final[list[tuple[str, dict[Any, object], bool]]] = [
    ("SetPassword", {"user": "u", "newpassword": PASSWORD, "days": 1}, True),
    ("SetPassword", {"newPassword": PASSWORD}, True),
    ("SetPassword", {"newPassword": PASSWORD, "user": "u", "days": 1}, True),
    ("SetPassword", {"user": "u", "newPassword": PASSWORD, "days": None}, True),
    ("SetPassword", {"user": "u", "newPassword": PASSWORD, "days": "x"}, True),
    ("SetPassword", {"user": 7, "newPassword": PASSWORD, "days": 1}, True),
    ("SetPassword", {"user": "u", "newPassword": PASSWORD + "\0", "days": 1}, True),
    ("SetPassword", {"user": "u", "newPassword": [PASSWORD], "days": 1}, True),
    ("SetPwd", {"pwdHash": PASSWORD}, True),
    ("Setpwd", {"pwdHash": PASSWORD}, True),
    ("SetPwd", {"key": "x", "pwdHash": PASSWORD}, True),
    ("New", {"password": PASSWORD, "b c": 1}, False),
    ("New", {"password": PASSWORD, "b": object()}, False),
    ("New", {"password": PASSWORD + "\0"}, False),
    ("N w", {"password": PASSWORD}, False),
    ("New", {"key": "x", "password": PASSWORD}, False),
    ("New", {"user": {"password": PASSWORD, "b": object()}}, False),
    ("New", {"passwords": [PASSWORD, object()]}, False),
]


@pytest.mark.parametrize(("name", "parameters", "checked"), WITH_PASSWORD)
async def test_a_password_in_a_call_that_is_refused(
    name: str, parameters: dict[Any, object], checked: bool
) -> None:
    described = await description() if checked else None
    for ask in (called, started):
        with pytest.raises(ValueError) as caught:
            await Server(page()).asked(partial(ask(name, parameters), described=described))
        assert_hidden(caught.value)


async def test_a_password_in_a_call_that_no_answer_comes_to() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("cut", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(broken)) as http:
        api = CustomerApi(KEY, http_client=http)
        with pytest.raises(TransportError) as caught:
            await api.call("New", {"password": PASSWORD})
    assert_hidden(caught.value)
