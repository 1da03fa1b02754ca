"""The HTTP library's errors → ours, told by their names, with nothing of the request in them."""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING, Final, NoReturn, cast

from dasp_async.errors import TransportError

if TYPE_CHECKING:
    from dasp_async.secret import Mask

# Raised by httpx, httpx2 and what builds on them before a byte of the request is written.
_NOT_SENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "InvalidURL",
    }
)
_PASSING: Final = frozenset({"TransportError", "OSError"})
_USERINFO: Final = r"(?<=://)[^/@\s]*@"
_STATUS: Final = r"(?a)\d{3}(?!\d)"
_REASON_LENGTH: Final = 200


def reraise_bare(stop: BaseException) -> NoReturn:
    """Raise a cancellation or the like again, without the frames it has passed through.

    It becomes the cause of what the caller sees, a TimeoutError say, and those frames hold the
    body, and so the key.
    """
    _strip(stop)
    raise stop


def _strip(error: BaseException) -> None:
    error.__cause__ = error.__context__ = error.__traceback__ = None
    if isinstance(error, BaseExceptionGroup):
        for member in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            _strip(member)


def mapped(error: Exception, operation: str, host: str, mask: Mask) -> TransportError:
    """Our error for one of the HTTP library's, told by the class names that it goes by."""
    names = _names(error)
    chain = _chain(error)
    untrusted = any(_is_a(link, "SSLCertVerificationError") for link in chain)
    return TransportError(
        f"{operation}: no answer from {host}: {type(error).__name__}: {_reason(chain, mask)}",
        operation=operation,
        transient=not untrusted and not names.isdisjoint(_PASSING),
        maybe_sent=names.isdisjoint(_NOT_SENT),
    )


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _is_a(error: BaseException, name: str) -> bool:
    # By name, since to import ssl takes a tenth of the time that this package does.
    return name in _names(error)


def _chain(error: BaseException) -> list[BaseException]:
    """An error and what it came from, outermost first."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = _first_of_group(link) or link.__cause__ or link.__context__
    return chain


def _first_of_group(error: BaseException) -> BaseException | None:
    """One of the errors of a connection tried at several addresses."""
    if not isinstance(error, BaseExceptionGroup):
        return None
    return cast("BaseExceptionGroup[BaseException]", error).exceptions[0]


def _reason(chain: list[BaseException], mask: Mask) -> str:
    """What the operating system said, where it did; proxies' passwords and the key left out."""
    # Their texts may quote a proxy's password.
    if type(chain[0]).__name__ == "InvalidURL":
        return "the endpoint's URL or a proxy's can't be read"
    if type(chain[0]).__name__ == "ProxyError":
        status = re.match(_STATUS, str(chain[0]))
        return f"the proxy answered {status[0]}" if status else "the proxy refused it"
    root = next((link for link in reversed(chain) if isinstance(link, OSError)), chain[0])
    text = re.sub(_USERINFO, "", mask(" ".join(str(root).split())))[:_REASON_LENGTH]
    meaning = _meaning(root)
    if meaning in text:
        return text or type(root).__name__
    return f"{meaning} ({text})"


def _meaning(error: BaseException) -> str:
    """The system's words for its error number, which asyncio at times replaces by its own."""
    number = getattr(error, "errno", None) or 0
    known = number in errno.errorcode and not _is_a(error, "SSLError")
    return os.strerror(number) if known else ""
