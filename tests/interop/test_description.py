"""The WSDL that the live runtime makes, as the client reads it and as the fake writes it."""

from __future__ import annotations

import httpx
import pytest
from lxml import etree

from dasp_async import CustomerApi, SoapVersion
from dasp_async.cli.exits import ExitCode
from dasp_async.drift import Drift, drift
from dasp_async.testing import FakeCustomerApi
from tests.commands import Service
from tests.interop.mono import MonoService

BACKUP = "Sql2012CreateBackup(key: string, databaseName: string) -> guid"


async def test_the_contract_has_not_drifted(mono: MonoService) -> None:
    async with CustomerApi("test-key", endpoint=mono.url) as api:
        assert drift(await api.describe()) == Drift(changed=(), new=(BACKUP,))


async def test_every_operation_can_be_called(mono: MonoService) -> None:
    async with CustomerApi("test-key", endpoint=mono.echo_url) as api:
        operations = (await api.describe()).operations
    assert {each.problem for each in operations.values()} == {None}
    assert {each.versions for each in operations.values()} == {frozenset(SoapVersion)}
    signatures = {each.signature for each in operations.values()}
    assert signatures == {
        "EchoString(key: string, value: string) -> string",
        "EchoInt(key: string, value: int) -> int",
        "EchoLong(key: string, value: long) -> long",
        "EchoDecimal(key: string, value: decimal) -> decimal",
        "EchoDouble(key: string, value: double) -> double",
        "EchoBoolean(key: string, value: boolean) -> boolean",
        "EchoDateTime(key: string, value: dateTime) -> dateTime",
        "EchoGuid(key: string, value: guid) -> guid",
        "EchoBytes(key: string, value: base64Binary) -> base64Binary",
        "EchoColour(key: string, value: Colour) -> Colour",
        "EchoNullable(key: string, value: int) -> int",
        "EchoStrings(key: string, value: string[]) -> string[]",
        "EchoInts(key: string, value: int[]) -> int[]",
        "EchoThings(key: string, value: Thing[]) -> Thing[]",
        "CodeUnits(key: string, value: string) -> string",
        (
            "EchoRow(key: string, text: string, number: int, amount: decimal, moment: dateTime, "
            "flag: boolean, guid: guid, bytes: base64Binary) -> DataSet"
        ),
    }


def test_dasp_doctor_finds_nothing_wrong(
    mono: MonoService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    result = Service(FakeCustomerApi(), mono.url).dasp("doctor", "--with-key")
    assert result.exit_code == ExitCode.DONE, result.output
    assert "WSDL: all 6 known operations are in it" in result.stdout
    assert "bad" not in {line.split()[0] for line in result.stdout.splitlines()}


def canonical(document: bytes, address: str) -> str:
    """A WSDL without the white space between its elements, and wherever it is served."""
    root = etree.fromstring(document, etree.XMLParser(remove_blank_text=True))
    text = etree.tostring(root, encoding="unicode").replace(address, "http://127.0.0.1/")
    return etree.canonicalize(text)


async def test_the_fake_has_the_same_wsdl(mono: MonoService) -> None:
    transport = httpx.ASGITransport(app=FakeCustomerApi())
    async with httpx.AsyncClient(transport=transport) as fake, httpx.AsyncClient() as live:
        of_fake = await fake.get(f"{mono.url}?WSDL")
        of_live = await live.get(f"{mono.url}?wsdl")
    assert of_fake.headers["content-type"] == of_live.headers["content-type"]
    assert canonical(of_fake.content, mono.url) == canonical(of_live.content, mono.url)
