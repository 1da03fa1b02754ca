"""Texts that must not be seen: `Secret` hides one, `Mask` strikes it out of other texts."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

MASKED: Final = "***"

# Shorter texts occur by chance in ordinary words; striking them out would garble every answer.
SHORTEST_MASKED: Final = 8
# Of longer ones a pattern of all spellings would take seconds to make.
LONGEST_SPELLED: Final = 1024

_ENTITIES: Final = {"<": "lt|", ">": "gt|", "&": "amp|", '"': "quot|", "'": "apos|"}
_SECRET_NAMES: Final = frozenset(
    {"password", "passphrase", "passwd", "pwd", "secret", "token", "credential", "apikey"}
)


def names_a_secret(name: str) -> bool:
    """Whether what has this name is to be hidden, as `newPassword` is."""
    return any(word in name.casefold() for word in _SECRET_NAMES)


class Secret:
    """A text that shows itself only when asked to by `reveal`.

    Its `repr` and `str` hide it and it does not pickle, so that neither a log line nor an
    error tracker which collects local variables can let it out. text: any, an empty one too.
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

    One of more than 1024 only as it is.
    An answer can echo what was sent: plain, escaped for XML, URLs, JSON or C, in base64, also
    amidst other bytes, in hex, or read in the wrong encoding.
    """

    __slots__ = ("_strike",)

    def __init__(self, *secrets: Secret) -> None:
        spellings = {
            spelling
            for secret in secrets
            if len(secret.reveal()) >= SHORTEST_MASKED
            for spelling in _spellings(secret)
        }
        self._strike: Callable[[str], str] = str
        if spellings:
            pattern = re.compile("|".join(sorted(spellings, key=len, reverse=True)))
            # In a function, as in `Secret`: a pattern shows what it looks for.
            self._strike = lambda text: pattern.sub(MASKED, text)

    def __call__(self, text: str) -> str:
        """The text with every spelling of a secret replaced by three asterisks."""
        # No spelling is shorter than its secret.
        return text if len(text) < SHORTEST_MASKED else self._strike(text)

    def __repr__(self) -> str:
        return "Mask()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Mask is not pickled: it holds secrets")


def _spellings(secret: Secret) -> Iterator[str]:
    if len(secret.reveal()) > LONGEST_SPELLED:
        yield re.escape(secret.reveal())
    else:
        yield from _escaped(secret)
        yield from _encoded(secret)


def _escaped(secret: Secret) -> set[str]:
    """Patterns of a secret as text: each character as it is or in any way to escape it."""
    plain = secret.reveal()
    # What goes into one line has its blanks joined.
    texts = (plain, plain.replace("\\", "\\\\"), " ".join(plain.split()))
    return {"".join(map(_letter, text)) for text in texts if len(text) >= SHORTEST_MASKED}


def _letter(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        return letter
    utf8 = letter.encode("utf-8", "surrogatepass")
    # What an answer in the wrong encoding, or one of ASCII alone, makes of it
    plain = {letter} if letter.isascii() else {letter, utf8.decode("latin-1"), "\ufffd", "?"}
    plain |= {"+"} if letter == " " else set()
    # Not any number of backslashes, since each of thousands could begin one.
    slashes = "" if letter == "\\" else r"\\{0,8}"
    escapes = [
        f"{slashes}&(?:amp;)*(?:{_ENTITIES.get(letter, '')}#0*{ord(letter)}|#x0*{ord(letter):x});",
        "".join(f"%{byte:02x}" for byte in utf8),
    ]
    # That of a backslash is two, which would be read in too many ways here.
    if letter != "\\":
        units = letter.encode("utf-16-be", "surrogatepass").hex("-", 2).split("-")
        escapes += [
            "".join(rf"\\{{1,8}}u{unit}" for unit in units),
            "".join(rf"\\{{1,8}}x{byte:02x}" for byte in utf8),
            rf"\\{{1,8}}(?:x{ord(letter):02x}|{re.escape(letter)})",
        ]
    return f"(?:{'|'.join(map(re.escape, plain))}|(?i:{'|'.join(escapes)}))"


def _encoded(secret: Secret) -> Iterator[str]:
    """Patterns of a secret in hex and in base64, whose letters depend on where it begins."""
    for encoding in ("utf-8", "utf-16-le"):
        data = secret.reveal().encode(encoding, "surrogatepass")
        yield from (data.hex(), data.hex().upper())
        whole = [data, *(data[start:][: (len(data) - start) // 3 * 3] for start in range(3))]
        for text in (base64.b64encode(each).decode().rstrip("=") for each in whole):
            yield re.escape(text)
            yield re.escape(text.replace("+", "-").replace("/", "_"))
