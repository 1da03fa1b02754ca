"""XSD: its types, XML text ↔ Python values, as far as ASMX and this service's contract use it."""

from __future__ import annotations

from dasp_async.xsd.content import ITEM_NAMES, NIL, Content, Nil, checked_name, content_of, is_name
from dasp_async.xsd.moments import date_time_from_text
from dasp_async.xsd.simple import (
    DATE_TIME,
    GUID,
    INT,
    JOB_ID,
    SIMPLE_TYPES,
    STRING,
    SimpleType,
    blank_separated,
    one_of,
)
from dasp_async.xsd.text import XML_BLANKS, guid_from_text, read_guid, string_to_text
from dasp_async.xsd.types import (
    ANY,
    DATA_SET,
    ArrayType,
    Element,
    OpaqueType,
    RecordType,
    XsdType,
    given,
    guess,
)

__all__ = [
    "ANY",
    "DATA_SET",
    "DATE_TIME",
    "GUID",
    "INT",
    "ITEM_NAMES",
    "JOB_ID",
    "NIL",
    "SIMPLE_TYPES",
    "STRING",
    "XML_BLANKS",
    "ArrayType",
    "Content",
    "Element",
    "Nil",
    "OpaqueType",
    "RecordType",
    "SimpleType",
    "XsdType",
    "blank_separated",
    "checked_name",
    "content_of",
    "date_time_from_text",
    "given",
    "guess",
    "guid_from_text",
    "is_name",
    "one_of",
    "read_guid",
    "string_to_text",
]
