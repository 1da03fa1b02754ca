"""`FakeCustomerApi`: operations of a test's own, changed ones, and the pages that describe all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from dasp_async import JobState, SoapFault
from dasp_async.testing import (
    BOOLEAN,
    DATE_TIME,
    DECIMAL,
    GUID,
    INT,
    KEY,
    LONG,
    OPERATIONS,
    SECRET,
    STRING,
    STRINGS,
    Account,
    ArrayType,
    DataSetType,
    Element,
    FakeClock,
    FakeCustomerApi,
    Fault,
    Operation,
    RawAnswer,
    RecordType,
)
from tests.test_fake_service import ENDPOINT, PROCESS, api_of, envelope, fault_of, post, request

NAMESPACE = "http://api.discountasp.net/"


def echo(_: Account, values: Any) -> Any:
    return values["value"]


def misspelt(_: Account, values: Any) -> Any:
    return values["other"]


def always(value: Any) -> Callable[[Account, Any], Any]:
    return lambda _account, _values: value


def of(parameter: Any, result: Any, answer: Any = echo) -> FakeCustomerApi:
    """A fake whose one operation has a parameter of a type and a result of a type."""
    row = Operation("Echo", (KEY, Element("value", parameter)), result, answer, writes=False)
    return FakeCustomerApi(operations=[row], clock=FakeClock())


def call(value: str) -> bytes:
    return envelope(
        f'<Echo xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<key>test-key</key>{value}</Echo>"
    )


async def answered(fake: FakeCustomerApi, value: str) -> str:
    """What stands in the response element."""
    answer = await post(fake, call(value))
    assert answer.status_code == 200
    response = re.search(r"<EchoResponse xmlns=[^ >]*(?: />|>(.*)</EchoResponse>)", answer.text)
    assert response is not None
    return response[1] or ""


# --- own operations ---------------------------------------------------------------------------


async def test_an_operation_of_ones_own_starts_jobs() -> None:
    clock = FakeClock()
    restart = Operation(
        "RestartSite",
        (KEY, Element("siteName", STRING)),
        GUID,
        lambda account, values: account.start_job(f"Restart {values['siteName']}"),
        writes=True,
    )
    fake = FakeCustomerApi(
        sandbox_key="sandbox-test-key",
        operations=[*OPERATIONS.values(), restart],
        clock=clock,
    )
    fake.script_started_jobs("Completed")
    async with api_of(fake, clock) as api:
        job = await api.start_job("RestartSite", {"siteName": "example.com"})
        status = await api.get_job_status(job)
    assert (status.job_name, status.state) == ("Restart example.com", JobState.DONE)
    async with api_of(fake, clock, "sandbox-test-key") as api:
        other = await api.start_job("RestartSite", {"siteName": "example.com"})
        with pytest.raises(SoapFault, match="Job not found"):
            await api.get_job_status(other)


async def test_a_fake_has_the_operations_it_is_given_alone() -> None:
    fake = of(STRING, STRING)
    body = envelope(f'<GetJobStatus xmlns="{NAMESPACE}"><key>test-key</key></GetJobStatus>')
    assert fault_of(await post(fake, body))[0] == "soap:Sender"
    assert await answered(fake, "<value>a</value>") == "<EchoResult>a</EchoResult>"


@pytest.mark.parametrize(
    ("instead", "status", "text"),
    [(Fault("No such thing."), 500, "No such thing."), (RawAnswer("Sorry", 503), 503, "Sorry")],
)
async def test_an_answer_can_be_a_fault_or_raw(instead: Any, status: int, text: str) -> None:
    answer = await post(of(STRING, STRING, always(instead)), call(""))
    assert answer.status_code == status
    assert text in answer.text


@pytest.mark.parametrize(
    ("kind", "sent", "result"),
    [
        (STRING, "<value> a &lt; b </value>", "<EchoResult> a &lt; b </EchoResult>"),
        (STRING, "<value />", "<EchoResult />"),
        (STRING, "", ""),
        (SECRET, "<value>a-test-password</value>", "<EchoResult>a-test-password</EchoResult>"),
        (BOOLEAN, "<value>true</value>", "<EchoResult>true</EchoResult>"),
        (BOOLEAN, "<value> 0 </value>", "<EchoResult>false</EchoResult>"),
        (BOOLEAN, "", "<EchoResult>false</EchoResult>"),
        (INT, "<value>-7</value>", "<EchoResult>-7</EchoResult>"),
        (INT, "", "<EchoResult>0</EchoResult>"),
        (
            LONG,
            "<value>9223372036854775807</value>",
            "<EchoResult>9223372036854775807</EchoResult>",
        ),
        (DECIMAL, "<value> -1.50 </value>", "<EchoResult>-1.50</EchoResult>"),
        (DECIMAL, "<value>.5</value>", "<EchoResult>0.5</EchoResult>"),
        (DECIMAL, "", "<EchoResult>0</EchoResult>"),
        (
            DATE_TIME,
            "<value>2026-03-14T09:26:53.1200000+05:30</value>",
            "<EchoResult>2026-03-14T09:26:53.12+05:30</EchoResult>",
        ),
        (DATE_TIME, "<value>2026-03-14</value>", "<EchoResult>2026-03-14T00:00:00</EchoResult>"),
        (DATE_TIME, "", "<EchoResult>0001-01-01T00:00:00</EchoResult>"),
        (
            GUID,
            "<value>{A0000000-0000-0000-0000-00000000000B}</value>",
            "<EchoResult>a0000000-0000-0000-0000-00000000000b</EchoResult>",
        ),
        (GUID, "", f"<EchoResult>{UUID(int=0)}</EchoResult>"),
        (
            ArrayType(INT),
            '<value><int>1</int><long>2</long><int xmlns="">3</int><int>4</int></value>',
            "<EchoResult><int>1</int><int>4</int></EchoResult>",
        ),
        (
            ArrayType(STRINGS),
            '<value><ArrayOfString /><ArrayOfString xsi:nil="1" /></value>',
            '<EchoResult><ArrayOfString /><ArrayOfString xsi:nil="true" /></EchoResult>',
        ),
        (STRINGS, '<value xsi:nil="false" />', "<EchoResult />"),
    ],
)
async def test_values_are_read_and_written(kind: Any, sent: str, result: str) -> None:
    assert await answered(of(kind, kind), sent) == result


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (misspelt, "KeyError: 'other'"),
        (always({"Name": "x"}), "KeyError: 'Size'"),
    ],
)
async def test_an_answer_that_fails_is_a_fault_and_logged(
    answer: Any, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    kind = RecordType("File", (Element("Name", STRING), Element("Size", INT)))
    fake = of(STRING, kind, answer)
    _, reason = fault_of(await post(fake, call("<value>x</value>")))
    assert reason == f"{PROCESS}{problem}"
    (record,) = caplog.records
    assert record.message == "the answer of Echo failed"
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        (BOOLEAN, "True", "The string 'True' is not a valid Boolean value."),
        (LONG, str(2**63), "Value was either too large or too small for an Int64."),
        (DECIMAL, "1e3", "Input string was not in a correct format."),
        (DECIMAL, ".", "Input string was not in a correct format."),
        (ArrayType(INT), '<int xsi:nil="true" />', "Input string was not in a correct format."),
    ],
)
async def test_a_text_of_another_type_is_refused(kind: Any, text: str, problem: str) -> None:
    answer = await post(of(kind, None), call(f"<value>{text}</value>"))
    code, reason = fault_of(answer)
    assert code == "soap:Sender"
    assert reason.endswith(f"). ---> {problem}")


POINT = RecordType(
    "Point", (Element("X", INT, "x"), Element("Label", STRING, "label"), Element("Tags", STRINGS))
)


async def test_records_are_sent_and_answered() -> None:
    seen: list[Any] = []

    def answer(_: Account, values: Any) -> Any:
        seen.append(values["value"])
        return [*values["value"], None]

    fake = of(ArrayType(POINT), ArrayType(POINT), answer)
    points = (
        "<Point><Label>a</Label><X>1</X><X>2</X></Point>"
        "<Point><Tags><string>t</string></Tags></Point>"
    )
    assert await answered(fake, f"<value>{points}</value>") == (
        "<EchoResult><Point><X>1</X><Label>a</Label></Point>"
        "<Point><X>0</X><Tags><string>t</string></Tags></Point>"
        '<Point xsi:nil="true" /></EchoResult>'
    )
    assert seen == [
        [{"x": 1, "label": "a", "Tags": None}, {"x": 0, "label": None, "Tags": ["t"]}],
    ]
    assert fake.calls[0].parameters["value"] == [{"Label": "a", "X": "1"}, {"Tags": ["t"]}]


async def test_a_record_is_read_from_an_objects_attributes_too() -> None:
    @dataclass
    class Named:
        label: str | None

    kind = RecordType("Named", (Element("Label", STRING, "label"),))
    for value, result in (
        (Named("a"), "<EchoResult><Label>a</Label></EchoResult>"),
        (Named(None), "<EchoResult />"),
        (None, ""),
    ):
        assert await answered(of(STRING, kind, always(value)), "") == result


async def test_a_bad_key_is_refused_by_operations_of_ones_own_too() -> None:
    body = call("<value>a</value>").replace(b"test-key", b"nonsense")
    assert fault_of(await post(of(STRING, STRING), body))[1] == f"{PROCESS}Invalid API key."


# --- changed operations -----------------------------------------------------------------------


async def test_a_changed_parameter_is_read_and_described() -> None:
    row = OPERATIONS["SMAddAlias"]
    renamed = tuple(
        replace(each, name="addressList") if each.name == "addresses" else each
        for each in row.parameters
    )
    changed = replace(row, parameters=renamed)
    fake = FakeCustomerApi(operations={**OPERATIONS, "SMAddAlias": changed}.values())
    for name, addresses in (("addresses", ()), ("addressList", ("b",))):
        body = envelope(
            f'<SMAddAlias xmlns="{NAMESPACE}"><key>test-key</key><domainName>d</domainName>'
            f"<aliasName>{name}</aliasName><{name}><string>b</string></{name}></SMAddAlias>"
        )
        assert (await post(fake, body)).status_code == 200
        assert fake.aliases[f"{name}@d"] == addresses
    help_page = (await request(fake, url=f"{ENDPOINT}?op=SMAddAlias")).text
    assert help_page.count("&lt;addressList&gt;") == 2
    assert 'name="addressList"' in (await request(fake, url=f"{ENDPOINT}?WSDL")).text


async def test_a_changed_result_is_answered_and_described() -> None:
    row = OPERATIONS["GetJobStatus"]
    assert isinstance(row.result, RecordType)
    members = [replace(each, name=f"Job{each.name}") for each in row.result.members[1:3]]
    changed = replace(row, name="JobStatus2", result=RecordType("Status2", tuple(members)))
    fake = FakeCustomerApi(operations=[changed], clock=FakeClock())
    job = fake.add_job("Running")
    answer = await post(
        fake,
        envelope(
            f'<JobStatus2 xmlns="{NAMESPACE}"><key>test-key</key><jobId>{job}</jobId></JobStatus2>'
        ),
    )
    assert (
        "<JobStatus2Result><JobStatus>Running</JobStatus>"
        "<JobStartDateTime>2026-01-01T00:00:00</JobStartDateTime></JobStatus2Result>"
    ) in answer.text
    help_page = (await request(fake, url=f"{ENDPOINT}?op=JobStatus2")).text
    assert help_page.count("&lt;JobStartDateTime&gt;dateTime&lt;") == 2
    assert 'type="tns:Status2"' in (await request(fake, url=f"{ENDPOINT}?WSDL")).text


async def test_the_columns_of_bandwidth_can_be_changed() -> None:
    row = OPERATIONS["BandwidthGetUsage"]
    assert isinstance(row.result, DataSetType)
    date, quantity = row.result.columns
    columns = (date, replace(quantity, type=LONG))
    changed = replace(row, result=replace(row.result, name="Usage", columns=columns))
    clock = FakeClock()
    fake = FakeCustomerApi(operations=[changed], clock=clock)
    moment = datetime(2026, 3, 14, tzinfo=UTC)
    fake.add_bandwidth(moment, Decimal(7))
    async with api_of(fake, clock) as api:
        (usage,) = await api.bandwidth_get_usage(moment, moment)
    assert (usage.use_date, usage.quantity) == (moment, 7)
    assert isinstance(usage.quantity, int)


# --- rows that are none -----------------------------------------------------------------------

ROW = OPERATIONS["SMGetAllAliases"]


@pytest.mark.parametrize(
    ("changes", "error", "named"),
    [
        ({"name": "two words"}, ValueError, "name must be a name that XML allows"),
        ({"name": 5}, TypeError, "name must be str"),
        ({"parameters": (KEY, "domainName")}, TypeError, r"parameters\[1\] must be Element"),
        ({"parameters": 5}, TypeError, "parameters must be rows of Element, not int"),
        ({"parameters": ()}, ValueError, "parameters must hold KEY"),
        ({"parameters": (Element("key", STRING),)}, ValueError, "parameters must hold KEY"),
        ({"result": str}, TypeError, "result must be"),
        ({"answer": None}, TypeError, "answer must be a plain function"),
        ({"answer": 5}, TypeError, "answer must be a plain function"),
    ],
)
def test_a_row_of_a_wrong_kind_is_refused(
    changes: dict[str, Any], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=f"^{named}"):
        replace(ROW, **changes)


@pytest.mark.parametrize(
    ("operations", "error", "named"),
    [
        (5, TypeError, "operations must be rows of Operation, not int"),
        (["GetJobStatus"], TypeError, r"operations\[0\] must be Operation, not str"),
        ([ROW, ROW], ValueError, "operations must have names of their own"),
    ],
)
def test_operations_of_a_wrong_kind_are_refused(
    operations: Any, error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=f"^{named}"):
        FakeCustomerApi(operations=operations)


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "named"),
    [
        (Element, ("a b", STRING), ValueError, "name must be a name that XML allows"),
        (Element, ("a", str), TypeError, "type must be"),
        (RecordType, ("R", (STRING,)), TypeError, r"members\[0\] must be Element"),
        (RecordType, ("1", ()), ValueError, "name must be a name"),
        (ArrayType, (str,), TypeError, "item must be"),
        (DataSetType, ("", ()), ValueError, "table must be a name"),
        (DataSetType, ("T", (), "1"), ValueError, "name must be a name"),
        (DataSetType, ("T", (STRING,)), TypeError, r"columns\[0\] must be Element"),
        (DataSetType, ("T", (Element("C", GUID),)), ValueError, "columns must be of XSD's"),
        (DataSetType, ("T", (Element("C", STRINGS),)), ValueError, "columns must be of XSD's"),
    ],
)
def test_types_of_a_wrong_kind_are_refused(
    kind: Any, arguments: tuple[Any, ...], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=f"^{named}"):
        kind(*arguments)
