"""What is fuzzed: functions of bytes, each of which must end in an outcome that is promised.

An input is an answer: a line with an operation, a SOAP version and a status, header lines, an
empty line, the body. `client` goes through a client's methods, to an HTTP client that has the
answer. The others call the reading functions themselves, which is five times as fast and more;
what is kept of `answer` is replayed through `client` too.
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import pickle
import re
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache, partial
from typing import Any, Final, Self, cast

from lxml import etree

from dasp_async import (
    CustomerApi,
    DaspError,
    HttpClient,
    OperationDescription,
    ServiceDescription,
    SoapVersion,
    to_python,
)
from dasp_async.drift import drift
from dasp_async.messages import HttpAnswer
from dasp_async.operations import OPERATIONS, Anything, Guid, Operation
from dasp_async.response import read_answer, read_description
from dasp_async.secret import Mask, Secret
from dasp_async.transport.body import decoded
from tests.fuzz.seeds import RESPONSE, SEEDS

_KEY: Final = "test-key"
_SHOWN_KEYS: Final = (_KEY, base64.b64encode(_KEY.encode()).decode().rstrip("="))
_MASK: Final = Mask(Secret(_KEY))
_NOW: Final = 1_700_000_000.0
_CAP: Final = 256 * 1024
_JOB: Final = "01234567-89ab-cdef-0123-456789abcdef"
_MARCH, _APRIL = date(2026, 3, 1), date(2026, 4, 1)

# An operation's name is the caller's and no foreign text.
_NAME: Final = re.compile("[A-Za-z][A-Za-z0-9]{1,40}")
_STATUS: Final = re.compile("[0-9]{1,3}")

Call = Callable[[CustomerApi], Awaitable[object]]


def _by_name(name: str) -> Call:
    return lambda api: api.call(name, {}, writes=False)


@lru_cache
def _any(name: str) -> Operation[Any]:
    return Operation(name, (), Anything(), writes=False)


_METHODS: Final[Mapping[str, Call]] = {
    "GetJobStatus": lambda api: api.get_job_status(_JOB),
    "BandwidthGetUsage": lambda api: api.bandwidth_get_usage(_MARCH, _APRIL),
    "SMAddUser": lambda api: api.sm_add_user(
        "d", "u", "test-password", first_name="f", last_name="l", max_mailbox_size_in_mb=1
    ),
    "SMAddAlias": lambda api: api.sm_add_alias("d", "a", ["x"]),
    "SMUpdateAliasAddresses": lambda api: api.sm_update_alias_addresses("d", "a", ["x"]),
    "SMGetAllAliases": lambda api: api.sm_get_all_aliases("d"),
    "Sql2012CreateBackup": lambda api: api.start_job("Sql2012CreateBackup", {}),
}
_OPERATIONS: Final[Mapping[str, Operation[Any]]] = {
    **{each.name: each for each in OPERATIONS},
    "Sql2012CreateBackup": Operation("Sql2012CreateBackup", (), Guid(), writes=True),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An input, taken apart; whatever is missing or wrong has a usual value."""

    operation: str
    version: str
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The answer in an input."""
        head, _, body = data.partition(b"\n\n")
        first, *lines = head.split(b"\n")
        words = [*first.decode("latin-1").split(" "), "", "", ""]
        named = (line.partition(b":") for line in lines)
        return cls(
            words[0] if _NAME.fullmatch(words[0]) else "EchoString",
            "1.2" if words[1] == "1.2" else "1.1",
            int(words[2]) if _STATUS.fullmatch(words[2]) else 200,
            [(name.strip(), value.strip()) for name, _, value in named],
            body,
        )


class _Stream:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        return iter((self._content,))


@dataclass(slots=True)
class _Request:
    stream: Any


class _Response:
    """The answer, in chunks as from a wire."""

    is_stream_consumed = False

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self.headers = self
        self.raw = answer.headers
        self.stream = self._chunks(answer.body)

    async def _chunks(self, body: bytes) -> AsyncGenerator[bytes]:
        for start in range(0, len(body), 16 * 1024):
            yield body[start : start + 16 * 1024]

    async def aclose(self) -> None:
        pass


class _Http:
    """An HTTP client that has one answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def build_request(self, _method: str, _url: str, *, content: bytes, **_: object) -> Any:
        return _Request(_Stream(content))

    async def send(self, _request: Any, **_: object) -> Any:
        return _Response(self._answer)

    async def aclose(self) -> None:
        """Nothing is open; a client's own would be closed by its owner."""


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop


