"""A value and its type → its elements, as ASMX's serializer writes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from dasp_async.soap import XSD
from dasp_async.testing.markup import element, text_element
from dasp_async.testing.types import (
    ArrayType,
    DataSetType,
    Element,
    RecordType,
    SimpleType,
    ValueType,
)

_NIL: Final = 'xsi:nil="true"'
_MSDATA: Final = 'xmlns:msdata="urn:schemas-microsoft-com:xml-msdata"'
_DIFFGR: Final = 'xmlns:diffgr="urn:schemas-microsoft-com:xml-diffgram-v1"'


def write_value(name: str, kind: ValueType | DataSetType, value: Any) -> str:
    """The element of that name; nothing for a null, which is how ASMX writes it."""
    if isinstance(kind, SimpleType):
        value = kind.missing if value is None else value
        return "" if value is None else text_element(name, kind.to_text(value))
    return "" if value is None else element(name, _content(kind, value))


def _content(kind: ArrayType | RecordType | DataSetType, value: Any) -> str:
    if isinstance(kind, ArrayType):
        return "".join(_item(kind.item, each) for each in value)
    if isinstance(kind, RecordType):
        return _members(kind.members, value)
    return _schema(kind) + _diffgram(kind, value)


def _item(kind: ValueType, value: Any) -> str:
    # Unlike a member, an item that is null has a place to keep.
    return write_value(kind.name, kind, value) or element(kind.name, "", _NIL)


def _members(members: tuple[Element, ...], value: Any) -> str:
    return "".join(write_value(each.name, each.type, _get(value, each)) for each in members)


def _get(value: Any, member: Element) -> Any:
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)[member.key]
    return getattr(value, member.key)


def _schema(kind: DataSetType) -> str:
    columns = "".join(
        element("xs:element", "", f'name="{each.name}" type="xs:{each.type.name}" minOccurs="0"')
        for each in kind.columns
    )
    table = element("xs:element", _complex("sequence", columns), f'name="{kind.table}"')
    data_set = element(
        "xs:element",
        _complex("choice", table, 'minOccurs="0" maxOccurs="unbounded"'),
        f'name="{kind.name}" msdata:IsDataSet="true" msdata:UseCurrentLocale="true"',
    )
    return element("xs:schema", data_set, f'id="{kind.name}" xmlns="" xmlns:xs="{XSD}" {_MSDATA}')


def _complex(group: str, content: str, attributes: str = "") -> str:
    return element("xs:complexType", element(f"xs:{group}", content, attributes))


def _diffgram(kind: DataSetType, rows: Any) -> str:
    content = "".join(_row(kind, number, row) for number, row in enumerate(rows))
    data_set = element(kind.name, content, 'xmlns=""') if content else ""
    return element("diffgr:diffgram", data_set, f"{_MSDATA} {_DIFFGR}")


def _row(kind: DataSetType, number: int, row: Any) -> str:
    changes = ' diffgr:hasChanges="inserted"' if kind.has_changes else ""
    attributes = f'diffgr:id="{kind.table}{number + 1}" msdata:rowOrder="{number}"{changes}'
    return element(kind.table, "".join(_cell(each, row) for each in kind.columns), attributes)


def _cell(column: Element, row: Any) -> str:
    # A cell can be null whatever its type.
    value = _get(row, column)
    return "" if value is None else write_value(column.name, column.type, value)
