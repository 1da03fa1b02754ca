"""A client on aiohttp, the faster way on asyncio: `python on_aiohttp.py JOB_ID`.

The API key is in DASP_API_KEY.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import NamedTuple

import aiohttp
import httpx

from dasp_async import CustomerApi

# Each attempt has the time limit of `CustomerApi`.
NO_TIMEOUT = aiohttp.ClientTimeout(total=None)


class AiohttpClient:
    """A session of aiohttp as the `http_client` of a `CustomerApi`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def build_request(
        self,
        method: str,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        timeout: None,  # noqa: ARG002 - nor has a request one here
    ) -> _Request:
        """What `send` is to send."""
        return _Request(method, url, content, headers)

    async def send(
        self,
        request: _Request,
        *,
        stream: bool,  # noqa: ARG002 - always true, since the body is read up to a limit
        follow_redirects: bool,
    ) -> _Response:
        """Send it."""
        with _errors_of_httpx():
            response = await self._session.request(
                request.method,
                request.url,
                data=request.content,
                headers=request.headers,
                allow_redirects=follow_redirects,
                auto_decompress=False,
                timeout=NO_TIMEOUT,
            )
        return _Response(response)

    async def aclose(self) -> None:
        """Close the session."""
        await self._session.close()


class _Request(NamedTuple):
    method: str
    url: str
    content: bytes
    headers: Mapping[str, str]


class _Response:
    is_stream_consumed = False

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status_code = response.status
        self.headers = SimpleNamespace(raw=response.raw_headers)
        self.stream = self._chunks()

    async def _chunks(self) -> AsyncGenerator[bytes]:
        with _errors_of_httpx():
            async for chunk in self._response.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        self._response.release()


@contextmanager
def _errors_of_httpx() -> Generator[None]:
    """By their names `CustomerApi` tells what may have been sent, and what is worth a retry."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ClientSSLError) as error:
        raise httpx.ConnectError(str(error)) from error
    except aiohttp.ClientError as error:
        raise httpx.ReadError(str(error)) from error


async def main(job_id: str) -> None:
    """Wait for the job."""
    async with (
        # The service has no sessions, and as many calls at once as a `CustomerApi` lets through.
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        ) as session,
        CustomerApi.from_env(http_client=AiohttpClient(session)) as api,
    ):
        print((await api.poll_until_done(job_id)).status)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job_id", metavar="JOB_ID")
    asyncio.run(main(parser.parse_args().job_id))
