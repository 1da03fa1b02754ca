"""Names in XML: which it allows, and the parts of qualified ones, `{namespace}name`."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lxml.etree import _Element

# lxml lists all of them for each name that is looked up.
MOST_IN_SCOPE: Final = 100

# Namespaces in XML section 3, production [4] NCName, of XML 1.0's productions [4] and [4a]
_NAME_START: Final = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)


def is_name(text: str) -> bool:
    """Whether an element can be called so."""
    return _name().fullmatch(text) is not None


@cache
def _name() -> re.Pattern[str]:
    # Not at import: so many ranges take milliseconds.
    return re.compile(f"[{_NAME_START}][{_NAME_START}.0-9\xb7\u0300-\u036f\u203f\u2040-]*")


def checked_name(name: object) -> str:
    """The name of an element; raises `ValueError`."""
    if not isinstance(name, str) or not is_name(name):
        raise ValueError(f"must have names that XML allows; got {name!r}")
    return name


def expanded(name: str, element: _Element) -> str:
    """A `prefix:name` that stands in an element as `{namespace}name`; empty for an empty one.

    Raises `ValueError` where so many namespaces are declared that it would take too long.
    """
    prefix, _, own = name.rpartition(":")
    if not own:
        return ""
    scope = element.nsmap
    if len(scope) > MOST_IN_SCOPE:
        raise ValueError(f"more than {MOST_IN_SCOPE} namespaces are declared in one place")
    return f"{{{scope.get(prefix or None, '')}}}{own}"


def local(name: str) -> str:
    """The local part of `{namespace}name`."""
    return name.rpartition("}")[2]


def namespace(name: str) -> str:
    """The namespace of `{namespace}name`, empty for none."""
    return name.rpartition("}")[0].lstrip("{")
