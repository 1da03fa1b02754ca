"""What fuzzing found worth keeping is replayed: each input has its outcome still, and in time."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable

import pytest

from tests.fuzz import corpus
from tests.fuzz.targets import TARGETS


def replay(target: str, kept_of: str | None = None) -> None:
    run = TARGETS[target]
    for outcome, data in corpus.entries(kept_of or target):
        started = time.process_time()
        found = run(data)
        assert time.process_time() - started < 1
        # A wait has a status of what a look reads as a record.
        assert found == (outcome.replace("JobRecord", "JobStatus") if kept_of else outcome)


@pytest.mark.parametrize("target", TARGETS)
def test_every_kept_input_has_its_outcome_in_time(target: str) -> None:
    assert corpus.load(target)
    replay(target)


def test_a_client_comes_to_the_same_outcomes() -> None:
    replay("client", kept_of="answer")


def test_what_is_kept_is_small() -> None:
    archives = list(corpus.FOLDER.iterdir())
    assert sum(len(corpus.load(target)) for target in TARGETS) <= 300
    assert sum(path.stat().st_size for path in archives) <= 300_000


def unguarded(*_: object, **__: object) -> None:
    raise KeyError("planted")


def slow(*_: object) -> None:
    started = time.process_time()
    while time.process_time() - started < 1.1:
        pass


def too_much(raw: bytes, _encoding: str, cap: int) -> tuple[bytes, bool]:
    return raw[: cap + 1], True


PLANTED = [
    ("answer", "dasp_async.response.fault._reason", unguarded),
    ("answer", "dasp_async.response._moment", unguarded),
    ("answer", "dasp_async.response.retry_after", slow),
    ("answer", "html.unescape", "\ud800{}".format),
    ("plain", "dasp_async.elements.read_tables", unguarded),
    ("plain", "dasp_async.xsd.binary.base64.b64decode", unguarded),
    ("wsdl", "dasp_async.wsdl.schema._simple", unguarded),
    ("client", "dasp_async.transport.decoded", unguarded),
    ("gzip", "tests.fuzz.targets.decoded", too_much),
]


@pytest.mark.parametrize(("target", "place", "bug"), PLANTED)
def test_a_planted_bug_is_found(
    target: str, place: str, bug: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, bug)
    with pytest.raises((AssertionError, KeyError, UnicodeEncodeError, zlib.error)):
        replay(target)
