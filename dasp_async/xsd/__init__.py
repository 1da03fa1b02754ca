"""XSD text ↔ Python values, for the types that the service's contract uses."""

from __future__ import annotations

from dasp_async.xsd.content import (
    ITEM_NAMES,
    NIL,
    Content,
    Nil,
    checked_name,
    content_of,
    strings_to_content,
)
from dasp_async.xsd.moments import date_from_text, date_time_from_text, date_time_to_text
from dasp_async.xsd.numbers import (
    boolean_from_text,
    decimal_from_text,
    double_from_text,
    int_to_text,
    integer_from_text,
)
from dasp_async.xsd.text import guid_from_text, guid_to_text, read_guid, string_to_text

__all__ = [
    "ITEM_NAMES",
    "NIL",
    "Content",
    "Nil",
    "boolean_from_text",
    "checked_name",
    "content_of",
    "date_from_text",
    "date_time_from_text",
    "date_time_to_text",
    "decimal_from_text",
    "double_from_text",
    "guid_from_text",
    "guid_to_text",
    "int_to_text",
    "integer_from_text",
    "read_guid",
    "string_to_text",
    "strings_to_content",
]
