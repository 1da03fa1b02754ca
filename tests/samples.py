"""The captured exchanges under `samples/`: what was sent, and what the real runtime answered."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from dasp_async.messages import HttpAnswer

FOLDER = Path(__file__).with_name("samples")

# The vendor's own help page for the operation, as plain text.
HELP_PAGE = FOLDER / "GetJobStatus.txt"


@dataclass(frozen=True, slots=True)
class Sample:
    """One exchange. Header names are in lower case; an exchange without answer has status 0."""

    name: str
    request_headers: dict[str, str]
    request_body: bytes
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def answer(self) -> HttpAnswer:
        """The answer in the form the parser takes."""
        return HttpAnswer(
            self.status,
            self.headers.get("content-type", ""),
            retry_after=self.headers.get("retry-after"),
            body=self.body,
        )


@cache
def names() -> tuple[str, ...]:
    """The names of all samples, like `soap11/completed`."""
    return tuple(
        sorted(path.parent.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*/request"))
    )


@cache
def load(name: str) -> Sample:
    """The sample of that name."""
    folder = FOLDER / name
    status = _text(folder / "status")
    return Sample(
        name=name,
        request_headers=_headers(_curl_headers(_text(folder / "request"))),
        request_body=_bytes(folder / "request.body"),
        status=int(status.split()[1]) if status else 0,
        headers=_headers(_text(folder / "headers").splitlines()),
        body=_bytes(folder / "body"),
    )


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _text(path: Path) -> str:
    return _bytes(path).decode("iso-8859-1")


def _curl_headers(command: str) -> list[str]:
    words = shlex.split(command)
    return [value for option, value in pairwise(words) if option == "-H"]


def _headers(lines: list[str]) -> dict[str, str]:
    named = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in named}
