"""Texts that must not be seen: `Secret` hides one, `Mask` strikes it out of other texts."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html import escape
from typing import Any, Final, NoReturn
from urllib.parse import quote, quote_plus

MASKED: Final = "***"

# Shorter texts occur by chance in ordinary words; striking them out would garble every answer.
SHORTEST_MASKED: Final = 8

_SECRET_NAMES: Final = frozenset(
    {"password", "passphrase", "passwd", "pwd", "secret", "token", "credential", "apikey"}
)


def names_a_secret(name: str) -> bool:
    """Whether what has this name is to be hidden, as `newPassword` is."""
    return any(word in name.casefold() for word in _SECRET_NAMES)


class Secret:
    """A text that shows itself only when asked to by `reveal`.

    Its `repr` and `str` hide it and it does not pickle, so that neither a log line nor an
    error tracker which collects local variables can let it out.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        # In a function, since trackers print plain values and pretty printers follow attributes.
        self._text: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """The text itself. Use the result in an expression; never bind it to a name."""
        return self._text()

    def __repr__(self) -> str:
        return f"Secret({MASKED!r})"

    def __str__(self) -> str:
        return MASKED

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: it would be written out in plain")


class Concealed:
    """A value with secrets in it, as a mapping with a password has; it shows itself as little.

    secrets: those in it, for a `Mask`.
    """

    __slots__ = ("_value", "secrets")

    def __init__(self, value: object, *secrets: Secret) -> None:
        # In a function, as in `Secret`
        self._value: Callable[[], object] = lambda: value
        self.secrets = secrets

    def reveal(self) -> object:
        """The value itself, to be used as `Secret.reveal`."""
        return self._value()

    def __repr__(self) -> str:
        return f"Concealed({MASKED!r})"


class Mask:
    """Replaces the secrets of 8 characters and more in a text, however they are spelled there.

    An answer can echo what was sent: plain, XML-escaped, URL-encoded or in base64.
    """

    __slots__ = ("_pattern",)

    def __init__(self, *secrets: Secret) -> None:
        spellings = {
            spelling
            for secret in secrets
            if len(secret.reveal()) >= SHORTEST_MASKED
            for spelling in _spellings(secret)
            if len(spelling) >= SHORTEST_MASKED
        }
        longest_first = sorted(spellings, key=len, reverse=True)
        self._pattern: re.Pattern[str] | None = (
            re.compile("|".join(map(re.escape, longest_first))) if spellings else None
        )

    def __call__(self, text: str) -> str:
        """The text with every spelling of a secret replaced by three asterisks."""
        return text if self._pattern is None else self._pattern.sub(MASKED, text)

    def __repr__(self) -> str:
        return "Mask()"

    def __reduce__(self) -> Any:
        raise TypeError("a Mask is not pickled: it holds secrets")


def _spellings(secret: Secret) -> set[str]:
    plain = secret.reveal()
    # XML writers differ in the quotes that they escape.
    escaped = escape(plain, quote=False)
    return {
        plain,
        " ".join(plain.split()),
        escaped,
        escaped.replace('"', "&quot;"),
        escaped.replace('"', "&quot;").replace("'", "&apos;"),
        quote(plain, safe=""),
        quote_plus(plain),
        base64.b64encode(plain.encode("utf-8", "surrogatepass")).decode().rstrip("="),
    }
