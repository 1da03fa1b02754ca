"""`dasp doctor`: every check, what it finds, and what it advises."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import anyio
import pytest
import trustme

from dasp_async.cli import checkup
from dasp_async.cli.checkup import Verdict, clock_against
from dasp_async.cli.exits import ExitCode
from dasp_async.testing import (
    DATE_TIME,
    OPERATIONS,
    STRING,
    Element,
    FakeCustomerApi,
    Operation,
    RecordType,
)
from dasp_async.testing import (
    KEY as KEY_PARAMETER,
)
from tests.commands import KEY, OtherWsdl, Service, served
from tests.servers import RawServer, answer, certified, replies

ALL_KNOWN: Final = "ok       WSDL: all 6 known operations are in it"
# No method is for it.
NEW: Final = "new      WSDL: Sql2012CreateBackup(key: string, databaseName: string) -> guid"
RESULT: Final = "SMGetAllAliasesResult"
NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def service() -> Iterator[Service]:
    with served(FakeCustomerApi(KEY)) as service:
        yield service


def found(output: str) -> list[tuple[str, str]]:
    """Each check's verdict and name."""
    lines = [line for line in output.splitlines() if not line.startswith(" ")]
    return [(line.split()[0], line.split(maxsplit=1)[1].partition(":")[0]) for line in lines]


def test_all_is_well_with_the_fake(service: Service) -> None:
    result = service.dasp("doctor", "--with-key")
    assert result.exit_code == ExitCode.DONE
    assert found(result.stdout) == [
        ("ok", "DNS"),
        ("ok", "TCP"),
        ("skipped", "TLS"),
        ("ok", "endpoint"),
        ("ok", "WSDL"),
        ("new", "WSDL"),
        ("ok", "key"),
        ("ok", "clock"),
    ]
    assert {ALL_KNOWN, NEW} <= set(result.stdout.splitlines())
    assert [call.operation for call in service.fake.calls] == ["BandwidthGetUsage"]


def test_the_key_is_not_used_unless_asked_to(service: Service) -> None:
    result = service.dasp("doctor", DASP_API_KEY="")
    assert result.exit_code == ExitCode.DONE
    assert ("skipped", "key") in found(result.stdout)
    assert service.fake.calls == ()


def test_a_refused_key_is_tried_once(service: Service) -> None:
    result = service.dasp("doctor", "--with-key", DASP_API_KEY="wrong-key-of-mine")
    assert result.exit_code == ExitCode.FAILED
    assert ("bad", "key") in found(result.stdout)
    assert "Invalid API key." in result.stdout
    assert "white-listed" in result.stdout
    assert "wrong-key-of-mine" not in result.output
    assert len(service.fake.calls) == 1


def without(*names: str) -> list[Operation]:
    return [row for name, row in OPERATIONS.items() if name not in names]


def changed(name: str, change: Callable[[Operation], Operation]) -> list[Operation]:
    return [change(row) if name == each else row for each, row in OPERATIONS.items()]


def renamed(parameters: tuple[Element, ...], names: Mapping[str, str]) -> tuple[Element, ...]:
    return tuple(replace(each, name=names.get(each.name, each.name)) for each in parameters)


def members(
    row: Operation, change: Callable[[tuple[Element, ...]], tuple[Element, ...]]
) -> Operation:
    assert isinstance(row.result, RecordType)
    return replace(row, result=replace(row.result, members=change(row.result.members)))


