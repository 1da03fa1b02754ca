"""XSD: its types, XML text ↔ Python values, as far as ASMX and this service's contract use it."""

from __future__ import annotations

from dasp_async.xsd.content import ITEM_NAMES, NIL, Content, Nil, content_of
from dasp_async.xsd.moments import date_time_from_text
from dasp_async.xsd.names import (
    MOST_IN_SCOPE,
    checked_name,
    expanded,
    is_name,
    local,
    namespace,
)
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
from dasp_async.xsd.text import XML_BLANKS, guid_from_text, read_job_id, string_to_text
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
    "MOST_IN_SCOPE",
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
    "expanded",
    "given",
    "guess",
    "guid_from_text",
    "is_name",
    "local",
    "namespace",
    "one_of",
    "read_job_id",
    "string_to_text",
]
