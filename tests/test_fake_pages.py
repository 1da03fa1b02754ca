"""`FakeCustomerApi`: the help pages and the WSDL of its operations."""

from __future__ import annotations

import html
import re

import pytest
from lxml import etree

from dasp_async.testing import INT, KEY, ArrayType, Element, FakeCustomerApi, Operation
from tests.test_fake_service import ENDPOINT, request

NAMESPACE = "http://api.discountasp.net/"


async def samples_of(fake: FakeCustomerApi, operation: str) -> list[str]:
    """What a help page shows between the body's tags: request and response, of each version."""
    page = await request(fake, url=f"{ENDPOINT}?op={operation}")
    bodies = re.findall(r"<soap(?:12)?:Body>\n(.*?)\n  </soap", html.unescape(page.text), re.DOTALL)
    return [str(body) for body in bodies]


async def test_help_pages_show_arrays_records_and_empty_responses() -> None:
    fake = FakeCustomerApi()
    add = (
        f'    <SMAddAlias xmlns="{NAMESPACE}">\n'
        "      <key>string</key>\n"
        "      <domainName>string</domainName>\n"
        "      <aliasName>string</aliasName>\n"
        "      <addresses>\n"
        "        <string>string</string>\n"
        "        <string>string</string>\n"
        "      </addresses>\n"
        "    </SMAddAlias>"
    )
    added = f'    <SMAddAliasResponse xmlns="{NAMESPACE}" />'
    assert await samples_of(fake, "SMAddAlias") == [add, added] * 2
    alias = (
        "        <SMAlias>\n"
        "          <EmailAddress>string</EmailAddress>\n"
        "          <Addresses>\n"
        "            <string>string</string>\n"
        "            <string>string</string>\n"
        "          </Addresses>\n"
        "        </SMAlias>\n"
    )
    assert (await samples_of(fake, "SMGetAllAliases"))[1] == (
        f'    <SMGetAllAliasesResponse xmlns="{NAMESPACE}">\n'
        f"      <SMGetAllAliasesResult>\n{alias}{alias}      </SMGetAllAliasesResult>\n"
        "    </SMGetAllAliasesResponse>"
    )
    assert (
        "<maxMailboxSizeInMB>int</maxMailboxSizeInMB>" in (await samples_of(fake, "SMAddUser"))[0]
    )


async def test_help_pages_show_data_sets() -> None:
    asked, told = (await samples_of(FakeCustomerApi(), "BandwidthGetUsage"))[:2]
    assert "<startDate>dateTime</startDate>" in asked
    assert told == (
        f'    <BandwidthGetUsageResponse xmlns="{NAMESPACE}">\n'
        "      <BandwidthGetUsageResult>\n"
        "        <xsd:schema>schema</xsd:schema>xml</BandwidthGetUsageResult>\n"
        "    </BandwidthGetUsageResponse>"
    )


async def test_the_list_shows_all_operations() -> None:
    page = (await request(FakeCustomerApi())).text
    assert re.findall(r'"\?op=(\w+)"', page) == [
        "GetJobStatus",
        "Sql2012CreateBackup",
        "BandwidthGetUsage",
        "SMAddUser",
        "SMAddAlias",
        "SMUpdateAliasAddresses",
        "SMGetAllAliases",
    ]


async def schema_of(fake: FakeCustomerApi) -> etree._Element:
    document = etree.fromstring((await request(fake, url=f"{ENDPOINT}?WSDL")).content)
    schema = document.find("{*}types/{*}schema")
    assert schema is not None
    return schema


async def test_the_wsdl_has_each_type_once_after_the_first_element_that_needs_it() -> None:
    names = [str(child.get("name")) for child in await schema_of(FakeCustomerApi())][1:]
    assert names[names.index("SMAddUser") :] == [
        "SMAddUser",
        "SMAddUserResponse",
        "SMAddAlias",
        "ArrayOfString",
        "SMAddAliasResponse",
        "SMUpdateAliasAddresses",
        "SMUpdateAliasAddressesResponse",
        "SMGetAllAliases",
        "SMGetAllAliasesResponse",
        "ArrayOfSMAlias",
        "SMAlias",
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("SMAddUserResponse", []),
        (
            "SMAddUser",
            [
                *(
                    (name, "s:string", "0", "1", None)
                    for name in ("key", "domainName", "userName", "password")
                ),
                ("firstName", "s:string", "0", "1", None),
                ("lastName", "s:string", "0", "1", None),
                ("maxMailboxSizeInMB", "s:int", "1", "1", None),
            ],
        ),
        (
            "SMUpdateAliasAddresses",
            [
                ("key", "s:string", "0", "1", None),
                ("domainName", "s:string", "0", "1", None),
                ("aliasName", "s:string", "0", "1", None),
                ("newAddresses", "tns:ArrayOfString", "0", "1", None),
            ],
        ),
        ("ArrayOfString", [("string", "s:string", "0", "unbounded", "true")]),
        (
            "SMGetAllAliasesResponse",
            [("SMGetAllAliasesResult", "tns:ArrayOfSMAlias", "0", "1", None)],
        ),
        ("ArrayOfSMAlias", [("SMAlias", "tns:SMAlias", "0", "unbounded", "true")]),
        (
            "SMAlias",
            [
                ("EmailAddress", "s:string", "0", "1", None),
                ("Addresses", "tns:ArrayOfString", "0", "1", None),
            ],
        ),
    ],
)
async def test_the_wsdl_describes_types(name: str, content: list[tuple[str | None, ...]]) -> None:
    (described,) = (await schema_of(FakeCustomerApi())).findall(f"*[@name='{name}']")
    attributes = ("name", "type", "minOccurs", "maxOccurs", "nillable")
    members = described.iterfind(".//{*}sequence/{*}element")
    assert [tuple(each.get(name) for name in attributes) for each in members] == content
    assert described.find(".//{*}sequence") is not None or content == []


async def test_the_wsdl_has_no_guids_where_there_are_none() -> None:
    parameters = (KEY, Element("numbers", ArrayType(INT)))
    row = Operation("Sum", parameters, INT, lambda _, values: sum(values["numbers"]), writes=False)
    fake = FakeCustomerApi(operations=[row])
    page = (await request(fake, url=f"{ENDPOINT}?WSDL")).text
    assert "s:import" not in page
    assert 'name="guid"' not in page
    (item,) = (await schema_of(fake)).findall("*[@name='ArrayOfInt']/*/*")
    assert (item.get("name"), item.get("nillable")) == ("int", None)
