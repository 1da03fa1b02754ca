"""What goes over HTTP: a request and an answer, neither of which shows its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SoapRequest:
    """A rendered envelope and the headers that SOAP gives it. The body holds the key."""

    operation: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, as far as reading it needs. The body may echo the key.

    `whole` is False when the body was longer than the cap; `body` is its beginning then.
    `readable` is False when it was compressed in a way that was not asked for.
    """

    status: int
    content_type: str
    retry_after: str | None = None
    body: bytes = field(default=b"", repr=False)
    whole: bool = True
    readable: bool = True