def _sent(answer: Answer, call: Call) -> object:
    """What a call comes to with that answer: its result, or an error that is fit to be shown."""
    api = CustomerApi(
        _KEY,
        endpoint="https://fuzz.test/",
        version=SoapVersion(answer.version),
        http_client=cast("HttpClient", _Http(answer)),
        attempt_timeout=None,
        attempts=1,
        max_response_bytes=_CAP,
        budget=None,
    )
    try:
        return _loop().run_until_complete(cast("Any", call(api)))
    except DaspError as error:
        _check_error(error)
        twin = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        if vars(twin) != vars(error):
            raise AssertionError("an error does not survive pickling") from None
        return error


def _read(answer: Answer, read: Callable[..., object]) -> object:
    """What is read in that answer: a result, or an error that is fit to be shown."""
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers
    }
    content = decoded(answer.body, headers.get("content-encoding", ""), _CAP)
    body, whole = content or (b"", True)
    http_answer = HttpAnswer(
        answer.status,
        _MASK(headers.get("content-type", "")),
        retry_after=_MASK(headers.get("retry-after", "")) or None,
        date=headers.get("date"),
        body=body,
        whole=whole,
        readable=content is not None,
    )
    try:
        return read(http_answer, mask=_MASK, now=_NOW)
    except DaspError as error:
        _check_error(error)
        return error


def _check_error(error: DaspError) -> None:
    message = str(error)
    message.encode()
    if len(message) > 1000 or "\n" in message:
        raise AssertionError("the message of an error is one line of limited length")
    shown = f"{message}{vars(error)}"
    if any(key in shown for key in _SHOWN_KEYS):
        raise AssertionError("an error shows the key")


def _name(outcome: object) -> str:
    return type(outcome).__name__


def client(data: bytes) -> str:
    """Any answer is the result of its operation's method or a `DaspError`."""
    given = Answer.of(data)
    return _name(_sent(given, _METHODS.get(given.operation, _by_name(given.operation))))


def answer(data: bytes) -> str:
    """Any operation's answer is its result or a `DaspError`."""
    given = Answer.of(data)
    operation = _OPERATIONS.get(given.operation) or _any(given.operation)
    return _name(_read(given, partial(read_answer, operation)))


def plain(data: bytes) -> str:
    """A response as plain Python, with and without its description, or a `ValueError`."""
    given = Answer.of(data)
    name = given.operation if given.operation in _described() else "Op"
    element = _read(given, partial(read_answer, _any(name)))
    if isinstance(element, DaspError):
        return _name(element)
    outcomes: list[str] = []
    for described in (None, _described()[name]):
        try:
            outcomes.append(_name(to_python(cast("Any", element), described)))
        except ValueError as problem:
            outcomes.append(_name(problem))
    return "-".join(outcomes)


def wsdl(data: bytes) -> str:
    """A WSDL is a description that can be used, or a `DaspError`."""
    description = _read(Answer.of(data), read_description)
    if not isinstance(description, ServiceDescription):
        return _name(description)
    differences = drift(description)
    for described in description.operations.values():
        described.signature.encode()
        try:
            to_python(_response(), described)
        except ValueError:
            continue
    return f"{len(description.operations)}-{len(differences.changed)}-{len(differences.new)}"


def gzip(data: bytes) -> str:
    """A body is inflated under the cap or not at all; the first two bytes are the cap."""
    cap, body = 1 + int.from_bytes(data[:2], "big"), data[2:]
    found = decoded(body, "gzip", cap)
    if found is None:
        return "None"
    content, whole = found
    if len(content) > cap:
        raise AssertionError("more than the cap")
    if body and whole and content != zlib.decompress(body, 31):
        raise AssertionError("not what was compressed")
    return f"whole-{whole}"


@cache
def _described() -> dict[str, OperationDescription]:
    """The operations of all WSDLs that fuzzing starts from."""
    operations: dict[str, OperationDescription] = {}
    for seed in SEEDS["wsdl"]():
        found = _read(Answer.of(seed), read_description)
        if not isinstance(found, ServiceDescription):
            raise TypeError(f"no description, but {found}")
        operations.update(found.operations)
    return operations


@cache
def _response() -> Any:
    return etree.fromstring(RESPONSE)


TARGETS: Final[Mapping[str, Callable[[bytes], str]]] = {
    each.__name__: each for each in (answer, plain, wsdl, gzip, client)
}