@pytest.mark.parametrize(
    ("operations", "changes"),
    [
        (without("SMAddUser"), ["bad      WSDL: SMAddUser is gone"]),
        (
            changed(
                "SMAddAlias",
                lambda row: replace(row, parameters=renamed(row.parameters, {"aliasName": "name"})),
            ),
            ["bad      WSDL: SMAddAlias: parameter aliasName is called name"],
        ),
        (
            changed(
                "SMGetAllAliases",
                lambda row: replace(row, parameters=(*row.parameters, Element("page", STRING))),
            ),
            ["bad      WSDL: SMGetAllAliases: parameter page: string is new, and is not sent"],
        ),
        (
            changed(
                "GetJobStatus",
                lambda row: replace(row, parameters=(KEY_PARAMETER, Element("jobId", STRING))),
            ),
            ["bad      WSDL: GetJobStatus: parameter jobId is of type string, not guid"],
        ),
        (
            changed("GetJobStatus", lambda row: members(row, lambda known: known[1:])),
            ["bad      WSDL: GetJobStatus: GetJobStatusResult: JobName is gone"],
        ),
        (
            changed(
                "GetJobStatus",
                lambda row: members(row, lambda known: (*known, Element("Owner", STRING))),
            ),
            ["new      WSDL: GetJobStatus: GetJobStatusResult: Owner: string is new"],
        ),
        (
            changed("SMGetAllAliases", lambda row: replace(row, result=DATE_TIME)),
            [f"bad      WSDL: SMGetAllAliases: {RESULT} is of type dateTime, not record[]"],
        ),
    ],
)
def test_each_change_of_the_contract_is_named(
    operations: list[Operation], changes: list[str]
) -> None:
    with served(FakeCustomerApi(KEY, operations=operations)) as service:
        result = service.dasp("doctor")
    told = [line for line in result.stdout.splitlines() if "  WSDL: " in line]
    is_bad = any(change.startswith("bad") for change in changes)
    others = [NEW] if is_bad else [ALL_KNOWN, NEW]
    assert sorted(told) == sorted([*changes, *others])
    assert result.exit_code == (ExitCode.FAILED if is_bad else ExitCode.DONE)


def test_the_key_is_spared_where_a_call_could_not_tell() -> None:
    fake = FakeCustomerApi(KEY, operations=without("BandwidthGetUsage"))
    with served(fake) as service:
        result = service.dasp("doctor", "--with-key")
    assert ("skipped", "key") in found(result.stdout)
    assert fake.calls == ()


def test_a_page_that_is_no_description_is_told_from_a_service_that_is_down() -> None:
    fake = OtherWsdl(KEY)
    fake.wsdl, fake.content_type = b"<html>Welcome</html>", "text/html"
    with served(fake) as service:
        page = service.dasp("doctor")
        fake.status = 503
        down = service.dasp("doctor")
        fake.status = 404
        lost = service.dasp("doctor")
    assert [result.exit_code for result in (page, down, lost)] == [ExitCode.FAILED] * 3
    assert found(page.stdout)[3:5] == [("ok", "endpoint"), ("bad", "WSDL")]
    assert "is it the service itself that answers?" in page.stdout
    assert found(down.stdout)[3:5] == [("bad", "endpoint"), ("skipped", "key")]
    assert "the service may be down: try again later" in down.stdout
    assert "is the endpoint right, to the path?" in lost.stdout


def test_a_port_where_nobody_listens_is_a_matter_of_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with served(FakeCustomerApi(KEY)) as service:
        result = service.dasp("doctor", "--endpoint", f"http://127.0.0.1:{port}/")
    assert result.exit_code == ExitCode.FAILED
    assert found(result.stdout) == [
        ("ok", "DNS"),
        ("bad", "TCP"),
        ("skipped", "key"),
        ("skipped", "clock"),
    ]
    assert "a firewall in between" in result.stdout
    assert "Connection refused" in result.stdout or "Connect call failed" in result.stdout
    assert result.stderr == ""


def test_of_several_addresses_the_first_reason_is_told(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object, **__: object) -> None:
        each = [ConnectionRefusedError("Connection refused"), OSError("No route to host")]
        raise OSError("All connection attempts failed") from ExceptionGroup("all", each)

    monkeypatch.setattr(anyio, "connect_tcp", refused)
    result = service.dasp("doctor")
    assert "bad      TCP: Connection refused" in result.stdout.splitlines()


