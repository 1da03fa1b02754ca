"""The two SOAP versions as data: namespaces, media types, null, where a fault keeps its parts."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lxml.etree import _Element

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XSD: Final = "http://www.w3.org/2001/XMLSchema"
_NIL: Final = f"{{{XSI}}}nil"


class SoapVersion(enum.Enum):
    """A version of SOAP: `SOAP_1_1` or `SOAP_1_2`; `SoapVersion("1.2")` finds one by its number."""

    SOAP_1_1 = "1.1"
    SOAP_1_2 = "1.2"

    @property
    def namespace(self) -> str:
        """The namespace of the envelope (SOAP 1.1 section 3; SOAP 1.2 part 1 section 5.1)."""
        return _NAMESPACES[self]

    @property
    def media_type(self) -> str:
        """The media type of a message (SOAP 1.1 section 6; RFC 3902 for SOAP 1.2)."""
        return _MEDIA_TYPES[self]

    @property
    def prefix(self) -> str:
        """The prefix that the service's help page writes before the envelope's elements."""
        return _PREFIXES[self]


_NAMESPACES: Final = {
    SoapVersion.SOAP_1_1: "http://schemas.xmlsoap.org/soap/envelope/",
    SoapVersion.SOAP_1_2: "http://www.w3.org/2003/05/soap-envelope",
}
_MEDIA_TYPES: Final = {
    SoapVersion.SOAP_1_1: "text/xml",
    SoapVersion.SOAP_1_2: "application/soap+xml",
}
_PREFIXES: Final = {
    SoapVersion.SOAP_1_1: "soap",
    SoapVersion.SOAP_1_2: "soap12",
}


def is_nil(element: _Element) -> bool:
    """Whether an element's value is null (XML Schema part 1 section 2.6.2)."""
    nil = element.get(_NIL)
    return nil is not None and nil.strip() in {"true", "1"}


def is_soap(content_type: str) -> bool:
    """Whether a Content-Type header, whatever its parameters, is that of either version."""
    return content_type.partition(";")[0].strip().lower() in _MEDIA_TYPES.values()


# ASMX puts an unqualified <detail> into SOAP 1.2 faults, and other stacks mix the versions
# further: a fault's part is known by its local name in either version's namespace or none.
FAULT_NAMESPACES: Final = frozenset({None, *_NAMESPACES.values()})


class FaultPart(enum.Enum):
    """What a fault can tell, whatever the version that tells it."""

    CODE = enum.auto()
    REASON = enum.auto()
    ACTOR = enum.auto()
    NODE = enum.auto()
    DETAIL = enum.auto()


# SOAP 1.1 section 4.4; SOAP 1.2 part 1 section 5.4
FAULT_PARTS: Final[Mapping[str, FaultPart]] = MappingProxyType(
    {
        "faultcode": FaultPart.CODE,
        "faultstring": FaultPart.REASON,
        "faultactor": FaultPart.ACTOR,
        "detail": FaultPart.DETAIL,
        "Code": FaultPart.CODE,
        "Reason": FaultPart.REASON,
        "Role": FaultPart.ACTOR,
        "Node": FaultPart.NODE,
        "Detail": FaultPart.DETAIL,
    }
)
