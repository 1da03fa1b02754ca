"""Planted leaks are found: else the tests beside this one could not fail."""

from __future__ import annotations

import logging
import types
import warnings
from collections.abc import Callable
from typing import Final

import pytest

from dasp_async import DaspError
from dasp_async.envelope import Written
from dasp_async.messages import HttpAnswer, HttpRequest
from dasp_async.operations import KEY as KEY_PARAMETER
from dasp_async.secret import Concealed, Mask, Secret
from tests.secrecy.faults import echo
from tests.secrecy.remains import assert_hidden, drawn_by_rich, holders, walked
from tests.secrecy.search import KEY, KEYS, PASSWORD, PIECE, found, spellings

SECRETS: Final = [*KEYS.values(), PASSWORD]


@pytest.mark.parametrize("secret", SECRETS)
def test_every_spelling_is_found(secret: str) -> None:
    for spelling in spellings(secret):
        assert found(f"a{spelling}b", [secret]), spelling
        assert found(f"a{spelling[len(spelling) // 4 :]}", [secret]), spelling
    for start in range(len(secret) - PIECE + 1):
        assert found(secret[start : start + PIECE], [secret])
        assert not found(secret[start : start + PIECE - 1], [secret])


@pytest.mark.parametrize("secret", SECRETS)
def test_every_spelling_is_struck_out(secret: str) -> None:
    mask = Mask(Secret(secret))
    for spelling in (*spellings(secret), *echo([secret]).split(" | ")):
        assert found(mask(f"a{spelling}b"), [secret]) == [], spelling


def _keeps_the_body(error: DaspError, key: str) -> None:
    error.body = f"<key>{key}</key>".encode()  # type: ignore[attr-defined]


def _is_told(error: DaspError, key: str) -> None:
    error.args = (f"refused: {key}",)


def _came_from_it(error: DaspError, key: str) -> None:
    error.__cause__ = ExceptionGroup("", [ValueError(key)])


def _in_a_note(error: DaspError, key: str) -> None:
    error.add_note(key)


PLANTED: Final[dict[str, Callable[[DaspError, str], None]]] = {
    "a body that is kept": _keeps_the_body,
    "a text": _is_told,
    "a cause in a group": _came_from_it,
    "a note": _in_a_note,
}


@pytest.mark.parametrize("leak", PLANTED)
@pytest.mark.parametrize("key", SECRETS)
def test_a_leak_of_an_error_is_found(leak: str, key: str) -> None:
    error = DaspError("a text")
    assert_hidden(error, key)
    PLANTED[leak](error, key)
    with pytest.raises(AssertionError):
        assert_hidden(error, key)


class Careless:
    """A holder that shows nothing but to who walks it."""

    __slots__ = ("body",)

    def __init__(self, body: object) -> None:
        self.body = body


Careless.__module__ = "dasp_async.careless"


@pytest.mark.parametrize("value", [KEY, [KEY.encode()], {"key": {KEY}}, Careless(KEY)])
def test_a_leak_of_a_frame_is_found(value: object) -> None:
    def leaks(body: object) -> None:
        raise DaspError(f"{id(body)}")

    code = leaks.__code__.replace(co_filename="elsewhere.py")
    with pytest.raises(DaspError) as caught:
        types.FunctionType(code, globals())(value)
    with pytest.raises(AssertionError, match=r"body in elsewhere\.py"):
        assert_hidden(caught.value, KEY)
    if not isinstance(value, Careless):
        assert found(drawn_by_rich(caught.value), [KEY])


def test_a_leak_of_a_log_and_of_a_warning_is_found(left_behind: Callable[..., list[str]]) -> None:
    assert left_behind(KEY) == []
    logging.getLogger("h11").debug("sent %r", KEY.encode())
    assert left_behind(KEY)
    warnings.warn(PASSWORD, ResourceWarning, stacklevel=1)
    assert left_behind(PASSWORD)


HIDING: Final = [
    Secret(KEY),
    Written.of(KEY_PARAMETER, Secret(KEY)),
    Concealed({"password": KEY}, Secret(KEY)),
    Mask(Secret(KEY)),
    HttpRequest("X", {}, KEY.encode()),
    HttpAnswer(200, KEY, retry_after=KEY, date=KEY, body=KEY.encode()),
]


@pytest.mark.parametrize("hiding", HIDING, ids=repr)
def test_what_hides_is_not_seen_through_by_walking(hiding: object) -> None:
    assert found("\n".join(walked(hiding, set())), [KEY]) == []
    # Yet it is there.
    assert holders(hiding, [KEY])
