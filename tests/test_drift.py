"""Each way in which a service can differ from the contract is one clear line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from dasp_async.drift import Drift, drift
from dasp_async.operations import NAMESPACE, OPERATIONS
from dasp_async.soap import SoapVersion
from dasp_async.wsdl import OperationDescription, ServiceDescription
from dasp_async.xsd import (
    DATA_SET,
    DATE_TIME,
    GUID,
    INT,
    STRING,
    ArrayType,
    Element,
    OpaqueType,
    RecordType,
    XsdType,
)

KEY: Final = Element("key", STRING)


def array(item: str, kind: XsdType) -> ArrayType:
    return ArrayType.of(Element(item, kind, nillable=True))


STRINGS: Final = array("string", STRING)


def job_status(*members: Element) -> RecordType:
    return RecordType("JobStatus", members)


JOB_MEMBERS: Final = (
    Element("JobName", STRING),
    Element("Status", STRING),
    Element("StartDateTime", DATE_TIME, required=True),
    Element("CompletedDateTime", DATE_TIME, required=True),
    Element("ErrorMessage", STRING),
)
ALIAS_MEMBERS: Final = (Element("EmailAddress", STRING), Element("Addresses", STRINGS))


def aliases(*members: Element, item: str = "SMAlias") -> ArrayType:
    return array(item, RecordType("SMAlias", members))


# Parameters after the key, and the result, as the service's help pages have them
CONTRACT: Final[dict[str, tuple[list[Element], XsdType | None]]] = {
    "GetJobStatus": ([Element("jobId", GUID, required=True)], job_status(*JOB_MEMBERS)),
    "BandwidthGetUsage": (
        [Element("startDate", DATE_TIME), Element("endDate", DATE_TIME)],
        DATA_SET,
    ),
    "SMAddUser": (
        [
            *(Element(name, STRING) for name in ("domainName", "userName", "password")),
            *(Element(name, STRING) for name in ("firstName", "lastName")),
            Element("maxMailboxSizeInMB", INT),
        ],
        None,
    ),
    "SMAddAlias": (
        [
            Element("domainName", STRING),
            Element("aliasName", STRING),
            Element("addresses", STRINGS),
        ],
        None,
    ),
    "SMUpdateAliasAddresses": (
        [
            Element("domainName", STRING),
            Element("aliasName", STRING),
            Element("newAddresses", STRINGS),
        ],
        None,
    ),
    "SMGetAllAliases": ([Element("domainName", STRING)], aliases(*ALIAS_MEMBERS)),
}


def described(name: str, parameters: list[Element], result: XsdType | None) -> OperationDescription:
    return OperationDescription(
        name=name,
        documentation="",
        parameters=(KEY, *parameters),
        results=() if result is None else (Element(f"{name}Result", result),),
        soap_action=NAMESPACE + name,
        versions=frozenset(SoapVersion),
    )


OPERATION: Final = {name: described(name, *parts) for name, parts in CONTRACT.items()}


def service(namespace: str = NAMESPACE, **changed: OperationDescription | None) -> Drift:
    """The drift of a service in which these operations are otherwise, or gone."""
    operations = {**OPERATION, **changed}
    return drift(
        ServiceDescription(
            namespace=namespace,
            operations={name: each for name, each in operations.items() if each is not None},
        )
    )


def test_the_contract_itself_has_not_drifted() -> None:
    assert set(CONTRACT) == {known.name for known in OPERATIONS}
    assert service() == Drift(changed=(), new=())


def parameters(name: str, *elements: Element) -> OperationDescription:
    """An operation with other parameters."""
    return replace(OPERATION[name], parameters=elements)


def result(name: str, kind: XsdType) -> OperationDescription:
    """An operation with another result."""
    return replace(OPERATION[name], results=(Element(f"{name}Result", kind),))


DOMAIN: Final = Element("domainName", STRING)
ALIAS: Final = Element("aliasName", STRING)
NOT_READ: Final = OpaqueType("string[]", "comes repeatedly, with no element around it")

# What is otherwise, and the line that says so
CHANGED: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "namespace": (
        {"namespace": "http://tempuri.org/"},
        "the namespace is http://tempuri.org/, not http://api.discountasp.net/",
    ),
    "operation gone": ({"SMAddUser": None}, "SMAddUser is gone"),
    "unreadable": (
        {"SMAddUser": replace(OPERATION["SMAddUser"], problem="it has no output")},
        "SMAddUser: it can't be called: it has no output",
    ),
    "SOAPAction": (
        {"SMAddUser": replace(OPERATION["SMAddUser"], soap_action="urn:x")},
        (
            "SMAddUser: it can't be called: its SOAPAction is urn:x, "
            "not http://api.discountasp.net/SMAddUser"
        ),
    ),
    "key not first": (
        {"SMGetAllAliases": parameters("SMGetAllAliases", DOMAIN, KEY)},
        "SMGetAllAliases: it can't be called: its first parameter is not the key",
    ),
    "SOAP 1.1": (
        {"SMAddUser": replace(OPERATION["SMAddUser"], versions=frozenset({SoapVersion.SOAP_1_2}))},
        "SMAddUser: it is not offered in SOAP 1.1",
    ),
    "SOAP 1.2": (
        {"SMAddUser": replace(OPERATION["SMAddUser"], versions=frozenset({SoapVersion.SOAP_1_1}))},
        "SMAddUser: it is not offered in SOAP 1.2",
    ),
    "parameter gone": (
        {"SMGetAllAliases": parameters("SMGetAllAliases", KEY)},
        "SMGetAllAliases: parameter domainName is gone",
    ),
    "parameter renamed": (
        {"SMGetAllAliases": parameters("SMGetAllAliases", KEY, Element("domain", STRING))},
        "SMGetAllAliases: parameter domainName is called domain",
    ),
    "parameter retyped": (
        {"SMGetAllAliases": parameters("SMGetAllAliases", KEY, Element("domainName", INT))},
        "SMGetAllAliases: parameter domainName is of type int, not string",
    ),
    "parameter added": (
        {"SMGetAllAliases": parameters("SMGetAllAliases", KEY, DOMAIN, Element("page", INT))},
        "SMGetAllAliases: parameter page: int is new, and is not sent",
    ),
    "parameters reordered": (
        {"SMAddAlias": parameters("SMAddAlias", KEY, ALIAS, DOMAIN, Element("addresses", STRINGS))},
        "SMAddAlias: the order is key, aliasName, domainName, addresses",
    ),
    "text instead of array": (
        {"SMAddAlias": parameters("SMAddAlias", KEY, DOMAIN, ALIAS, Element("addresses", STRING))},
        "SMAddAlias: parameter addresses is of type string, not string[]",
    ),
    "array without an element around it": (
        {
            "SMAddAlias": parameters(
                "SMAddAlias", KEY, DOMAIN, ALIAS, Element("addresses", NOT_READ)
            )
        },
        (
            "SMAddAlias: parameter addresses is of type string[], which comes repeatedly, with no "
            "element around it, not string[]"
        ),
    ),
    "item renamed": (
        {
            "SMAddAlias": parameters(
                "SMAddAlias", KEY, DOMAIN, ALIAS, Element("addresses", array("address", STRING))
            )
        },
        "SMAddAlias: parameter addresses: item string is called address",
    ),
    "item retyped": (
        {
            "SMAddAlias": parameters(
                "SMAddAlias", KEY, DOMAIN, ALIAS, Element("addresses", array("string", INT))
            )
        },
        "SMAddAlias: parameter addresses: item string is of type int, not string",
    ),
    "result gone": (
        {"GetJobStatus": replace(OPERATION["GetJobStatus"], results=())},
        "GetJobStatus: GetJobStatusResult is gone",
    ),
    "result retyped": (
        {"GetJobStatus": result("GetJobStatus", STRING)},
        "GetJobStatus: GetJobStatusResult is of type string, not record",
    ),
    "DataSet retyped": (
        {"BandwidthGetUsage": result("BandwidthGetUsage", STRING)},
        "BandwidthGetUsage: BandwidthGetUsageResult is of type string, not DataSet",
    ),
    "record instead of array": (
        {"SMGetAllAliases": result("SMGetAllAliases", RecordType("SMAlias", ALIAS_MEMBERS))},
        "SMGetAllAliases: SMGetAllAliasesResult is of type SMAlias, not record[]",
    ),
    "record's name in the result's array": (
        {"SMGetAllAliases": result("SMGetAllAliases", aliases(*ALIAS_MEMBERS, item="Alias"))},
        "SMGetAllAliases: SMGetAllAliasesResult: item SMAlias is called Alias",
    ),
    "member gone": (
        {"GetJobStatus": result("GetJobStatus", job_status(*JOB_MEMBERS[:4]))},
        "GetJobStatus: GetJobStatusResult: ErrorMessage is gone",
    ),
    "member renamed": (
        {
            "GetJobStatus": result(
                "GetJobStatus", job_status(*JOB_MEMBERS[:4], Element("Error", STRING))
            )
        },
        "GetJobStatus: GetJobStatusResult: ErrorMessage is called Error",
    ),
    "member retyped": (
        {
            "GetJobStatus": result(
                "GetJobStatus", job_status(*JOB_MEMBERS[:4], Element("ErrorMessage", INT))
            )
        },
        "GetJobStatus: GetJobStatusResult: ErrorMessage is of type int, not string",
    ),
    "members reordered": (
        {"GetJobStatus": result("GetJobStatus", job_status(*reversed(JOB_MEMBERS)))},
        (
            "GetJobStatus: GetJobStatusResult: the order is ErrorMessage, CompletedDateTime, "
            "StartDateTime, Status, JobName"
        ),
    ),
    "member of an array's record gone": (
        {"SMGetAllAliases": result("SMGetAllAliases", aliases(*ALIAS_MEMBERS[:1]))},
        "SMGetAllAliases: SMGetAllAliasesResult: item SMAlias: Addresses is gone",
    ),
    "item of a member retyped": (
        {
            "SMGetAllAliases": result(
                "SMGetAllAliases",
                aliases(ALIAS_MEMBERS[0], Element("Addresses", array("string", INT))),
            )
        },
        (
            "SMGetAllAliases: SMGetAllAliasesResult: item SMAlias: Addresses: item string is of "
            "type int, not string"
        ),
    ),
}


@pytest.mark.parametrize("case", CHANGED)
def test_what_has_changed(case: str) -> None:
    changes, line = CHANGED[case]
    assert service(**changes) == Drift(changed=(line,), new=())


NEW: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "operation": (
        {"New": described("New", [Element("days", INT)], GUID)},
        "New(key: string, days: int) -> guid",
    ),
    "unreadable operation": (
        {"New": replace(described("New", [], GUID), problem="it has no output")},
        "New: it has no output",
    ),
    "result": (
        {
            "SMAddAlias": replace(
                OPERATION["SMAddAlias"], results=(Element("SMAddAliasResult", INT),)
            )
        },
        "SMAddAlias: SMAddAliasResult: int is new",
    ),
    "member": (
        {"GetJobStatus": result("GetJobStatus", job_status(Element("Id", GUID), *JOB_MEMBERS))},
        "GetJobStatus: GetJobStatusResult: Id: guid is new",
    ),
    "member of an array's record": (
        {"SMGetAllAliases": result("SMGetAllAliases", aliases(*ALIAS_MEMBERS, Element("Id", INT)))},
        "SMGetAllAliases: SMGetAllAliasesResult: item SMAlias: Id: int is new",
    ),
}


@pytest.mark.parametrize("case", NEW)
def test_what_is_new(case: str) -> None:
    changes, line = NEW[case]
    assert service(**changes) == Drift(changed=(), new=(line,))


def test_several_changes_are_several_lines() -> None:
    found = service(
        SMAddUser=None,
        SMGetAllAliases=parameters("SMGetAllAliases", KEY, Element("a", INT), Element("b", INT)),
        New=described("New", [], None),
    )
    assert found == Drift(
        changed=(
            "SMAddUser is gone",
            "SMGetAllAliases: parameter domainName is gone",
            "SMGetAllAliases: parameter a: int is new, and is not sent",
            "SMGetAllAliases: parameter b: int is new, and is not sent",
        ),
        new=("New(key: string) -> nothing",),
    )
