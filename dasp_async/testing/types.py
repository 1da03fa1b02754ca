"""The types that the fake's contract is made of, and how .NET reads and writes their texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID

from dasp_async.secret import Secret
from dasp_async.testing import checks
from dasp_async.xsd import XML_BLANKS, date_time_from_text

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MIN_VALUE: Final = datetime.min  # noqa: DTZ901 - .NET's DateTime.MinValue has no zone either
_MAX_VALUE: Final = "9999-12-31T23:59:59.999999"
_INTEGER: Final = re.compile(r"[+-]?\d{1,100}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:\d{1,100}\.?\d{0,100}|\.\d{1,100})", re.ASCII)
# .NET's Decimal.MaxValue
LARGEST_DECIMAL: Final = 2**96 - 1
_EXACT: Final = Context(prec=300)
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class SimpleType:
    """A type whose values are texts.

    name: as XSD has it. missing: what ASMX reads where the element is missing, and writes for
    None; None itself for a type that can be null. from_text: raises `ValueError` with the
    runtime's text. prefix: of its namespace in the WSDL.
    """

    name: str
    missing: object
    from_text: Callable[[str], object]
    to_text: Callable[[Any], str]
    prefix: str = "s"


@dataclass(frozen=True, slots=True)
class ArrayType:
    """An array, whose values are sequences; None is null. Its names are those that ASMX gives.

    item: the type of each.
    """

    item: ValueType

    def __post_init__(self) -> None:
        checks.kind_of("item", self.item, ValueType)

    @property
    def name(self) -> str:
        """`ArrayOfString` for strings."""
        return f"ArrayOf{self.item.name[0].upper()}{self.item.name[1:]}"

    @property
    def missing(self) -> None:
        """Null is read where the element is missing."""


@dataclass(frozen=True, slots=True)
class RecordType:
    """A complex type of elements in a sequence.

    name: in the WSDL. members: in their order. A value that is answered is a mapping or an
    object with attributes, by the elements' keys; one that was sent is a dict by them. None is
    null.
    """

    name: str
    members: tuple[Element, ...]

    def __post_init__(self) -> None:
        checks.xml_name("name", self.name)
        object.__setattr__(self, "members", checks.each_kind_of("members", self.members, Element))

    @property
    def missing(self) -> None:
        """Null is read where the element is missing."""


ValueType: TypeAlias = SimpleType | ArrayType | RecordType


@dataclass(frozen=True, slots=True)
class Element:
    """A parameter, a member of a record, or a column.

    name: on the wire. type: of its values. key: what it is called in Python, as the key of a
    mapping or as an attribute; empty for the name itself. Change the name and keep the key, and
    the fake's own answers go on to find it.
    """

    name: str
    type: ValueType
    key: str = ""

    def __post_init__(self) -> None:
        checks.xml_name("name", self.name)
        checks.kind_of("type", self.type, ValueType)
        checks.kind_of("key", self.key, str)
        if not self.key:
            object.__setattr__(self, "key", self.name)


@dataclass(frozen=True, slots=True)
class DataSetType:
    """An ADO.NET DataSet of one table; an answer is a sequence of rows, as records are.

    table: the name of its rows' elements. columns: in their order. name: the data set's.
    has_changes: whether the rows are marked as inserted, which rows are
    that were made in the service's own code and not read from a database.
    Raises `ValueError` for a column of a type that XSD itself does not have.
    """

    table: str
    columns: tuple[Element, ...]
    name: str = "NewDataSet"
    has_changes: bool = False

    def __post_init__(self) -> None:
        for name in ("table", "name"):
            checks.xml_name(name, getattr(self, name))
        checks.kind_of("has_changes", self.has_changes, bool)
        object.__setattr__(self, "columns", checks.each_kind_of("columns", self.columns, Element))
        for column in self.columns:
            if not isinstance(column.type, SimpleType) or column.type.prefix != "s":
                raise ValueError(f"columns must be of XSD's simple types, unlike {column.name}")


def _guid_from_text(text: str) -> UUID:
    spelling = text.strip()
    if not spelling:
        raise ValueError("Unrecognized Guid format.")
    try:
        guid = UUID(spelling.strip("{}()"))
    except ValueError:
        guid = UUID(int=0)
    # UUID reads more than .NET does.
    if spelling.lower() not in {str(guid), guid.hex, f"{{{guid}}}", f"({guid})"}:
        raise ValueError(
            "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
        )
    return guid


def _integer_from_text(bits: int) -> Callable[[str], int]:
    def from_text(text: str) -> int:
        spelling = text.strip(XML_BLANKS)
        if _INTEGER.fullmatch(spelling) is None:
            raise ValueError("Input string was not in a correct format.")
        number = int(spelling)
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError(f"Value was either too large or too small for an Int{bits}.")
        return number

    return from_text


def _decimal_from_text(text: str) -> Decimal:
    spelling = text.strip(XML_BLANKS)
    if _DECIMAL.fullmatch(spelling) is None:
        raise ValueError("Input string was not in a correct format.")
    number = Decimal(spelling)
    if number.copy_abs() > LARGEST_DECIMAL:
        raise ValueError("Value was either too large or too small for a Decimal.")
    # What .NET has no room for is rounded off: 28 places at most, in 96 bits with all the rest.
    places = min(max(-int(number.as_tuple().exponent), 0), 28)
    while number.scaleb(places, _EXACT).copy_abs() > LARGEST_DECIMAL:
        places -= 1
    rounded = number.quantize(Decimal(1).scaleb(-places), context=_EXACT)
    # Nor has its zero a sign.
    return rounded or rounded.copy_abs()


def _boolean_from_text(text: str) -> bool:
    spelling = text.strip(XML_BLANKS)
    if spelling not in _BOOLEANS:
        raise ValueError(f"The string '{spelling}' is not a valid Boolean value.")
    return _BOOLEANS[spelling]


def _date_time_from_text(text: str) -> datetime:
    try:
        # .NET reads a day alone too, as its midnight, but not XSD's midnight of the day before.
        day = _DAY.fullmatch(text.strip())
        moment = date_time_from_text(f"{day[0]}T00:00:00" if day else text)
        moment = None if "T24" in text else moment
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError(f"The string '{text}' is not a valid AllXsd value.")
    return moment


def _date_time_to_text(moment: datetime) -> str:
    text = moment.replace(tzinfo=None).isoformat(timespec="microseconds")
    # .NET counts in 100 ns, so its largest date has a digit more than Python's.
    text = f"{text}9" if text == _MAX_VALUE else text.rstrip("0").rstrip(".")
    return text + _offset(moment)


def _offset(moment: datetime) -> str:
    offset = moment.utcoffset()
    if offset is None:
        return ""
    if moment.tzinfo is UTC:
        return "Z"
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"


STRING: Final = SimpleType("string", None, str, str)
"""Values are str; None is null."""
SECRET: Final = SimpleType("string", None, Secret, Secret.reveal)
"""A string that is shown nowhere: values are `Secret`s; None is null."""
BOOLEAN: Final = SimpleType(
    "boolean", False, _boolean_from_text, lambda value: "true" if value else "false"
)
"""Values are bool; ASMX reads what is missing as False."""
INT: Final = SimpleType("int", 0, _integer_from_text(32), str)
"""Values are int of 32 bits; ASMX reads what is missing as 0."""
LONG: Final = SimpleType("long", 0, _integer_from_text(64), str)
"""Values are int of 64 bits; ASMX reads what is missing as 0."""
DECIMAL: Final = SimpleType(
    "decimal", Decimal(), _decimal_from_text, lambda value: f"{Decimal(value):f}"
)
"""Values are `Decimal`; ASMX reads what is missing as 0."""
DATE_TIME: Final = SimpleType("dateTime", _MIN_VALUE, _date_time_from_text, _date_time_to_text)
"""Values are datetime, aware or not; ASMX reads what is missing as 0001-01-01."""
GUID: Final = SimpleType("guid", UUID(int=0), _guid_from_text, str, "s1")
"""Values are `UUID`; ASMX reads what is missing as all zeros."""
STRINGS: Final = ArrayType(STRING)
"""Values are sequences of str; None is null."""
