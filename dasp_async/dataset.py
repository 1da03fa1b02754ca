"""An ADO.NET DataSet on the wire → its rows: an inline XSD schema, then a diffgram.

The types stand in the schema and nowhere else, and a null column is absent. Rows of the diffgram's
`before` and `errors` parts are no rows. Names that are no XML names are encoded (`_x0020_`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from dasp_async.soap import XSD, is_nil
from dasp_async.xsd import SIMPLE_TYPES, expanded, local, namespace

if TYPE_CHECKING:
    from lxml.etree import _Element

_DIFFGRAM: Final = "urn:schemas-microsoft-com:xml-diffgram-v1"
_IS_DATA_SET: Final = "{urn:schemas-microsoft-com:xml-msdata}IsDataSet"

# A null takes no bytes on the wire, but it does in a row.
MOST_CELLS: Final = 500_000

# XmlConvert.EncodeName of .NET: four hexadecimal digits, or eight beyond the first plane
_ENCODED: Final = re.compile(r"_x([0-9A-Fa-f]{8}|[0-9A-Fa-f]{4})_")

Row = dict[str, Any]
_Columns = dict[str, Callable[[str], Any]]


def is_data_set(element: _Element) -> bool:
    """Whether an element holds a schema and a diffgram, and nothing else."""
    return [child.tag for child in element] == [f"{{{XSD}}}schema", f"{{{_DIFFGRAM}}}diffgram"]


def read_tables(element: _Element, mask: Callable[[str], str]) -> dict[str, list[Row]]:
    """The rows of each table that the schema has, a dict of its columns each; None is null.

    mask: goes over each text before it is read. Raises `ValueError` where it is no DataSet.
    """
    schemas = element.findall(f"{{{XSD}}}schema")
    diffgrams = element.findall(f"{{{_DIFFGRAM}}}diffgram")
    if len(schemas) != 1 or len(diffgrams) != 1:
        raise ValueError("it does not hold one schema and one diffgram, as a DataSet does")
    columns = {name: dict(_columns(table)) for name, table in _tables(schemas[0])}
    rows: dict[str, list[Row]] = {name: [] for name in columns}
    cells = 0
    for part in diffgrams[0]:
        if namespace(str(part.tag)) == _DIFFGRAM:
            continue
        for row in part:
            name = _name(row)
            if name in rows:
                cells += len(columns[name])
                if cells > MOST_CELLS:
                    raise ValueError(f"it has more than {MOST_CELLS} cells, null or not")
                rows[name].append(_row(row, columns[name], mask))
    return rows


def _tables(schema: _Element) -> Iterator[tuple[str, _Element]]:
    """The elements that are tables: those in the element that is the data set."""
    roots = schema.findall(f"{{{XSD}}}element")
    sets = [root for root in roots if root.get(_IS_DATA_SET) == "true"]
    for data_set in sets or roots[:1]:
        for table in data_set.iterfind(f"{{{XSD}}}complexType//{{{XSD}}}element"):
            if table.get("name") and table.find(f"{{{XSD}}}complexType") is not None:
                yield _decoded(table.get("name", "")), table


def _columns(table: _Element) -> Iterator[tuple[str, Callable[[str], Any]]]:
    """The columns of a table, and how their texts are read."""
    for column in table.iterfind(f"{{{XSD}}}complexType/{{{XSD}}}sequence/{{{XSD}}}element"):
        restriction = column.find(f"{{{XSD}}}simpleType/{{{XSD}}}restriction")
        kind = column.get("type")
        if kind is None and restriction is not None:
            kind = restriction.get("base")
        yield _decoded(column.get("name", "")), _reader(column, kind)


def _reader(element: _Element, kind: str | None) -> Callable[[str], Any]:
    """How texts of a type are read; those of one that XSD has not stay text."""
    named = expanded(kind or "", element)
    is_known = namespace(named) == XSD and local(named) in SIMPLE_TYPES
    return SIMPLE_TYPES[local(named)].from_text if is_known else str


def _row(row: _Element, columns: _Columns, mask: Callable[[str], str]) -> Row:
    values: Row = dict.fromkeys(columns)
    for cell in row:
        name = _name(cell)
        if name not in columns or is_nil(cell):
            continue
        if len(cell):
            raise ValueError(f"its column {name} holds elements, not text")
        try:
            values[name] = columns[name](mask(cell.text or ""))
        except ValueError as problem:
            raise ValueError(f"its column {name} {problem}") from None
    return values


def _name(element: _Element) -> str:
    return _decoded(local(str(element.tag)))


def _decoded(name: str) -> str:
    """A name as it was before `XmlConvert.EncodeName`."""
    return _ENCODED.sub(_character, name)


def _character(encoded: re.Match[str]) -> str:
    code = int(encoded[1], 16)
    # Half of a surrogate pair is no character: a text with one can't be written out.
    is_character = code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return chr(code) if is_character else encoded[0]
