"""No fault shows the key or a password: in errors, frames, logs, warnings, nor in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from dasp_async import DaspError
from tests.conftest import BACKENDS
from tests.secrecy.calls import CALLS, ECHOED, READS, Notes, api
from tests.secrecy.faults import CAP, FAULTS, NETWORK
from tests.secrecy.remains import assert_hidden, drawn_by_rich
from tests.secrecy.search import KEYS, PASSWORD, found
from tests.servers import RawServer

# By the fault; those whose words depend on the key's letters come with a plain one too.
ROWS: Final = [
    (name, key)
    for name in FAULTS
    for key in (KEYS if name in {"an entity", "cut in the key"} else ["with signs"])
]


async def _caught(
    fault: str, key: str, after: Callable[[str], None] = lambda _: None
) -> list[tuple[str, BaseException]]:
    """The errors of every call under a fault; `after` is called after each."""
    row, caught = FAULTS[fault], list[tuple[str, BaseException]]()
    with RawServer(row.serve([KEYS[key], PASSWORD]), **row.server()) as server:
        options = {"max_response_bytes": CAP, **row.options}
        for name in ECHOED:
            notes = Notes()
            async with api(KEYS[key], server.url, **options) as client:
                with pytest.raises(row.error if name in READS else DaspError):
                    await notes.passing(CALLS[name](client))
            caught += [(name, error) for error in notes.caught]
            after(name)
        assert server.connections <= len(ECHOED)
    return caught


def _sent(name: str, key: str) -> list[str]:
    return [KEYS[key], PASSWORD] if ECHOED[name] else [KEYS[key]]


# On one event loop: what answers come to has nothing to do with it.
@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize("anyio_backend", BACKENDS[:1], indirect=True)
@pytest.mark.parametrize(("fault", "key"), ROWS)
async def test_no_fault_shows_a_secret(
    fault: str, key: str, left_behind: Callable[..., list[str]]
) -> None:
    def nothing_is_left_behind(name: str) -> None:
        assert left_behind(*_sent(name, key)) == []

    caught = await _caught(fault, key, nothing_is_left_behind)
    assert len(caught) == len(ECHOED)
    for name, error in caught:
        assert_hidden(error, *_sent(name, key))


@pytest.mark.parametrize("anyio_backend", BACKENDS[1:], indirect=True)
@pytest.mark.parametrize("fault", NETWORK)
async def test_no_fault_of_the_network_shows_a_secret(fault: str) -> None:
    for name, error in await _caught(fault, "with signs"):
        assert_hidden(error, *_sent(name, "with signs"))


@pytest.mark.parametrize("anyio_backend", BACKENDS[:1], indirect=True)
@pytest.mark.parametrize("fault", ["a fault", "a text", "no XML", "closed", "silent"])
async def test_no_traceback_of_rich_shows_a_secret(fault: str) -> None:
    for name, error in await _caught(fault, "with signs"):
        assert found(drawn_by_rich(error), _sent(name, "with signs")) == []
