"""Bad configuration: each public parameter's wrong kinds and values are refused before any I/O."""

from __future__ import annotations

import enum
import inspect
import math
import os
import re
import socket
import sqlite3
import threading
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NoReturn
from unittest import mock
from uuid import UUID

import anyio
import httpx
import httpx2
import pytest
import redis
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lxml import etree
from redis.asyncio import Redis as AsyncRedis

import dasp_async
from dasp_async import (
    NIL,
    CustomerApi,
    DaspError,
    FaultRules,
    JobRules,
    JobState,
    MemoryBudget,
    RedisBudget,
    Schedule,
    SoapVersion,
    SqliteBudget,
    testing,
    to_python,
)
from dasp_async.settings import Settings
from dasp_async.testing import (
    GUID,
    KEY,
    STRING,
    ArrayType,
    DataSetType,
    Delay,
    DroppedConnection,
    Element,
    FakeClock,
    FakeCustomerApi,
    Fault,
    FrequencyLimit,
    JobRecord,
    Operation,
    RawAnswer,
    RecordType,
)

API_KEY = "test-key of a test"
PASSWORD = "test-password of a test"
JOB = UUID("a0000000-0000-0000-0000-000000000711")
LARGEST = 2**53
ODD_OFFSET = datetime(2026, 3, 14, tzinfo=timezone(timedelta(seconds=1)))

Values = st.SearchStrategy[Any]

# --- what is wrong ----------------------------------------------------------------------------


class Colour(enum.Enum):
    """An enumeration that the package knows nothing of."""

    RED = "1.1"


async def coroutine_function(_: object) -> None:
    """Have to be awaited."""


async def asynchronous_generator(_: object) -> Any:
    """Have to be iterated over."""
    yield


class AwaitedCall:
    """Its call has to be awaited."""

    async def __call__(self, _: object) -> None:
        """Do nothing."""


def either(*values: object) -> Values:
    return st.sampled_from(values)


