"""What goes over HTTP: a request and an answer, neither of which shows its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


# Neither is frozen: each call makes one, and freezing would be half of what that costs.
@dataclass(slots=True)
class HttpRequest:
    """A request to the endpoint, for an operation that errors can name.

    A rendered envelope, which holds the key, and the headers that SOAP gives it, or a request
    for something else. query: what stands in the URL instead of the endpoint's own query; None
    for that.
    """

    operation: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    method: str = "POST"
    query: str | None = None


# What errors of a call for the service's own description name as the operation
DESCRIBE: Final = "describe"
WSDL_REQUEST: Final = HttpRequest(DESCRIBE, {}, b"", method="GET", query="WSDL")


@dataclass(slots=True)
class HttpAnswer:
    """What came back, as far as reading it needs. The body may echo the key.

    `retry_after` and `date` are the headers of these names.

    `whole` is False when the body was longer than the cap; `body` is its beginning then.
    `readable` is False when it was compressed in a way that was not asked for.
    """

    status: int
    content_type: str
    retry_after: str | None = None
    body: bytes = field(default=b"", repr=False)
    whole: bool = True
    readable: bool = True
    date: str | None = None
