"""A secret shows itself only when asked to, and a mask strikes it out of other texts."""

from __future__ import annotations

import base64
import copy
import pickle
import pprint
from collections.abc import Callable
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasp_async.secret import Mask, Secret

KEY = "my secret-&<key>/\"é'+"
COPIES = [pickle.dumps, copy.copy, copy.deepcopy]

# --- Secret


@pytest.mark.parametrize("text", ["", "x", KEY, "\0\ud83d"])
def test_a_secret_shows_itself_when_asked_to(text: str) -> None:
    assert Secret(text).reveal() == text


@pytest.mark.parametrize("show", [str, repr, ascii, pprint.pformat, "{}".format, "{!r}".format])
def test_a_secret_hides_from_printers(show: Callable[[object], str]) -> None:
    for holder in (Secret(KEY), [Secret(KEY)], {"key": Secret(KEY)}):
        shown = show(holder)
        assert "***" in shown
        assert "secret-" not in shown


def test_a_secret_has_no_plain_attribute() -> None:
    secret = Secret(KEY)
    assert not hasattr(secret, "__dict__")
    for name in dir(secret):
        assert "secret-" not in repr(getattr(secret, name))


@pytest.mark.parametrize("make_copy", COPIES)
def test_a_secret_is_neither_pickled_nor_copied(make_copy: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match=r"^a Secret is not pickled"):
        make_copy(Secret(KEY))


# --- Mask

SPELLINGS = {
    "plain": KEY,
    "XML text": escape(KEY),
    "XML attribute": quoteattr(KEY)[1:-1],
    "XML, both quotes": escape(KEY, {'"': "&quot;", "'": "&apos;"}),
    "URL path": quote(KEY, safe=""),
    "URL form": quote_plus(KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64, unpadded": base64.b64encode(KEY.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_struck_out(spelling: str) -> None:
    echo = SPELLINGS[spelling]
    masked = Mask(Secret(KEY))(f"a {echo} b{echo}{echo}")
    # The padding of base64 tells nothing.
    assert masked.replace("=", "") == "a *** b******"


def test_a_key_with_blanks_is_struck_out_of_a_line_put_in_order() -> None:
    mask = Mask(Secret(" two  words\t here "))
    assert mask("a two words here b") == "a *** b"
    assert mask("x two  words\t here y") == "x***y"


@pytest.mark.parametrize(
    ("key", "masked"), [("1234567", "a 1234567 b"), ("12345678", "a *** b"), ("", "a  b")]
)
def test_only_keys_of_eight_characters_and_more_are_struck_out(key: str, masked: str) -> None:
    assert Mask(Secret(key))(f"a {key} b") == masked


def test_a_short_key_is_not_struck_out_in_a_longer_spelling() -> None:
    assert Mask(Secret("&&&&"))("&amp;&amp;&amp;&amp;") == "&amp;&amp;&amp;&amp;"


def test_a_long_key_is_not_struck_out_in_a_short_spelling() -> None:
    assert Mask(Secret("a          b"))("a b") == "a b"


def test_all_secrets_are_struck_out_the_longest_first() -> None:
    mask = Mask(Secret("password"), Secret("password-of-mine"), Secret("short"))
    assert mask("password password-of-mine short") == "*** *** short"


def test_a_pattern_in_a_key_is_just_text() -> None:
    mask = Mask(Secret(".*[a-z]+$"))
    assert mask("anything .*[a-z]+$") == "anything ***"


def test_case_matters() -> None:
    assert Mask(Secret("AbCdEfGh"))("abcdefgh AbCdEfGh") == "abcdefgh ***"


def test_a_mask_of_nothing_changes_nothing() -> None:
    assert Mask()("a text") == "a text"


UNSTARRED = st.characters(codec="utf-8", exclude_characters="*")


@settings(deadline=None)
@given(key=st.text(UNSTARRED, min_size=8), before=st.text(UNSTARRED), after=st.text(UNSTARRED))
def test_no_key_stays(key: str, before: str, after: str) -> None:
    masked = Mask(Secret(key))(before + key + after)
    assert "***" in masked
    assert key not in masked


@settings(deadline=None)
@given(st.text(max_size=7), st.text())
def test_other_texts_stay(key: str, text: str) -> None:
    assert Mask(Secret(key))(text) == text


def test_a_mask_hides_its_secrets() -> None:
    mask = Mask(Secret(KEY))
    assert repr(mask) == str(mask) == "Mask()"


@pytest.mark.parametrize("make_copy", COPIES)
def test_a_mask_is_neither_pickled_nor_copied(make_copy: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match=r"^a Mask is not pickled"):
        make_copy(Mask(Secret(KEY)))
