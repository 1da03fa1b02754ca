"""XSD's complex types as far as ASMX makes them, and the elements that types belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, NoReturn, Self, TypeAlias, cast

from dasp_async.xsd.content import NIL, Content, content_of
from dasp_async.xsd.simple import SimpleType


class Element(NamedTuple):
    """An element: a parameter, a result, a member of a record, an item of an array.

    required: whether it must be there (minOccurs is 1 or more), as for all of .NET's value types.
    nillable: whether `xsi:nil` may stand for its value.
    """

    name: str
    type: XsdType
    required: bool = False
    nillable: bool = False

    def to_content(self, value: object) -> Content:
        """What stands in it for a value; raises `ValueError`, without showing the value."""
        if value is NIL and not isinstance(self.type, AnyType):
            if not self.nillable:
                raise ValueError("can't be NIL; None leaves out what may be left out")
            return NIL
        return self.type.to_content(value)

    def __str__(self) -> str:
        return f"{self.name}: {self.type.name}"


class ArrayType:
    """An array: its items are elements of one name. `name` is as C# has it, `string[]`.

    It may contain itself, and is made before its item then.
    """

    __slots__ = ("item", "name")

    def __init__(self, name: str, item: Element) -> None:
        self.name = name
        self.item = item

    def __repr__(self) -> str:
        return f"ArrayType({self.name!r})"

    @classmethod
    def of(cls, item: Element) -> Self:
        """The array of such items."""
        return cls(f"{item.type.name}[]", item)

    def to_content(self, value: object) -> Content:
        """The items of a list or another iterable, in order."""
        # A text or a mapping is iterable too, and never what is meant.
        got = type(value).__name__
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise ValueError(f"must be a list, not {got}")  # noqa: TRY004 - one kind for all
        content: list[tuple[str, Content]] = []
        for place, each in enumerate(cast("Iterable[object]", value)):
            try:
                content.append((self.item.name, self.item.to_content(each)))
            except ValueError as problem:
                raise ValueError(f"[{place}] {problem}") from None
        return content


class RecordType:
    """A sequence of members, which may contain it as an array may itself."""

    __slots__ = ("members", "name")

    def __init__(self, name: str, members: tuple[Element, ...]) -> None:
        self.name = name
        self.members = members

    def __repr__(self) -> str:
        return f"RecordType({self.name!r})"

    def to_content(self, value: object) -> Content:
        """The members that a mapping gives, as `given` takes them."""
        if not isinstance(value, Mapping):
            raise ValueError(f"must be a mapping, not {type(value).__name__}")  # noqa: TRY004 - one kind for all
        content: list[tuple[str, Content]] = []
        for member, each in given(self.members, cast("Mapping[object, object]", value), "members"):
            try:
                content.append((member.name, member.to_content(each)))
            except ValueError as problem:
                raise ValueError(f"{member.name} {problem}") from None
        return content


class OpaqueType(NamedTuple):
    """A type of which no value can be written here, and the reason."""

    name: str
    reason: str

    def to_content(self, _value: object) -> NoReturn:
        """Raise `ValueError`."""
        raise ValueError(f"is of type {self.name}, which {self.reason}")


class AnyType(NamedTuple):
    """A type of which nothing is known: values are written by their own types, unchecked."""

    name: str = "any"

    def to_content(self, value: object) -> Content:
        """What `content_of` makes of it."""
        return content_of(value)


XsdType: TypeAlias = "SimpleType | ArrayType | RecordType | OpaqueType | AnyType"

ANY: Final = AnyType()
DATA_SET: Final = OpaqueType("DataSet", "is read here, and not written")


def given(
    elements: Sequence[Element], values: Mapping[object, object], what: str
) -> list[tuple[Element, object]]:
    """The elements of a sequence that a mapping has values for, and their values.

    All must be named, in their order; None leaves out one that is not required. Raises
    `ValueError` otherwise, since ASMX would read what is misspelt or missing as null.

    what: what the names are called in the message.
    """
    names = [element.name for element in elements]
    for name in values:
        if name not in names:
            meant = guess(name, names)
            hint = f"did you mean {meant!r}?" if meant else f"they are {', '.join(names) or 'none'}"
            raise ValueError(f"{what} have no {name!r}; {hint}")
    missing = [element for element in elements if element.name not in values]
    if missing:
        optional = ", ".join(element.name for element in missing if not element.required)
        hint = f"; None leaves out {optional}, which the service reads as null" if optional else ""
        raise ValueError(f"{what} lack {', '.join(each.name for each in missing)}{hint}")
    if list(values) != names:
        raise ValueError(f"{what} must be in the order {', '.join(names)}")
    for element in elements:
        if values[element.name] is None and element.required:
            raise ValueError(f"{element.name} must not be None: the service requires it")
    return [
        (element, values[element.name]) for element in elements if values[element.name] is not None
    ]


def guess(name: object, names: Iterable[str]) -> str | None:
    """The one of some names that was meant, perhaps."""
    from difflib import get_close_matches  # noqa: PLC0415 - slow to import, seldom needed

    by_fold = {each.casefold(): each for each in names}
    close = get_close_matches(str(name).casefold(), by_fold, n=1)
    return by_fold[close[0]] if close else None
