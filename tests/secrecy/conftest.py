"""What a test's logs and warnings hold, and a machine without proxies."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator

import pytest

from tests.secrecy.search import found

# Left out, and so not promised: what a server says may be in httpcore's own logs at DEBUG, which
# have heads as they came in, and what was no HTTP.
SERVERS_OWN_WORDS = (
    "receive_response_headers.complete",
    "receive_response_headers.failed",
    "receive_response_body.failed",
)


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy is named in the environment."""
    for name in ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def left_behind(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., list[str]]]:
    """What is found of secrets in what was logged since last asked, at any level, or warned of."""
    caplog.set_level(1)

    def search(*secrets: str) -> list[str]:
        # What is young; all of it would take most of the tests' time.
        gc.collect(1)
        records = [
            f"{record.getMessage()} {vars(record)!r}"
            for record in caplog.records
            if not record.getMessage().startswith(SERVERS_OWN_WORDS)
        ]
        caplog.clear()
        return found("\n".join([*records, *(f"{vars(it)!r}" for it in warned)]), secrets)

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield search