def test_a_host_that_nobody_knows_is_a_matter_of_dns(service: Service) -> None:
    result = service.dasp("doctor", "--endpoint", "https://dasp.invalid/1.0/customerapi.asmx")
    assert result.exit_code == ExitCode.FAILED
    assert found(result.stdout)[:2] == [("bad", "DNS"), ("skipped", "key")]


def test_a_step_that_takes_too_long_is_bad(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "STEP_LIMIT", 0.0)
    result = service.dasp("doctor")
    assert found(result.stdout)[0] == ("bad", "DNS")
    assert "nothing within 0 s" in result.stdout


@pytest.fixture
def authority(tmp_path: Path) -> tuple[trustme.CA, Path]:
    """Who signs certificates, and a file that names them."""
    authority, path = trustme.CA(), tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return authority, path


def test_tls_is_tried_with_the_authorities_that_a_client_trusts(
    service: Service, authority: tuple[trustme.CA, Path]
) -> None:
    by_whom, path = authority
    with RawServer(replies(answer()), tls=certified(by_whom)) as server:
        trusted = service.dasp("doctor", "--endpoint", server.url, SSL_CERT_FILE=str(path))
        strange = service.dasp("doctor", "--endpoint", server.url)
    assert found(trusted.stdout)[2] == ("ok", "TLS")
    assert "TLSv1.3, with a certificate until " in trusted.stdout
    assert found(strange.stdout)[2] == ("bad", "TLS")
    assert "CERTIFICATE_VERIFY_FAILED" in strange.stdout
    assert "SSL_CERT_FILE names whom to trust" in strange.stdout


@pytest.mark.parametrize("name", ["https_proxy", "all_proxy"])
def test_a_way_through_a_proxy_is_not_tried_step_by_step(service: Service, name: str) -> None:
    result = service.dasp(
        "doctor",
        *("--endpoint", "https://dasp.invalid/"),
        **{name: "http://user:secret-of-theirs@127.0.0.1:9"},
    )
    assert found(result.stdout)[:2] == [("skipped", "DNS, TCP, TLS"), ("bad", "endpoint")]
    assert "secret-of-theirs" not in result.output


def test_no_proxy_is_on_the_way_to_plain_http(service: Service) -> None:
    result = service.dasp("doctor", http_proxy="http://127.0.0.1:9")
    assert found(result.stdout)[0] == ("ok", "DNS")


def test_a_host_that_can_be_no_name_is_bad(service: Service) -> None:
    result = service.dasp("doctor", "--endpoint", f"https://{'a' * 64}.é.example/")
    assert found(result.stdout)[0] == ("bad", "DNS")


@pytest.mark.parametrize(
    ("apart", "verdict", "finding"),
    [
        (0.0, Verdict.GOOD, "0 s before the service's"),
        (59.6, Verdict.GOOD, "60 s after the service's"),
        (-60.0, Verdict.GOOD, "60 s before the service's"),
        (61.0, Verdict.BAD, "61 s after the service's"),
        (-3600.0, Verdict.BAD, "3600 s before the service's"),
    ],
)
def test_the_clock_may_be_a_minute_off(apart: float, verdict: Verdict, finding: str) -> None:
    check = clock_against(NOW, NOW + timedelta(seconds=apart))
    assert (check.verdict, check.finding) == (verdict, finding)
    assert bool(check.advice) == (verdict is Verdict.BAD)


def test_a_service_that_says_no_time_leaves_the_clock_alone() -> None:
    assert clock_against(None, NOW).verdict is Verdict.SKIPPED


def test_a_wrong_endpoint_is_a_usage_error(service: Service) -> None:
    result = service.dasp("doctor", "--endpoint", "http://example.com/")
    assert (result.exit_code, "endpoint must be https" in result.stderr) == (2, True)