# Python writes out no number so long, so hypothesis must not have it in a strategy's repr.
HUGE: Final[Values] = either(1, -1).map(lambda sign: sign * 10**5000)
# Of all kinds that may be taken for one another
ANYTHING: Final[Values] = st.one_of(
    either(None, True, False, NIL, ..., object(), lambda: None, print, iter(())),
    st.integers(),
    either(0, -1, 2**31, 2**64),
    HUGE,
    st.floats(),
    either(math.nan, math.inf, -math.inf, 5e-324, 1e308),
    st.text(max_size=20),
    either("", "1", "3.5", "RUNNING", "SOAP_1_1", "true", API_KEY, PASSWORD, str(JOB)),
    st.binary(max_size=20),
    st.binary(max_size=5).map(bytearray),
    st.decimals(),
    st.complex_numbers(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.uuids(),
    st.lists(st.integers(), max_size=3),
    st.lists(st.text(max_size=3), max_size=3).map(tuple),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
    st.sets(st.integers(), max_size=3),
    either(*Colour, *JobState, *SoapVersion, Colour, int, object, JobRules, FakeClock, Path),
    either(httpx.Client, httpx.AsyncClient, MemoryBudget),
    either(coroutine_function, asynchronous_generator, AwaitedCall()),
    either(Schedule(), JobRules(), FaultRules(), KEY, STRING, Fault("No.")),
)

WHOLE: Final = st.integers(max_value=-1) | st.integers(min_value=LARGEST + 1) | HUGE
FROM_ONE: Final = WHOLE | either(0)
NOT_FINITE: Final = either(math.nan, math.inf, -math.inf) | HUGE
DURATION: Final[Values] = st.one_of(
    st.floats(max_value=-5e-324, allow_nan=False),
    st.floats(min_value=1e15),
    st.integers(max_value=-1),
    NOT_FINITE,
)
TIMEDELTA: Final[Values] = st.timedeltas(max_value=-timedelta(microseconds=1))
LIMIT: Final = DURATION | TIMEDELTA | either(0, 0.0, -0.0, timedelta())
NOT_NEGATIVE: Final = either(-1, -0.5, -math.inf, math.nan) | HUGE
NOT_XML: Final = either("\0", f"{PASSWORD}\x07", "\ud800", "a\ufffe")
NO_NAME: Final = either("", " ", "a b", "1a", "a:b", "<a>", "a\n", "\ud800")
NO_GUID: Final = st.text(max_size=20) | either(UUID(int=0), str(UUID(int=0)), PASSWORD)
NO_ENDPOINT: Final = either(
    *("", "nonsense", "ftp://a.example/", "//a.example/", "https://", "https:///x", "file:///x"),
    *("http://a.example/", "https://a.example:port/", "https://a.example:99999/", "https://[::1/"),
    *(f"https://user:{PASSWORD}@a.example/", f"https://:{PASSWORD}@[::1/", "https://a.example/ x"),
    *("https://a.example\\x", API_KEY),
)
NO_VERSION: Final = st.text(max_size=5).filter(lambda it: it not in {"1.1", "1.2"}) | either(
    "1.3", "SOAP_1_1", " 1.1", API_KEY
)

# --- the table --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What a parameter may be.

    right: values that are taken; others of the very same types may be, but for those in `wrong`.
    may_be: tells such values, if their type does not. strange: more values of other types.
    other: what is raised for other types. named: what its errors begin with, if not its name.
    """

    right: tuple[Any, ...]
    wrong: Values | None = None
    may_be: Callable[[Any], bool] | None = None
    strange: Values | None = None
    other: type[Exception] = TypeError
    named: str | None = None

    def bad(self) -> st.SearchStrategy[tuple[object, type[Exception]]]:
        """Values that are refused, each with the error that tells it."""
        may_be = self.may_be or self._is_of_a_right_type
        bad = [(ANYTHING.filter(lambda value: not may_be(value)), self.other)]
        bad += [] if self.strange is None else [(self.strange, self.other)]
        bad += [] if self.wrong is None else [(self.wrong, ValueError)]
        return st.one_of(*(st.tuples(values, st.just(error)) for values, error in bad))

    def _is_of_a_right_type(self, value: object) -> bool:
        return any(type(value) is type(each) for each in self.right)


@dataclass(frozen=True)
class Public:
    """A function or constructor: how to call it, what with, and its parameters."""

    call: Callable[..., Any]
    rows: Mapping[str, Row]
    given: Mapping[str, Any]


def public(call: Callable[..., Any], rows: Mapping[str, Row], **given: Any) -> Public:
    return Public(call, rows, given)


def row(*right: Any, wrong: Values | None = None, **more: Any) -> Row:
    return Row(right, wrong, **more)


def is_iterable(value: object) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str | bytes)


def is_function(value: object) -> bool:
    awaited = (coroutine_function, asynchronous_generator)
    return callable(value) and value not in awaited and not isinstance(value, AwaitedCall)


def is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def is_limit(value: object) -> bool:
    return type(value) is int or (type(value) is float and value == math.inf)


def none_or(may_be: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or may_be(value)


def rows_of(*right: Any, wrong: Values | None = None, named: str) -> Row:
    """Of a parameter that is an iterable of rows."""
    return Row(
        right,
        wrong,
        is_iterable,
        either([5], ("x",), {"a": 1}, [None], [Element]),
        named=rf"{named}(\[\d\])?",
    )


def on_the_wire(name: str) -> Row:
    return row("", "x", wrong=NOT_XML, other=ValueError, named=name)


def moment(name: str) -> Row:
    day = date(2026, 3, 1)
    right = (day, datetime(2026, 3, 1, 9, tzinfo=UTC))
    return row(*right, wrong=either(ODD_OFFSET), other=ValueError, named=name)


def addresses(name: str) -> Row:
    def may_be(value: object) -> bool:
        return is_iterable(value) and not isinstance(value, Mapping)

    wrong = either(["x", None], ["\0"], [b"x"], (5,))
    return row([], ("a@a.example",), wrong=wrong, may_be=may_be, other=ValueError, named=name)


def plain(value: object) -> Any:
    """A value as it is, of what a caller without a type checker may pass."""
    return value


FLAG: Final = row(True, False)
NAME: Final = row("Name", "_x", wrong=NO_NAME)
TEXT: Final = row("", "x")
TEXT_OR_NONE: Final = row(None, "", "x")
COUNT: Final = row(1, LARGEST, wrong=FROM_ONE)
COUNT_OR_NONE: Final = row(None, 0, 5, wrong=WHOLE)
CLOCK: Final = row(None, FakeClock())
API_KEY_ROW: Final = row("k", API_KEY, wrong=NOT_XML | either(""))
KEY_OR_NONE: Final = row(None, "k", API_KEY, wrong=NOT_XML | either(""))
TIMEOUT: Final = row(None, 1, 0.5, timedelta(hours=1), wrong=LIMIT)
JOB_ID: Final = row(JOB, str(JOB), JOB.hex, wrong=NO_GUID, other=ValueError)
WORDS: Final = row(
    frozenset({"done"}),
    set(),
    ["Ready"],
    wrong=either({"done", ""}, [" "], ("\t",)),
    may_be=is_iterable,
    strange=either([5], {None}, ["x", b"x"], {1: "x"}),
)
OPERATION: Final = row("NewOperation", wrong=NO_NAME | either("Öffne", "N:w"))
PARAMETERS: Final = row(
    {},
    {"a": None, "b": [1, True], "c": NIL, "password": PASSWORD},
    wrong=either({"": 1}, {1: 2}, {"a b": 1}, {"key": API_KEY}, {"a": {1}}, {"password": object()}),
    may_be=is_mapping,
    named="(parameters|the key|a|password)",
)
CALLBACK: Final = row(None, print, may_be=none_or(is_function))
STEP: Final = row(
    *("Running", None, Fault("No."), RawAnswer(), JobRecord()),
    strange=either(
        JobRecord(status=plain(b"x")),
        JobRecord(start_date_time=plain("now")),
        JobRecord(completed_date_time=plain(date(2026, 3, 1))),
    ),
    named=r"steps\[0\]",
)
BUDGET: Final = {
    "limit": row(
        1,
        LARGEST,
        math.inf,
        wrong=FROM_ONE,
        may_be=is_limit,
    ),
    "window": row(1, 5e-324, 1e6, timedelta(days=1), wrong=LIMIT),
    "reserve": row(0, 999, wrong=WHOLE | st.integers(min_value=1000, max_value=LARGEST)),
    "clock": CLOCK,
}
JOB_WAY: Final = {
    "steps": STEP,
    "duration": row(None, 0, 1.5, math.inf, wrong=NOT_NEGATIVE),
    "error_message": TEXT_OR_NONE,
}
TABLES: Final = {
    "members": rows_of((), [KEY], named="members"),
    "parameters": rows_of(
        (KEY,), [KEY], wrong=either((), [Element("a", STRING)]), named="parameters"
    ),
    "columns": rows_of((), [KEY], wrong=either([Element("a", GUID)]), named="columns"),
}


def operation(**given: Any) -> Operation:
    row: dict[str, Any] = {
        "name": "X",
        "parameters": (KEY,),
        "result": None,
        "answer": print,
        "writes": True,
    }
    return Operation(**{**row, **given})


def api() -> CustomerApi:
    clock = FakeClock()
    transport = httpx.ASGITransport(FakeCustomerApi(API_KEY, clock=clock))
    return CustomerApi(API_KEY, http_client=httpx.AsyncClient(transport=transport), clock=clock)


def called(make: Callable[[], object], name: str) -> Callable[..., Any]:
    """A method of a new object."""

    def call(**given: Any) -> Any:
        return getattr(make(), name)(**given)

    return call


def add_job(*, steps: Any = "Running", **given: Any) -> UUID | None:
    """A job of one step, or without steps where the time that it takes is given."""
    return FakeCustomerApi().add_job(*([] if "duration" in given else [steps]), **given)


def script_started_jobs(*, steps: Any = "Running", **given: Any) -> None:
    FakeCustomerApi().script_started_jobs(*([] if "duration" in given else [steps]), **given)


SETTINGS: Final = {
    "http_client": row(
        None,
        httpx.AsyncClient(),
        httpx2.AsyncClient(),
        strange=either(httpx.Client(), httpx2.AsyncClient),
    ),
    "allow_http": FLAG,
    "attempt_timeout": TIMEOUT,
    "attempts": COUNT,
    "max_in_flight": COUNT,
    "max_response_bytes": COUNT,
    "schedule": row(Schedule()),
    "job_rules": row(JobRules()),
    "budget": row(..., None, MemoryBudget(), SqliteBudget("x"), RedisBudget("redis://a")),
    "fault_rules": row(FaultRules()),
    "on_exchange": CALLBACK,
    "clock": CLOCK,
}


def from_env(**settings: Any) -> CustomerApi:
    with mock.patch.dict(os.environ, {"DASP_API_KEY": API_KEY}):
        return CustomerApi.from_env(**settings)


def assert_called(*, operation: Any = "GetJobStatus", **given: Any) -> None:
    with suppress(AssertionError):
        FakeCustomerApi().assert_called(operation, **given)


TABLE: Final[dict[str, Public]] = {
    "CustomerApi": public(
        CustomerApi,
        {
            "key": API_KEY_ROW,
            "endpoint": row("https://a.example/", "http://127.0.0.1:80/", wrong=NO_ENDPOINT),
            "version": row("1.1", "1.2", *SoapVersion, wrong=NO_VERSION),
            **SETTINGS,
        },
        key=API_KEY,
    ),
    "CustomerApi.from_env": public(from_env, SETTINGS),
    "CustomerApi.aclose": public(called(api, "aclose"), {}),
    "CustomerApi.describe": public(called(api, "describe"), {}),
    "CustomerApi.get_job_status": public(called(api, "get_job_status"), {"job_id": JOB_ID}),
    "CustomerApi.poll_until_done": public(
        called(api, "poll_until_done"),
        {
            "job_id": JOB_ID,
            "timeout": TIMEOUT,
            "initial_delay": row(0, 0.5, timedelta(seconds=1), wrong=DURATION | TIMEDELTA),
            "schedule": row(None, Schedule()),
            "on_status": CALLBACK,
        },
        job_id=JOB,
    ),
    "CustomerApi.watch": public(
        called(api, "watch"), {"job_id": JOB_ID, "timeout": TIMEOUT, "every": FLAG}, job_id=JOB
    ),
    "CustomerApi.poll_many": public(
        called(api, "poll_many"),
        {
            "job_ids": row(
                [],
                [JOB, str(JOB)],
                {JOB},
                wrong=either(["nonsense"], [JOB, None], (5,), [UUID(int=0)]),
                may_be=is_iterable,
                named=r"job_ids(\[\d\])?",
            ),
            "timeout": TIMEOUT,
            "concurrency": COUNT,
            "on_status": CALLBACK,
        },
        job_ids=[JOB],
    ),
    "CustomerApi.call": public(
        called(api, "call"),
        {
            "operation": OPERATION,
            "parameters": PARAMETERS,
            "writes": FLAG,
            "description": row(None),
        },
        operation="NewOperation",
        parameters={"password": PASSWORD},
    ),
    "CustomerApi.start_job": public(
        called(api, "start_job"),
        {"operation": OPERATION, "parameters": PARAMETERS, "description": row(None)},
        operation="NewOperation",
        parameters={"password": PASSWORD},
    ),
    "CustomerApi.bandwidth_get_usage": public(
        called(api, "bandwidth_get_usage"),
        {"start_date": moment("startDate"), "end_date": moment("endDate")},
        start_date=date(2026, 3, 1),
        end_date=date(2026, 3, 2),
    ),
    "CustomerApi.sm_add_user": public(
        called(api, "sm_add_user"),
        {
            "domain_name": on_the_wire("domainName"),
            "user_name": on_the_wire("userName"),
            "password": on_the_wire("password"),
            "first_name": on_the_wire("firstName"),
            "last_name": on_the_wire("lastName"),
            "max_mailbox_size_in_mb": row(
                0,
                2**31 - 1,
                wrong=either(2**31, -(2**31) - 1) | HUGE,
                other=ValueError,
                named="maxMailboxSizeInMB",
            ),
        },
        domain_name="a.example",
        user_name="a",
        password=PASSWORD,
        first_name="b",
        last_name="c",
        max_mailbox_size_in_mb=1,
    ),
    "CustomerApi.sm_add_alias": public(
        called(api, "sm_add_alias"),
        {
            "domain_name": on_the_wire("domainName"),
            "alias_name": on_the_wire("aliasName"),
            "addresses": addresses("addresses"),
        },
        domain_name="a.example",
        alias_name="a",
        addresses=[],
    ),
    "CustomerApi.sm_update_alias_addresses": public(
        called(api, "sm_update_alias_addresses"),
        {
            "domain_name": on_the_wire("domainName"),
            "alias_name": on_the_wire("aliasName"),
            "new_addresses": addresses("newAddresses"),
        },
        domain_name="a.example",
        alias_name="a",
        new_addresses=[],
    ),
    "CustomerApi.sm_get_all_aliases": public(
        called(api, "sm_get_all_aliases"), {"domain_name": on_the_wire("domainName")}
    ),
    "Schedule": public(
        Schedule,
        {
            "initial": row(
                1,
                60.0,
                timedelta(seconds=5),
                wrong=LIMIT | either(61),
                named="(initial|maximum)",
            ),
            "factor": row(
                1, 1.5, wrong=st.floats(max_value=1, exclude_max=True) | NOT_FINITE | either(0)
            ),
            "maximum": row(2, 1e9, timedelta(days=1), wrong=LIMIT | either(1, 1.9)),
            "jitter": row(0, 1, 0.5, wrong=NOT_NEGATIVE | either(2, 1.1, math.inf)),
        },
    ),
    "JobRules": public(
        JobRules,
        {
            "done_words": WORDS,
            "failed_words": WORDS,
            "unset_through": row(date.min, date.max),
            "unset_from": row(date.min, date.max),
        },
    ),
    "FaultRules": public(FaultRules, {"too_often": WORDS, "account": WORDS, "unknown_job": WORDS}),
    "MemoryBudget": public(MemoryBudget, BUDGET),
    "MemoryBudget.remaining": public(called(MemoryBudget, "remaining"), {"key": KEY_OR_NONE}),
    "SqliteBudget": public(
        SqliteBudget,
        {
            "path": row(
                "calls.sqlite",
                b"calls.sqlite",
                Path("calls.sqlite"),
                wrong=either("", b"", ":memory:", "a\0b", b"a\0b", "\ud800", Path("a\0b")),
            ),
            **BUDGET,
        },
        path="calls.sqlite",
    ),
    "SqliteBudget.remaining": public(
        called(lambda: SqliteBudget("calls.sqlite"), "remaining"), {"key": KEY_OR_NONE}
    ),
    "RedisBudget": public(
        RedisBudget,
        {
            "client_or_url": row(
                f"redis://:{PASSWORD}@a.example/0",
                redis.Redis(),
                wrong=either(
                    *("", "a.example", "redis:", f"http://:{PASSWORD}@a.example"),
                    *(f"redis://:{PASSWORD}@a.example:{PASSWORD}", f"redis://[{PASSWORD}", API_KEY),
                ),
                strange=either(redis.Redis, AsyncRedis()),
            ),
            **BUDGET,
        },
        client_or_url=f"redis://:{PASSWORD}@a.example/0",
    ),
    "RedisBudget.remaining": public(
        called(lambda: RedisBudget("redis://127.0.0.1:1"), "remaining"), {"key": KEY_OR_NONE}
    ),
    "to_python": public(
        to_python,
        {"element": row(etree.Element("a")), "described": row(None)},
        element=etree.Element("a"),
    ),
    "FakeCustomerApi": public(
        FakeCustomerApi,
        {
            "key": API_KEY_ROW,
            "sandbox_key": row(None, "k", wrong=NOT_XML | either("", API_KEY)),
            "operations": row(
                None,
                (),
                [operation()],
                wrong=either([operation(), operation()]),
                may_be=none_or(is_iterable),
                strange=either([5], ("x",), [Operation]),
                named=r"operations(\[\d\])?",
            ),
            "daily_limit": COUNT_OR_NONE,
            "frequency_limit": row(None, FrequencyLimit(1, 1)),
            "lockout_after": COUNT_OR_NONE,
            "clock": CLOCK,
        },
        key=API_KEY,
    ),
    "FakeCustomerApi.add_job": public(
        add_job,
        {
            **JOB_WAY,
            "job_id": row(None, *JOB_ID.right, wrong=NO_GUID, other=ValueError),
            "name": TEXT,
        },
    ),
    "FakeCustomerApi.script_started_jobs": public(script_started_jobs, JOB_WAY),
    "FakeCustomerApi.add_bandwidth": public(
        called(FakeCustomerApi, "add_bandwidth"),
        {
            "use_date": row(date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)),
            "quantity": row(
                None,
                0,
                -(2**96) + 1,
                Decimal("1.50"),
                wrong=either(
                    *(2**96, Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")),
                    Decimal("1e1000000"),
                )
                | HUGE,
            ),
        },
        use_date=date(2026, 3, 1),
        quantity=1,
    ),
    "FakeCustomerApi.assert_called": public(
        assert_called,
        {
            "operation": row("GetJobStatus"),
            "parameters": row({}, {"jobId": JOB}, may_be=is_mapping),
            "times": COUNT_OR_NONE,
        },
    ),
    "FakeCustomerApi.trouble": public(
        called(FakeCustomerApi, "trouble"),
        {
            "trouble": row(Fault("No."), RawAnswer(), Delay(1), DroppedConnection()),
            "times": row(0, 5, wrong=WHOLE),
        },
        trouble=Fault("No."),
    ),
    "FakeClock": public(FakeClock, {"start": row(0, -5, 1e9, wrong=NOT_FINITE)}),
    "FakeClock.monotonic": public(FakeClock().monotonic, {}),
    "FakeClock.time": public(FakeClock().time, {}),
    "FakeClock.advance": public(
        called(FakeClock, "advance"), {"seconds": row(0, -5, 1e9, wrong=NOT_FINITE)}
    ),
    "FakeClock.sleep": public(
        called(FakeClock, "sleep"), {"seconds": row(0, -5, 1e9, wrong=NOT_FINITE)}
    ),
    "Operation": public(
        operation,
        {
            "name": NAME,
            "parameters": TABLES["parameters"],
            "result": row(None, STRING, ArrayType(STRING), DataSetType("a", ())),
            "answer": row(print, may_be=is_function),
            "writes": FLAG,
            "documentation": TEXT,
        },
    ),
    "ArrayType": public(ArrayType, {"item": row(STRING, ArrayType(STRING), RecordType("a", ()))}),
    "RecordType": public(
        RecordType, {"name": NAME, "members": TABLES["members"]}, name="a", members=()
    ),
    "DataSetType": public(
        DataSetType,
        {"table": NAME, "columns": TABLES["columns"], "name": NAME, "has_changes": FLAG},
        table="a",
        columns=(),
    ),
    "Element": public(
        Element,
        {"name": NAME, "type": row(STRING, ArrayType(STRING)), "key": TEXT},
        name="a",
        type=STRING,
    ),
    "Fault": public(
        Fault,
        {
            "reason": TEXT,
            "code": row("Server", "{urn:x}Name", wrong=either("", "Wrong", "{}x", "{urn:x}a b")),
            "subcode": row(None, "", "{urn:x}Name", wrong=either("Wrong", "{}x")),
            "actor": TEXT_OR_NONE,
            "role": TEXT_OR_NONE,
            "language": row(None, "", "en-US", wrong=either('"', "en_US", "ä", "en-")),
            "detail": TEXT_OR_NONE,
        },
        reason="No.",
    ),
    "RawAnswer": public(
        RawAnswer,
        {
            "body": row(b"", "x", wrong=either("\ud800")),
            "status": row(100, 999, wrong=WHOLE | either(0, 99, 1000)),
            "content_type": row("", "text/xml", wrong=either("Ω", "\ud800")),
            "headers": row(
                {},
                {"Retry-After": "5"},
                wrong=either({"x": "Ω"}, {"Ω": "x"}),
                strange=either({"x": 5}, {5: "x"}, {"x": None}),
            ),
        },
    ),
    "Delay": public(
        Delay, {"seconds": row(0, 1.5, wrong=DURATION.filter(lambda it: not 0 < it < math.inf))}
    ),
    "DroppedConnection": public(DroppedConnection, {"after": COUNT_OR_NONE}),
    "FrequencyLimit": public(
        FrequencyLimit,
        {
            "calls": row(0, 5, wrong=WHOLE),
            "seconds": row(0, 1.5, math.inf, wrong=NOT_NEGATIVE),
        },
        calls=1,
        seconds=1,
    ),
}

# What the package makes and hands out; some of it at every look, which checks would slow down.
MADE_BY_THE_PACKAGE: Final = {
    *("BandwidthUsage", "Exchange", "JobStatus", "Outcome", "SmAlias"),
    *("OperationDescription", "ServiceDescription"),
    *("Account", "JobRecord", "Mailbox", "ReceivedCall", "Secret"),
}
# What the package itself calls, at every attempt or look.
CALLED_BY_THE_PACKAGE: Final = {
    *(
        f"{store}Budget.{step}"
        for store in ("Memory", "Sqlite", "Redis")
        for step in ("admit", "settle")
    ),
    *("Schedule.delay", "JobRules.read"),
    *(f"FaultRules.{name}" for name in ("is_account", "is_too_often", "is_unknown_job")),
}
PARAMETERS_OF_ALL: Final = [
    pytest.param(
        each,
        name,
        id=f"{each}-{name}",
    )
    for each, public_ in TABLE.items()
    for name in public_.rows
]

# --- completeness -----------------------------------------------------------------------------


def offered() -> Iterator[tuple[str, Any]]:
    """The public functions, classes and methods that a caller calls."""
    for module in (dasp_async, testing):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value):
                yield name, value
            elif inspect.isclass(value) and is_made_by_callers(name, value):
                yield name, value
                for method, function in inspect.getmembers(value, inspect.isroutine):
                    if not method.startswith("_"):
                        yield f"{name}.{method}", function


def is_made_by_callers(name: str, kind: type) -> bool:
    is_protocol = getattr(kind, "_is_protocol", False)
    return name not in MADE_BY_THE_PACKAGE and not (
        is_protocol or issubclass(kind, DaspError | enum.Enum)
    )


def parameters_of(function: Callable[..., Any]) -> Iterator[str]:
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            yield from Settings.__annotations__
        elif name != "self":
            yield name


def test_each_public_parameter_has_a_row() -> None:
    signatures = {
        name: set(parameters_of(function))
        for name, function in offered()
        if name not in CALLED_BY_THE_PACKAGE
    }
    assert signatures == {name: set(each.rows) for name, each in TABLE.items()}


def test_what_is_left_out_of_the_table_is_still_offered() -> None:
    assert {name for name, _ in offered()} >= CALLED_BY_THE_PACKAGE
    assert {*dasp_async.__all__, *testing.__all__} >= MADE_BY_THE_PACKAGE


# --- the checks -------------------------------------------------------------------------------


# For each parameter; values so small need not be made smaller.
FEW: Final = settings(max_examples=30, deadline=None, phases=[Phase.generate])


def refuse(*_: object, **__: object) -> NoReturn:
    raise AssertionError("there was I/O")


@contextmanager
def no_io() -> Generator[None]:
    with ExitStack() as patches:
        for where, name in (
            (socket.socket, "connect"),
            (sqlite3, "connect"),
            (threading.Thread, "start"),
        ):
            patches.enter_context(mock.patch.object(where, name, refuse))
        yield


def begun(result: Any) -> None:
    """Begin what is to be awaited, entered or iterated over; nothing runs that it waits for."""
    if inspect.isasyncgen(result):
        result = result.__anext__()
    elif not inspect.iscoroutine(result):
        result = result.__aenter__()
    result.__await__().__next__()


def assert_shows_no_secret(error: BaseException, value: object) -> None:
    told = "".join(traceback.format_exception_only(error))
    held = [
        local
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if "/dasp_async/" in frame.f_code.co_filename
        for local in frame.f_locals.values()
        if isinstance(local, str) and local is not value
    ]
    for secret in (API_KEY, PASSWORD):
        assert secret not in told
        assert not any(secret in local for local in held)


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS_OF_ALL)
@FEW
@given(data=st.data())
def test_what_is_wrong_is_refused_before_any_io(
    name: str, parameter: str, data: st.DataObject
) -> None:
    function = TABLE[name]
    row = function.rows[parameter]
    value, expected = data.draw(row.bad())
    with no_io(), pytest.raises((TypeError, ValueError)) as caught:
        begun(function.call(**{**function.given, parameter: value}))
    assert type(caught.value) is expected
    assert re.match(rf"({row.named or parameter})(?!\w)", str(caught.value))
    assert_shows_no_secret(caught.value, value)


AWAITED: Final = re.compile(r"CustomerApi\.(?!from_env)|.*\.(remaining|sleep)")
RIGHT: Final = [
    pytest.param(name, parameter, value, id=f"{name}-{parameter}-{number}")
    for name, each in TABLE.items()
    for parameter, row in each.rows.items()
    for number, value in enumerate(row.right)
]
RIGHT_IN_A_LOOP: Final = [each for each in RIGHT if AWAITED.match(str(each.id))]


@pytest.mark.parametrize(
    ("name", "parameter", "value"), [each for each in RIGHT if not AWAITED.match(str(each.id))]
)
def test_what_is_right_is_taken(name: str, parameter: str, value: object) -> None:
    function = TABLE[name]
    with no_io():
        function.call(**{**function.given, parameter: value})


@pytest.mark.parametrize(("name", "parameter", "value"), RIGHT_IN_A_LOOP)
async def test_what_is_right_is_awaited(
    name: str, parameter: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    function = TABLE[name]
    result = function.call(**{**function.given, parameter: value})
    with suppress(DaspError):  # of a service that knows no such job or operation
        if inspect.isasyncgen(result):
            await anext(result)
        elif inspect.isawaitable(result):
            await result
        else:
            async with result as outcomes:
                _ = [outcome async for outcome in outcomes]


def test_io_would_be_seen() -> None:
    with no_io(), pytest.raises(AssertionError, match="there was I/O"):
        anyio.run(SqliteBudget("calls.sqlite").remaining)


# --- the environment --------------------------------------------------------------------------

VARIABLES: Final[dict[str, Values]] = {
    "DASP_API_KEY": either("", f"{API_KEY}\x07", f"{API_KEY}\udcff"),
    "DASP_ENDPOINT": NO_ENDPOINT.filter(bool),
    "DASP_SOAP_VERSION": NO_VERSION.filter(
        lambda it: it != "" and "\0" not in it and not re.search("[\ud800-\udfff]", it)
    ),
}


def test_each_variable_of_the_environment_has_a_row() -> None:
    told = inspect.getdoc(CustomerApi.from_env) or ""
    assert set(re.findall(r"DASP_\w+", told)) == set(VARIABLES)


@pytest.mark.parametrize("name", VARIABLES)
@FEW
@given(data=st.data())
def test_a_wrong_variable_is_refused_by_its_name(name: str, data: st.DataObject) -> None:
    value = data.draw(VARIABLES[name])
    with (
        mock.patch.dict(os.environ, {"DASP_API_KEY": API_KEY, name: value}),
        no_io(),
        pytest.raises(ValueError, match=rf"^(set )?{name}\b") as caught,
    ):
        CustomerApi.from_env()
    assert_shows_no_secret(caught.value, value)
