"""Qualified names in a WSDL's attributes, and the namespaces it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lxml.etree import _Element

WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"

# lxml lists all of them for each name that is looked up.
MOST_IN_SCOPE: Final = 100


def wsdl(name: str) -> str:
    """The tag of an element of WSDL 1.1's own."""
    return f"{{{WSDL}}}{name}"


def qualified(element: _Element, attribute: str) -> str:
    """The QName in an attribute as `{namespace}name`; empty if there is no such attribute.

    Raises `ValueError` where so many namespaces are declared that it would take too long.
    """
    prefix, _, name = element.get(attribute, "").strip().rpartition(":")
    if not name:
        return ""
    scope = element.nsmap
    if len(scope) > MOST_IN_SCOPE:
        raise ValueError(f"more than {MOST_IN_SCOPE} namespaces are declared in one place")
    return f"{{{scope.get(prefix or None, '')}}}{name}"


def local(name: str) -> str:
    """The local part of `{namespace}name`."""
    return name.rpartition("}")[2]


def namespace(name: str) -> str:
    """The namespace of `{namespace}name`, empty for none."""
    return name.rpartition("}")[0].lstrip("{")
