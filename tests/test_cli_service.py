"""`dasp operations` and `dasp call`: what the service describes, typed, checked, asked, sent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import pytest

from dasp_async import testing
from dasp_async.cli.exits import ExitCode
from dasp_async.cli.values import parameters_of, word
from dasp_async.testing import DroppedConnection, FakeCustomerApi, Fault, RawAnswer
from dasp_async.xsd import (
    DATA_SET,
    DATE_TIME,
    GUID,
    INT,
    SIMPLE_TYPES,
    STRING,
    ArrayType,
    Element,
    RecordType,
)
from tests import samples
from tests.commands import KEY, OtherWsdl, Service, served

CAPTURED = samples.load("http/wsdl").body
PASSWORD = "correct-horse-battery"
ALIAS = ["domainName=a.example", "aliasName=info"]


@pytest.fixture
def service() -> Iterator[Service]:
    with served(FakeCustomerApi(KEY)) as service:
        yield service


# --- operations -------------------------------------------------------------------------------


def test_operations_are_listed_with_their_signatures(service: Service) -> None:
    result = service.dasp("operations", DASP_API_KEY="")
    assert result.exit_code == ExitCode.DONE
    lines = result.stdout.splitlines()
    assert "GetJobStatus(key: string, jobId: guid) -> JobStatus" in lines
    assert "    Get the status on an asynchronous job" in lines
    assert service.fake.calls == ()


def test_operations_can_be_read_by_programs(service: Service) -> None:
    result = service.dasp("operations", "--json")
    told = {each["name"]: each for each in map(json.loads, result.stdout.splitlines())}
    assert told["SMAddAlias"]["parameters"][3] == {
        "name": "addresses",
        "type": "string[]",
        "required": False,
        "nillable": False,
    }
    assert told["SMAddAlias"]["results"] == []
    assert told["Sql2012CreateBackup"]["results"][0]["type"] == "guid"
    assert told["GetJobStatus"]["versions"] == ["1.1", "1.2"]
    assert told["GetJobStatus"]["problem"] is None


def test_what_cannot_be_called_is_said() -> None:
    fake = OtherWsdl(KEY)
    fake.wsdl = CAPTURED.replace(b'style="document"', b'style="rpc"')
    with served(fake) as service:
        listed = service.dasp("operations")
        called = service.dasp("call", "GetJobStatus", "jobId=x")
    assert "    can't be called: it is of style rpc, not document" in listed.stdout.splitlines()
    assert called.exit_code == ExitCode.USAGE
    assert "GetJobStatus can't be called as the service describes it" in called.stderr


@pytest.mark.parametrize("words", [["operations"], ["call", "GetJobStatus"]])
def test_no_description_is_no_answer(words: list[str]) -> None:
    fake = OtherWsdl(KEY)
    fake.wsdl, fake.content_type = b"<p>Maintenance</p>", "text/html"
    with served(fake) as service:
        result = service.dasp(*words)
    assert (result.exit_code, result.stdout) == (ExitCode.UNREACHABLE, "")
    assert "Maintenance" in result.stderr
    assert fake.calls == ()


# --- call -------------------------------------------------------------------------------------


def test_a_call_that_writes_is_made_once_one_has_agreed(service: Service) -> None:
    words = ["call", "SMAddAlias", *ALIAS, "addresses=x@a.example", "addresses=y@b.example"]
    result = service.dasp(*words, typed="y\n")
    assert result.exit_code == ExitCode.DONE
    assert result.stdout == "{}\n"
    assert "<string>y@b.example</string>" in result.stderr
    assert "<key>***</key>" in result.stderr
    assert service.fake.aliases == {"info@a.example": ("x@a.example", "y@b.example")}


@pytest.mark.parametrize("typed", ["n\n", "", "\n"])
def test_a_call_that_writes_is_not_made_unless_one_agrees(service: Service, typed: str) -> None:
    result = service.dasp("call", "SMAddAlias", *ALIAS, "addresses:=[]", typed=typed)
    assert (result.exit_code, result.stdout) == (ExitCode.INTERRUPTED, "")
    assert result.stderr.endswith("Send it? [y/N] \ndasp: nothing was sent\n")
    assert service.fake.calls == ()


def test_nobody_is_asked_who_said_yes(service: Service) -> None:
    assert service.dasp("call", "SMAddAlias", *ALIAS, "addresses:=[]", "--yes").exit_code == 0
    assert service.fake.aliases == {"info@a.example": ()}


def test_a_call_that_reads_asks_nothing(service: Service) -> None:
    service.dasp("call", "SMAddAlias", *ALIAS, "addresses=x@a.example", "--yes")
    result = service.dasp("call", "SMGetAllAliases", "domainName=a.example")
    assert json.loads(result.stdout) == {
        "SMGetAllAliasesResult": [{"EmailAddress": "info@a.example", "Addresses": ["x@a.example"]}]
    }


def test_a_data_set_is_shown_as_its_rows(service: Service) -> None:
    service.fake.add_bandwidth(date(2026, 3, 1), Decimal("1.50"))
    result = service.dasp(
        "call", "BandwidthGetUsage", "endDate=2026-03-02T00:00:00Z", "startDate=2026-03-01"
    )
    assert json.loads(result.stdout) == {
        "BandwidthGetUsageResult": {
            "UsageSummary": [{"UseDate": "2026-03-01T00:00:00", "Quantity": "1.50"}]
        }
    }
    (call,) = service.fake.calls
    assert call.parameters["endDate"] == "2026-03-02T00:00:00+00:00"


def test_a_password_is_read_from_a_file_and_shown_nowhere(service: Service, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n", "utf-8")
    words = [
        *("call", "SMAddUser", "domainName=a.example", "userName=info", f"password=@{secret}"),
        *("firstName=Ann", "lastName:=null", "maxMailboxSizeInMB=100"),
    ]
    shown = service.dasp(*words, "--dry-run", DASP_API_KEY="")
    assert (shown.exit_code, shown.stderr) == (ExitCode.DONE, "")
    assert "<password>***</password>" in shown.stdout
    assert "<key>***</key>" in shown.stdout
    assert "lastName" not in shown.stdout
    assert PASSWORD not in shown.output
    assert service.fake.calls == ()
    assert service.dasp(*words, "--yes").exit_code == ExitCode.DONE
    (mailbox,) = service.fake.mailboxes
    assert mailbox.password.reveal() == PASSWORD


def done(_: testing.Account, _values: testing.Values) -> None:
    return None


def test_a_password_within_a_record_is_shown_nowhere(tmp_path: Path) -> None:
    record = tmp_path / "user"
    record.write_text(f'{{"name": "ann", "password": "{PASSWORD}"}}', "utf-8")
    kind = testing.RecordType(
        "User",
        (testing.Element("name", testing.STRING), testing.Element("password", testing.SECRET)),
    )
    row = testing.Operation(
        "AddUser", (testing.KEY, testing.Element("user", kind)), None, done, writes=True
    )
    with served(FakeCustomerApi(KEY, operations=[row])) as service:
        shown = service.dasp("call", "AddUser", f"user:=@{record}", "--dry-run")
        refused = service.dasp("call", "AddUser", f"user:={record.read_text('utf-8')}", "--yes")
        assert service.fake.calls == ()
    assert "<user>***</user>" in shown.stdout
    assert PASSWORD not in shown.output
    assert "user is a secret, or holds one" in refused.stderr
    assert PASSWORD not in refused.output


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        (
            "1.1",
            (
                "Content-Type: text/xml; charset=utf-8\n"
                'SOAPAction: "http://api.discountasp.net/SMGetAllAliases"\n'
            ),
        ),
        ("1.2", "Content-Type: application/soap+xml; charset=utf-8\n"),
    ],
)
def test_a_dry_run_shows_what_would_be_sent(service: Service, version: str, headers: str) -> None:
    words = ["call", "SMGetAllAliases", "domainName=a&b", "--dry-run", "--soap", version]
    result = service.dasp(*words)
    assert result.exit_code == ExitCode.DONE
    assert result.stdout.startswith(f"POST {service.endpoint}\n{headers}\n<?xml")
    assert "<domainName>a&amp;b</domainName>" in result.stdout


def test_what_only_reads_is_tried_again(service: Service) -> None:
    service.fake.trouble(RawAnswer(status=503))
    words = ["call", "Sql2012CreateBackup", "databaseName=db"]
    assert service.dasp(*words, "--reads").exit_code == ExitCode.DONE
    assert len(service.fake.calls) == 2


def test_what_may_have_been_done_is_said(service: Service) -> None:
    service.fake.trouble(DroppedConnection())
    result = service.dasp("call", "Sql2012CreateBackup", "databaseName=db", "--yes")
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "it may have been done all the same; look before trying again" in result.stderr
    assert len(service.fake.calls) == 1


def test_an_answer_of_another_type_is_told_from_a_call_that_failed(service: Service) -> None:
    wrong = (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        '<Sql2012CreateBackupResponse xmlns="http://api.discountasp.net/"><Sql2012CreateBackupResult>'
        "soon</Sql2012CreateBackupResult></Sql2012CreateBackupResponse></soap:Body></soap:Envelope>"
    )
    service.fake.trouble(RawAnswer(wrong, content_type="text/xml; charset=utf-8"))
    result = service.dasp("call", "Sql2012CreateBackup", "databaseName=db", "--yes")
    assert (result.exit_code, result.stdout) == (ExitCode.UNREACHABLE, "")
    problem = "done, but not answered as described: Sql2012CreateBackupResult is not a guid"
    assert result.stderr == f"dasp: {problem}\n"


def test_a_fault_is_a_refusal(service: Service) -> None:
    service.fake.trouble(Fault("No such domain."))
    result = service.dasp("call", "SMGetAllAliases", "domainName=x")
    assert (result.exit_code, result.stdout) == (ExitCode.REFUSED, "")
    assert "No such domain." in result.stderr
    assert "may have been done" not in result.stderr


def test_what_json_has_no_type_for_is_spelled_as_xsd_has_it() -> None:
    kind = testing.RecordType(
        "R",
        (
            testing.Element("Decimal", testing.DECIMAL),
            testing.Element("Id", testing.GUID),
            testing.Element("Is", testing.BOOLEAN),
            testing.Element("Size", testing.INT),
        ),
    )
    row = testing.Operation("Get", (testing.KEY,), kind, answered, writes=False)
    fake = FakeCustomerApi(KEY, operations=[row])
    with served(fake) as service:
        result = service.dasp("call", "Get", "--reads")
    assert json.loads(result.stdout) == {
        "GetResult": {"Decimal": "1.50", "Id": ID, "Is": True, "Size": 7}
    }


def answered(_: testing.Account, _values: testing.Values) -> object:
    return {"Decimal": Decimal("1.50"), "Id": UUID(ID), "Is": True, "Size": 7}


@pytest.mark.parametrize(("text", "shown"), [("1.5", 1.5), ("INF", "INF"), ("NaN", "NaN")])
def test_numbers_that_json_has_not_are_texts(text: str, shown: object) -> None:
    wsdl = CAPTURED.replace(
        b'name="EchoStringResult" type="s:string"', b'name="EchoStringResult" type="s:double"'
    )
    fake = OtherWsdl(KEY)
    fake.wsdl = wsdl
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<EchoStringResponse xmlns="http://api.discountasp.net/">'
        f"<EchoStringResult>{text}</EchoStringResult>"
        "</EchoStringResponse></s:Body></s:Envelope>"
    )
    fake.trouble(RawAnswer(body, content_type="text/xml"))
    with served(fake) as served_fake:
        result = served_fake.dasp("call", "EchoString", "value=x", "--reads")
    assert json.loads(result.stdout) == {"EchoStringResult": shown}


@pytest.mark.parametrize(
    ("at", "said"),
    [(1, "interrupted"), (2, "interrupted; what was sent may be done all the same")],
)
def test_an_interrupted_call_may_be_done(
    service: Service, monkeypatch: pytest.MonkeyPatch, at: int, said: str
) -> None:
    runs = 0
    real = anyio.run

    def interrupted(main: Any) -> Any:
        nonlocal runs
        runs += 1
        if runs == at:
            raise KeyboardInterrupt
        return real(main)

    monkeypatch.setattr(anyio, "run", interrupted)
    result = service.dasp("call", "SMAddAlias", *ALIAS, "addresses:=[]", "--yes")
    assert (result.exit_code, result.stderr) == (ExitCode.INTERRUPTED, f"dasp: {said}\n")


def test_ctrl_c_at_the_question_sends_nothing(service: Service) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    words = ["call", "SMAddAlias", *ALIAS, "addresses:=[]"]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-m", "dasp_async", *words],
        env=service.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("</soap:Envelope>"):
            pass
        assert process.stderr.read(len("\nIt may change something.")).strip()
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=30)
    signal.signal(signal.SIGINT, before)
    assert (process.returncode, output) == (ExitCode.INTERRUPTED, "")
    assert error.endswith("\ndasp: nothing was sent\n")
    assert service.fake.calls == ()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["SMGetAllAlias"], "has no operation 'SMGetAllAlias'; did you mean SMGetAllAliases?"),
        (["SMGetAllAliases"], "parameters lack domainName"),
        (["SMGetAllAliases", "domainname=x"], "did you mean 'domainName'?"),
        (["SMGetAllAliases", "domainName=x", "domainName=y"], "domainName comes twice"),
        (["SMGetAllAliases", "domainName"], "is not name=value, name:=JSON"),
        (["SMGetAllAliases", "=x"], "is not name=value, name:=JSON"),
        (["SMGetAllAliases", "domainName:=x"], "domainName is not JSON that can be read"),
        (["SMGetAllAliases", "domainName:=1"], "domainName must be text, not int"),
        (["SMGetAllAliases", "domainName=@/no/such"], "domainName can't be read from /no/such"),
        (["GetJobStatus", "jobId=x"], "jobId is not a guid"),
        (["GetJobStatus", "jobId:=null"], "jobId must not be None"),
        (["BandwidthGetUsage", "startDate=soon"], "startDate is not a date like 2026-03-01"),
        (["SMAddAlias", *ALIAS, "addresses:=[]", "addresses=x"], "addresses comes twice"),
        (["SMAddAlias", *ALIAS, "addresses:=[1]"], "addresses [0] must be text, not int"),
        (["SMAddUser", "password=" + PASSWORD], "password is a secret"),
        (["SMAddUser", f'password:="{PASSWORD}"'], "password is a secret"),
        (["SMAddUser", f"password:{PASSWORD}"], "is not name=value"),
        (["SMAddAlias", f'addresses:=[[{{"secret": "{PASSWORD}"}}]]'], "holds one"),
        (["SMAddAlias", "addresses:=" + 5000 * "["], "addresses is not JSON that can be read"),
    ],
)
def test_a_wrong_call_sends_nothing(service: Service, words: list[str], problem: str) -> None:
    result = service.dasp("call", *words, "--yes")
    assert result.exit_code == ExitCode.USAGE
    assert problem in result.stderr
    assert PASSWORD not in result.output
    assert service.fake.calls == ()


@pytest.mark.parametrize("words", [["operations"], ["call", "X", "--dry-run"]])
def test_a_wrong_endpoint_is_a_usage_error(service: Service, words: list[str]) -> None:
    result = service.dasp(*words, "--endpoint", "http://example.com/")
    assert (result.exit_code, "endpoint must be https" in result.stderr) == (2, True)


# --- values -----------------------------------------------------------------------------------

RECORD = RecordType("Point", (Element("X", INT), Element("At", DATE_TIME), Element("Id", GUID)))
ID = "a0000000-0000-0000-0000-00000000000f"


@pytest.mark.parametrize(
    ("words", "kind", "value"),
    [
        (["a=x=y:=z"], STRING, "x=y:=z"),
        (["a="], STRING, ""),
        (["a=7"], INT, 7),
        (["a=true"], SIMPLE_TYPES["boolean"], True),
        (["a=1.50"], SIMPLE_TYPES["decimal"], Decimal("1.50")),
        (["a:=1.50"], SIMPLE_TYPES["decimal"], Decimal("1.50")),
        (["a:=1.5"], SIMPLE_TYPES["double"], 1.5),
        (["a=AAE="], SIMPLE_TYPES["base64Binary"], b"\0\1"),
        (["a=2026-03-01"], DATE_TIME, datetime(2026, 3, 1)),  # noqa: DTZ001 - as typed
        (["a=" + ID], GUID, UUID(ID)),
        (["a=1", "a=2"], ArrayType.of(Element("int", INT)), [1, 2]),
        (["a:=[1, 2]"], ArrayType.of(Element("int", INT)), [1, 2]),
        (
            ['a:={"X": 1, "At": "2026-03-01T09:00:00Z", "Id": "' + ID + '", "Z": "z"}'],
            RECORD,
            {"X": 1, "At": datetime(2026, 3, 1, 9, tzinfo=UTC), "Id": UUID(ID), "Z": "z"},
        ),
        (["a:=1.5"], DATA_SET, Decimal("1.5")),
    ],
)
def test_a_value_is_read_by_its_type(words: list[str], kind: Any, value: object) -> None:
    found = parameters_of([word(each) for each in words], [Element("a", kind)])
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


def test_a_number_that_no_double_can_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a is a number that no double can be$"):
        parameters_of([word("a:=1e400")], [Element("a", SIMPLE_TYPES["double"])])


def test_a_secret_within_an_array_is_refused_too() -> None:
    kind = ArrayType.of(Element("string", STRING))
    with pytest.raises(ValueError, match=r"^passwords is a secret, or holds one"):
        parameters_of([word("passwords=x")], [Element("passwords", kind)])


def test_a_record_can_be_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text('{"X": 1}', "utf-8")
    assert parameters_of([word(f"a:=@{path}")], [Element("a", RECORD)]) == {"a": {"X": 1}}


def test_parameters_come_in_the_order_of_the_description() -> None:
    elements = [Element("a", STRING), Element("b", STRING), Element("c", STRING)]
    found = parameters_of([word(each) for each in ("x=1", "c=2", "a=3")], elements)
    assert list(found.items()) == [("a", "3"), ("c", "2"), ("x", "1")]


@pytest.mark.parametrize(
    ("content", "read"),
    [(b"x\n", "x"), (b"x\r\n", "x"), (b" x \n\n", " x \n"), (b"\xef\xbb\xbfx", "x"), (b"", "")],
)
def test_a_files_text_is_read_without_its_last_line_break(
    tmp_path: Path, content: bytes, read: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert parameters_of([word(f"a=@{path}")], [Element("a", STRING)]) == {"a": read}


def test_a_file_has_an_item_of_an_array_on_each_line(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x@a.example\ny@b.example\n", "utf-8")
    kind = ArrayType.of(Element("string", STRING))
    found = parameters_of([word(f"a=@{path}"), word("a=z")], [Element("a", kind)])
    assert found == {"a": ["x@a.example", "y@b.example", "z"]}


def test_an_empty_file_is_no_password(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("\n", "utf-8")
    with pytest.raises(ValueError, match="password is a secret, and its file is empty"):
        parameters_of([word(f"password=@{path}")], [Element("password", STRING)])


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"a can't be read from .*: it is not text in UTF-8"):
        word(f"a=@{path}")
