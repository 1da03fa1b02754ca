"""What goes over HTTP: a request and an answer, neither of which shows its texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final


class HttpRequest:
    """A request to the endpoint, for an operation that errors can name.

    A rendered envelope, which holds the key, and the headers that SOAP gives it, or a request
    for something else. query: what stands in the URL instead of the endpoint's own query; None
    for that.
    """

    __slots__ = ("_body", "headers", "method", "operation", "query")

    def __init__(
        self,
        operation: str,
        headers: Mapping[str, str],
        body: bytes,
        method: str = "POST",
        query: str | None = None,
    ) -> None:
        self.operation = operation
        self.headers = headers
        # In a function, as in `Secret`
        self._body: Callable[[], bytes] = lambda: body
        self.method = method
        self.query = query

    @property
    def body(self) -> bytes:
        """What is sent."""
        return self._body()

    def __repr__(self) -> str:
        return f"HttpRequest({self.operation!r})"


# What errors of a call for the service's own description name as the operation
DESCRIBE: Final = "describe"
WSDL_REQUEST: Final = HttpRequest(DESCRIBE, {}, b"", method="GET", query="WSDL")


class HttpAnswer:
    """What came back, as far as reading it needs. Any text in it may echo what was sent.

    `retry_after` and `date` are the headers of these names.

    `whole` is False when the body was longer than the cap; `body` is its beginning then.
    `readable` is False when it was compressed in a way that was not asked for.
    """

    __slots__ = ("_body", "_content_type", "_date", "_retry_after", "readable", "status", "whole")

    def __init__(
        self,
        status: int,
        content_type: str,
        *,
        retry_after: str | None = None,
        date: str | None = None,
        body: bytes = b"",
        whole: bool = True,
        readable: bool = True,
    ) -> None:
        self.status = status
        # In functions, as in `Secret`
        self._content_type: Callable[[], str] = lambda: content_type
        self._retry_after: Callable[[], str | None] = lambda: retry_after
        self._date: Callable[[], str | None] = lambda: date
        self._body: Callable[[], bytes] = lambda: body
        self.whole = whole
        self.readable = readable

    @property
    def content_type(self) -> str:
        """The header of this name; empty if there is none."""
        return self._content_type()

    @property
    def retry_after(self) -> str | None:
        """The header of this name."""
        return self._retry_after()

    @property
    def date(self) -> str | None:
        """The header of this name."""
        return self._date()

    @property
    def body(self) -> bytes:
        """The bytes, up to the cap, as they are when nothing is compressed."""
        return self._body()

    def __repr__(self) -> str:
        return f"HttpAnswer({self.status})"
