"""What a test scripts, as data: jobs and how they go on, and trouble to be met."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Final, TypeAlias

from dasp_async.arguments import whole
from dasp_async.models import DONE_WORDS, FAILED_WORDS, JobRecord
from dasp_async.soap import SoapVersion
from dasp_async.testing import checks

WAITING_WORDS: Final = frozenset({"pending", "queued"})
# XML Schema part 2 section 3.3.3
_LANGUAGE: Final = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
_EXPANDED_NAME: Final = re.compile(r"\{[^{}]+\}[^{}\s]+")


def _names(old: str, new: str) -> Mapping[SoapVersion, str]:
    return {SoapVersion.SOAP_1_1: old, SoapVersion.SOAP_1_2: new}


# SOAP 1.1 section 4.4.1; SOAP 1.2 part 1 section 5.4.6
FAULT_CODES: Final[Mapping[str, Mapping[SoapVersion, str]]] = {
    "Client": _names("Client", "Sender"),
    "Sender": _names("Client", "Sender"),
    "Server": _names("Server", "Receiver"),
    "Receiver": _names("Server", "Receiver"),
    "MustUnderstand": _names("MustUnderstand", "MustUnderstand"),
    "VersionMismatch": _names("VersionMismatch", "VersionMismatch"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault with HTTP status 500, written in the version of the request.

    reason: the text for people; an empty one goes out as `SoapException`, as .NET has it.
    code: `Server`, `Client`, `MustUnderstand` or `VersionMismatch` (SOAP 1.2's names for them
    are found), or a code of the service's own as `{namespace}name`.
    subcode: as `{namespace}name`; SOAP 1.1 has none and drops it. actor: SOAP 1.1's faultactor
    and SOAP 1.2's Node. role: SOAP 1.2's Role; SOAP 1.1 drops it. language: `xml:lang` of
    SOAP 1.1's faultstring; SOAP 1.2 always says `en`. Each None for none.
    detail: the XML inside the detail element; None for an empty one.

    Raises `TypeError` or `ValueError` for arguments of other kinds and forms.
    """

    reason: str
    code: str = "Server"
    subcode: str | None = None
    actor: str | None = None
    role: str | None = None
    language: str | None = None
    detail: str | None = None

    def __post_init__(self) -> None:
        for name in ("reason", "code"):
            checks.kind_of(name, getattr(self, name), str)
        for name in ("subcode", "actor", "role", "language", "detail"):
            checks.kind_of(name, getattr(self, name), str | None)
        for name, code in (("code", self.code), ("subcode", self.subcode or self.code)):
            if code not in FAULT_CODES and not _EXPANDED_NAME.fullmatch(code):
                raise ValueError(
                    f"{name} is neither a code of SOAP's nor {{namespace}}name: {code!r}"
                )
        if self.language and not _LANGUAGE.fullmatch(self.language):
            raise ValueError(f"language must be like en or en-US; got {self.language!r}")


def thrown(message: str) -> Fault:
    """The fault that ASMX makes of a plain exception."""
    return Fault(reason=f"Server was unable to process request. ---> {message}")


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An HTTP answer as it is: an HTML page, SOAP that is broken, a redirect, any bytes.

    body: text is sent as UTF-8. status: the HTTP status. content_type: the whole header.
    headers: further ones, such as `{"Retry-After": "5"}`.
    """

    body: bytes | str = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if not isinstance(self.body, bytes):
            checks.kind_of("body", self.body, bytes | str)
            checks.encodable("body", self.body, "utf-8")
        # RFC 9110 section 15
        whole("status", self.status, least=100, most=999)
        checks.encodable("content_type", self.content_type, "latin-1")
        checks.kind_of("headers", self.headers, Mapping)
        for pair in self.headers.items():
            for text in pair:
                checks.encodable("headers", text, "latin-1")


@dataclass(frozen=True, slots=True)
class Delay:
    """A call that is taken and answered as ever, but so many `seconds` of the clock later."""

    seconds: float

    def __post_init__(self) -> None:
        checks.finite("seconds", self.seconds)
        checks.not_negative("seconds", self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedConnection:
    """A connection that closes instead of answering; the call itself takes effect.

    after: how many bytes of the answer's body go out first, never all of them; None for no byte
    of the answer at all, not even its status.
    """

    after: int | None = None

    def __post_init__(self) -> None:
        if self.after is not None:
            whole("after", self.after, least=0)


Trouble: TypeAlias = Fault | RawAnswer | Delay | DroppedConnection
"""What a call can meet with; see `FakeCustomerApi.trouble`."""

Step: TypeAlias = str | JobRecord | Fault | RawAnswer | None
"""What one look at a job gets; see `FakeCustomerApi.add_job`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How a job goes: by looks, or by time if `duration` (seconds) is set."""

    steps: tuple[Step, ...]
    duration: float | None
    error_message: str | None

    def __post_init__(self) -> None:
        if self.steps and self.duration is not None:
            raise ValueError("a job goes by steps or by duration, not by both")
        for number, step in enumerate(self.steps):
            checks.kind_of(f"steps[{number}]", step, Step)
            if isinstance(step, JobRecord):
                _check_record(f"steps[{number}]", step)
        checks.kind_of("error_message", self.error_message, str | None)
        if self.duration is not None:
            checks.not_negative("duration", self.duration)


def _check_record(name: str, record: JobRecord) -> None:
    # Not in `JobRecord`, of which a client makes one at every look.
    for each in fields(record):
        kind = datetime if each.name.endswith("_date_time") else str
        checks.kind_of(f"{name}.{each.name}", getattr(record, each.name), kind | None)


@dataclass(slots=True, kw_only=True)
class Job:
    """A job that was started, and how often it was looked at."""

    name: str
    script: Script
    started: float
    looks: int = 0
    completed: float | None = None

    def look(self, now: float) -> JobRecord | Fault | RawAnswer | None:
        """What the job's next look gets; `now` is in seconds since 1970."""
        step = self._step(now)
        self.looks += 1
        if not isinstance(step, str):
            return step
        word = step.casefold()
        record = JobRecord(job_name=self.name, status=step)
        if word in WAITING_WORDS:
            return record
        record = replace(record, start_date_time=_date_time(self.started))
        if word not in DONE_WORDS | FAILED_WORDS:
            return record
        if self.completed is None:
            self.completed = now
        return replace(
            record,
            completed_date_time=_date_time(self.completed),
            error_message=self.script.error_message if word in FAILED_WORDS else None,
        )

    def _step(self, now: float) -> Step:
        script = self.script
        if script.duration is None:
            steps = script.steps or ("Pending", "Running", _last_word(script))
            return steps[min(self.looks, len(steps) - 1)]
        ends = self.started + script.duration
        if now < ends:
            return "Running"
        self.completed = ends
        return _last_word(script)


def _last_word(script: Script) -> str:
    return "Completed" if script.error_message is None else "Failed"


def _date_time(moment: float) -> datetime:
    # .NET's DateTime of no known zone, as the service's own may be
    return datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)
