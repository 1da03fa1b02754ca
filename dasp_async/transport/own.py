"""The own client: an `httpx.AsyncClient`, and the requests for it. Slow to import."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.request import getproxies

import httpx

from dasp_async.transport.body import PLAIN, Body
from dasp_async.transport.connections import Connections, NoCookieClient

if TYPE_CHECKING:
    from dasp_async.messages import HttpRequest


def tls_context() -> ssl.SSLContext:
    """What own connections are made with: the authorities that they trust, above all."""
    return httpx.create_ssl_context()


class _Stream(Body, httpx.AsyncByteStream):
    """A body as httpx takes it."""


class OwnClient:
    """An `httpx.AsyncClient` of our own, and the requests for it, built without its detours.

    urls: by the query that a request has instead of the endpoint's; None for the endpoint itself.
    """

    def __init__(self, urls: Mapping[str | None, str], *, keep_alive: int, uses_tls: bool) -> None:
        # Without a time limit, since httpx's is for each read, which a dripping server stretches
        # at will, and without limits on connections, since the client limits its calls.
        if uses_tls and getproxies():
            self.http = NoCookieClient(
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=keep_alive),
                timeout=None,
            )
        else:
            # One that trusts nobody costs nothing to make.
            context = tls_context() if uses_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self.http = NoCookieClient(
                transport=Connections(context, keep_alive=keep_alive),
                timeout=None,
                trust_env=False,
            )
        self._urls = {query: httpx.URL(url) for query, url in urls.items()}
        self._host = self._urls[None].netloc.decode()
        self._headers = lru_cache(self._encoded)

    def request(self, request: HttpRequest) -> httpx.Request:
        """A request for `http`."""
        # With a stream httpx adds no header of its own; those of an operation are encoded once.
        return httpx.Request(
            request.method,
            self._urls[request.query],
            headers=self._headers(tuple(request.headers.items()), len(request.body)),
            stream=_Stream(request.body),
        )

    def _encoded(self, headers: tuple[tuple[str, str], ...], length: int) -> httpx.Headers:
        own = {**dict(headers), **PLAIN, "User-Agent": "dasp_async"}
        return httpx.Headers({"Host": self._host, **own, "Content-Length": str(length)})
