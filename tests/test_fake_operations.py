"""`FakeCustomerApi`: each operation of the known service, what it answers and what it changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest

from dasp_async import SoapFault
from dasp_async.models import BandwidthUsage, SmAlias
from dasp_async.testing import FakeClock, FakeCustomerApi, Mailbox
from tests.test_fake_service import KEY, PROCESS, READ, api_of, envelope, fault_of, post

PASSWORD = "a-test-password"
DAY = datetime(2026, 3, 14)  # noqa: DTZ001 - of no known zone
EAST = timezone(timedelta(hours=5, minutes=30))
VERSIONS = pytest.mark.parametrize("version", ["1.1", "1.2"])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def fake(clock: FakeClock) -> FakeCustomerApi:
    return FakeCustomerApi(KEY, clock=clock)


def call(operation: str, parameters: str) -> bytes:
    return envelope(
        f'<{operation} xmlns="http://api.discountasp.net/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<key>{KEY}</key>{parameters}</{operation}>"
    )


async def answered(fake: FakeCustomerApi, operation: str, parameters: str) -> str:
    """What stands in the body of the answer."""
    answer = await post(fake, call(operation, parameters))
    assert answer.status_code == 200
    return body_of(answer)


def body_of(answer: httpx.Response) -> str:
    return answer.text.partition("<soap:Body>")[2].partition("</soap:Body>")[0]


ALIAS = "<domainName>example.com</domainName><aliasName>info</aliasName>"
USER = (
    f"<domainName>example.com</domainName><userName>jane</userName><password>{PASSWORD}</password>"
)


# --- mailboxes --------------------------------------------------------------------------------


@VERSIONS
async def test_a_user_is_added(fake: FakeCustomerApi, clock: FakeClock, version: str) -> None:
    async with api_of(fake, clock, version=version) as api:
        await api.sm_add_user(
            "example.com",
            "jane",
            PASSWORD,
            first_name="Jane",
            last_name="Doe",
            max_mailbox_size_in_mb=250,
        )
    (mailbox,) = fake.mailboxes
    assert mailbox.password.reveal() == PASSWORD
    assert mailbox == Mailbox(
        domain_name="example.com",
        user_name="jane",
        password=mailbox.password,
        first_name="Jane",
        last_name="Doe",
        max_mailbox_size_in_mb=250,
    )


async def test_a_password_is_shown_nowhere(fake: FakeCustomerApi) -> None:
    answer = await answered(fake, "SMAddUser", USER)
    assert answer == '<SMAddUserResponse xmlns="http://api.discountasp.net/" />'
    (received,) = fake.calls
    assert received.parameters["password"].reveal() == PASSWORD
    assert received.parameters["userName"] == "jane"
    assert PASSWORD not in repr(fake.calls) + repr(fake.mailboxes) + repr(vars(fake))


async def test_what_is_missing_of_a_user_is_null_or_0(fake: FakeCustomerApi) -> None:
    await answered(fake, "SMAddUser", USER + "<maxMailBoxSizeInMB>250</maxMailBoxSizeInMB>")
    (mailbox,) = fake.mailboxes
    assert (mailbox.first_name, mailbox.last_name) == (None, None)
    assert mailbox.max_mailbox_size_in_mb == 0


# --- aliases ----------------------------------------------------------------------------------


@VERSIONS
async def test_aliases_are_added_replaced_and_listed(
    fake: FakeCustomerApi, clock: FakeClock, version: str
) -> None:
    async with api_of(fake, clock, version=version) as api:
        await api.sm_add_alias("example.com", "info", ["a@example.com", "b@example.com"])
        await api.sm_add_alias("example.com", "nobody", [])
        await api.sm_add_alias("example.net", "info", ["c@example.com"])
        await api.sm_update_alias_addresses("example.com", "info", ["d@example.com"])
        listed = await api.sm_get_all_aliases("example.com")
    assert listed == [
        SmAlias("info@example.com", ("d@example.com",)),
        SmAlias("nobody@example.com", ()),
    ]
    assert fake.aliases == {
        "info@example.com": ("d@example.com",),
        "nobody@example.com": (),
        "info@example.net": ("c@example.com",),
    }
    assert fake.calls[0].parameters["addresses"] == ["a@example.com", "b@example.com"]


async def test_a_domain_with_a_mailbox_can_have_no_aliases(fake: FakeCustomerApi) -> None:
    await answered(fake, "SMAddUser", USER)
    listed = await answered(fake, "SMGetAllAliases", "<domainName>example.com</domainName>")
    assert "<SMGetAllAliasesResult />" in listed


async def test_aliases_on_the_wire(fake: FakeCustomerApi) -> None:
    addresses = '<string>a@example.com</string><string xsi:nil="true" /><string />'
    added = await answered(fake, "SMAddAlias", f"{ALIAS}<addresses>{addresses}</addresses>")
    assert added == '<SMAddAliasResponse xmlns="http://api.discountasp.net/" />'
    listed = await answered(fake, "SMGetAllAliases", "<domainName>example.com</domainName>")
    assert listed == (
        '<SMGetAllAliasesResponse xmlns="http://api.discountasp.net/"><SMGetAllAliasesResult>'
        "<SMAlias><EmailAddress>info@example.com</EmailAddress>"
        f"<Addresses>{addresses}</Addresses></SMAlias>"
        "</SMGetAllAliasesResult></SMGetAllAliasesResponse>"
    )


@pytest.mark.parametrize(
    "parameter",
    [
        "",
        "<newAddresses />",
        '<newAddresses xsi:nil="true"><string>b@example.com</string></newAddresses>',
        "<addresses><string>b@example.com</string></addresses>",
        '<newAddresses xmlns="urn:other"><string>b@example.com</string></newAddresses>',
        '<newAddresses><string xmlns="">b@example.com</string><address>c</address></newAddresses>',
    ],
)
async def test_addresses_that_are_not_found_empty_the_alias(
    fake: FakeCustomerApi, parameter: str
) -> None:
    await answered(fake, "SMAddAlias", f"{ALIAS}<addresses><string>a</string></addresses>")
    updated = await answered(fake, "SMUpdateAliasAddresses", ALIAS + parameter)
    assert updated == '<SMUpdateAliasAddressesResponse xmlns="http://api.discountasp.net/" />'
    assert fake.aliases == {"info@example.com": ()}


async def test_the_items_of_an_array_are_read_between_others(fake: FakeCustomerApi) -> None:
    mixed = "text<string>a</string>text<!-- --><String>b</String><string>c</string>"
    await answered(fake, "SMAddAlias", f"{ALIAS}<addresses>{mixed}</addresses>")
    assert fake.aliases == {"info@example.com": ("a", "c")}


async def test_an_item_with_markup_in_it_is_not_read(fake: FakeCustomerApi) -> None:
    parameters = f"{ALIAS}<addresses><string>a<b /></string></addresses>"
    answer = await post(fake, call("SMAddAlias", parameters))
    assert (answer.status_code, answer.content) == (400, b"")
    assert fake.aliases == {}


@pytest.mark.parametrize(
    ("operation", "parameters", "reason"),
    [
        ("SMAddUser", USER, "The user exists already."),
        ("SMAddUser", USER.replace("domainName", "domain"), "domainName is missing."),
        ("SMAddUser", USER.replace("userName", "username"), "userName is missing."),
        ("SMAddUser", USER.replace("password", "Password"), "password is missing."),
        ("SMAddAlias", ALIAS, "The alias exists already."),
        ("SMAddAlias", ALIAS.replace("aliasName", "alias"), "aliasName is missing."),
        ("SMAddAlias", ALIAS.replace("domainName", "domain"), "domainName is missing."),
        ("SMUpdateAliasAddresses", ALIAS.replace("info", "other"), "Alias not found."),
        ("SMUpdateAliasAddresses", ALIAS.replace("example.com", "x"), "Alias not found."),
        ("SMGetAllAliases", "<domainName>example.net</domainName>", "Domain not found."),
        ("SMGetAllAliases", "<domain>example.com</domain>", "Domain not found."),
    ],
)
async def test_what_cannot_be_done_gets_a_fault_and_changes_nothing(
    fake: FakeCustomerApi, operation: str, parameters: str, reason: str
) -> None:
    await answered(fake, "SMAddUser", USER)
    await answered(fake, "SMAddAlias", f"{ALIAS}<addresses><string>a</string></addresses>")
    before = (fake.mailboxes, fake.aliases)
    answer = await post(fake, call(operation, parameters))
    assert fault_of(answer) == ("soap:Receiver", PROCESS + reason)
    assert (fake.mailboxes, fake.aliases) == before


# --- bandwidth --------------------------------------------------------------------------------


@VERSIONS
async def test_bandwidth_is_told_by_range_and_in_order(
    fake: FakeCustomerApi, clock: FakeClock, version: str
) -> None:
    fake.add_bandwidth(DAY + timedelta(days=2), None)
    fake.add_bandwidth(DAY + timedelta(days=3), 9)
    fake.add_bandwidth(DAY.date(), Decimal("1.50"))
    fake.add_bandwidth((DAY + timedelta(days=1)).replace(tzinfo=EAST), 7)
    fake.add_bandwidth(DAY - timedelta(seconds=1), 9)
    async with api_of(fake, clock, version=version) as api:
        usage = await api.bandwidth_get_usage(DAY.date(), DAY.date() + timedelta(days=2))
    assert usage == [
        BandwidthUsage(DAY, Decimal("1.50")),
        BandwidthUsage((DAY + timedelta(days=1)).replace(tzinfo=EAST), Decimal(7)),
        BandwidthUsage(DAY + timedelta(days=2), None),
    ]


async def test_bandwidth_on_the_wire(fake: FakeCustomerApi) -> None:
    fake.add_bandwidth(DAY.replace(tzinfo=EAST), Decimal("1E+3"))
    fake.add_bandwidth(DAY.replace(hour=1, tzinfo=UTC), None)
    dates = "<startDate>2026-03-14T00:00:00</startDate><endDate>2026-03-15T00:00:00</endDate>"
    assert await answered(fake, "BandwidthGetUsage", dates) == (
        '<BandwidthGetUsageResponse xmlns="http://api.discountasp.net/"><BandwidthGetUsageResult>'
        '<xs:schema id="NewDataSet" xmlns="" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        'xmlns:msdata="urn:schemas-microsoft-com:xml-msdata">'
        '<xs:element name="NewDataSet" msdata:IsDataSet="true" msdata:UseCurrentLocale="true">'
        '<xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded">'
        '<xs:element name="UsageSummary"><xs:complexType><xs:sequence>'
        '<xs:element name="UseDate" type="xs:dateTime" minOccurs="0" />'
        '<xs:element name="Quantity" type="xs:decimal" minOccurs="0" />'
        "</xs:sequence></xs:complexType></xs:element></xs:choice></xs:complexType></xs:element>"
        '</xs:schema><diffgr:diffgram xmlns:msdata="urn:schemas-microsoft-com:xml-msdata" '
        'xmlns:diffgr="urn:schemas-microsoft-com:xml-diffgram-v1"><NewDataSet xmlns="">'
        '<UsageSummary diffgr:id="UsageSummary1" msdata:rowOrder="0">'
        "<UseDate>2026-03-14T00:00:00+05:30</UseDate><Quantity>1000</Quantity></UsageSummary>"
        '<UsageSummary diffgr:id="UsageSummary2" msdata:rowOrder="1">'
        "<UseDate>2026-03-14T01:00:00Z</UseDate></UsageSummary>"
        "</NewDataSet></diffgr:diffgram></BandwidthGetUsageResult></BandwidthGetUsageResponse>"
    )


async def test_a_date_that_is_missing_is_the_first_of_all(fake: FakeCustomerApi) -> None:
    fake.add_bandwidth(DAY, 1)
    both = await answered(fake, "BandwidthGetUsage", "")
    assert "UsageSummary1" not in both
    start = await answered(fake, "BandwidthGetUsage", "<endDate>2026-03-14T00:00:00Z</endDate>")
    assert "UsageSummary1" in start


@pytest.mark.parametrize(
    ("use_date", "quantity", "named"),
    [
        ("2026-03-14", 1, "use_date must be date, not str"),
        (None, 1, "use_date must be date, not NoneType"),
        (date(2026, 3, 14), 1.5, "quantity must be .*, not float"),
        (date(2026, 3, 14), True, "quantity must be .*, not bool"),
    ],
    ids=repr,
)
def test_bandwidth_of_a_wrong_kind_is_refused(
    fake: FakeCustomerApi, use_date: Any, quantity: Any, named: str
) -> None:
    with pytest.raises(TypeError, match=f"^{named}"):
        fake.add_bandwidth(use_date, quantity)


# --- texts that are of no type ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "parameter", "text", "problem"),
    [
        ("SMAddUser", "maxMailboxSizeInMB", "", "Input string was not in a correct format."),
        ("SMAddUser", "maxMailboxSizeInMB", "1.0", "Input string was not in a correct format."),
        ("SMAddUser", "maxMailboxSizeInMB", "1 000", "Input string was not in a correct format."),
        (
            "SMAddUser",
            "maxMailboxSizeInMB",
            "2147483648",
            "Value was either too large or too small for an Int32.",
        ),
        (
            "BandwidthGetUsage",
            "startDate",
            "yesterday",
            "The string 'yesterday' is not a valid AllXsd value.",
        ),
        ("BandwidthGetUsage", "endDate", "", "The string '' is not a valid AllXsd value."),
    ],
)
async def test_a_text_of_another_type_is_a_fault_of_the_clients(
    fake: FakeCustomerApi, operation: str, parameter: str, text: str, problem: str
) -> None:
    body = call(operation, f"{USER}<{parameter}>{text}</{parameter}>")
    position = body.index(f"</{operation}>".encode()) + 3
    assert fault_of(await post(fake, body)) == (
        "soap:Sender",
        f"{READ}There is an error in XML document (1, {position}). ---> {problem}",
    )
    assert fake.mailboxes == ()


@pytest.mark.parametrize(
    ("text", "number"), [(" -5\n", -5), ("+007", 7), ("2147483647", 2**31 - 1)]
)
async def test_a_whole_number_is_read_as_dot_net_does(
    fake: FakeCustomerApi, text: str, number: int
) -> None:
    await answered(fake, "SMAddUser", f"{USER}<maxMailboxSizeInMB>{text}</maxMailboxSizeInMB>")
    assert [each.max_mailbox_size_in_mb for each in fake.mailboxes] == [number]


async def test_faults_of_operations_are_told_to_the_client(
    fake: FakeCustomerApi, clock: FakeClock
) -> None:
    async with api_of(fake, clock) as api:
        with pytest.raises(SoapFault, match=r"Alias not found\.$"):
            await api.sm_update_alias_addresses("example.com", "info", ["a@example.com"])
