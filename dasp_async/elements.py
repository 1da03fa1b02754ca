"""An XML element of the service's → plain Python: dicts, lists and texts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from dasp_async.dataset import is_data_set, read_tables
from dasp_async.soap import XSI
from dasp_async.xsd import ITEM_NAMES

if TYPE_CHECKING:
    from lxml.etree import _Element

Plain: TypeAlias = (
    "str | bool | int | float | Decimal | date | bytes | list[Plain] | dict[str, Plain] | None"
)

_NIL: Final = f"{{{XSI}}}nil"


def to_python(element: _Element) -> Plain:
    """An element's content, by the names of its children without their namespaces.

    | the element | Python |
    | --- | --- |
    | `xsi:nil` | None |
    | has no elements in it | its text |
    | a DataSet | a dict of its tables, each a list of rows, each a dict of its columns |
    | an array: its elements have the name of an XSD type, or one name that comes again | a list |
    | anything else | a dict; what comes again in it is a list |

    Texts stay as they are, since only the service knows their types; but a DataSet says them.
    Raises `ValueError` for a DataSet that is not as its schema says.
    """
    if element.get(_NIL, "").strip() in {"true", "1"}:
        return None
    if not len(element):
        return element.text or ""
    if is_data_set(element):
        return cast("Plain", read_tables(element, str))
    names = [str(child.tag).rpartition("}")[2] for child in element]
    values = [to_python(child) for child in element]
    if len(set(names)) == 1 and (len(names) > 1 or names[0] in ITEM_NAMES):
        return list(values)
    members: dict[str, Plain] = {}
    for name in dict.fromkeys(names):
        found = [value for other, value in zip(names, values, strict=True) if other == name]
        members[name] = found if len(found) > 1 else found[0]
    return members
