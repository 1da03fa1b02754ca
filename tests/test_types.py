"""What editors show of the public face: pinned by type, without `Any`, documented."""

from __future__ import annotations

import ast
import enum
import functools
import importlib
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, ForwardRef, Literal, NamedTuple, Protocol, cast, get_args, get_origin

import pytest

import dasp_async
import dasp_async.testing

PINS = Path(__file__).with_name("typing_api")
MODULES = (dasp_async, dasp_async.testing)
PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in MODULES
    for name in module.__all__
}

# By the exact place, and why no type would be true there.
ANY = {
    "HttpClient.build_request": "a request of a library that is not ours",
    "HttpClient.send": "that request, and the library's response",
    "FakeCustomerApi.__call__": "ASGI's own messages, whose values are of any type",
    "Values": "each row has parameters of its own, and its answer knows their types",
    "ReceivedCall.parameters": "texts, lists and records, as they were sent",
}


class Member(NamedTuple):
    """A member of a public class, and the class of ours that has it."""

    owner: type
    name: str
    value: object

    @property
    def annotations(self) -> list[object]:
        """What is said of its type, or of the types of its parameters and its result."""
        return list(getattr(function_of(self.value), "__annotations__", {}).values())


def function_of(value: object) -> object:
    if isinstance(value, property):
        return value.fget
    return inspect.unwrap(getattr(value, "__func__", value))  # type: ignore[arg-type]


def classes_of(kind: type) -> list[type]:
    """A class and its bases, those that are ours."""
    return [each for each in kind.__mro__ if each.__module__.startswith("dasp_async")]


def is_said(name: str) -> bool:
    return not name.startswith("_") or name in {"__init__", "__call__", "__aenter__", "__aexit__"}


def methods(kind: type) -> Iterator[Member]:
    """Methods and properties, but no constructor that a dataclass makes of its fields."""
    for owner in classes_of(kind):
        made = vars(owner).get("__dataclass_params__")
        for name, value in vars(owner).items():
            if not is_said(name) or (name == "__init__" and made is not None and made.init):
                continue
            if isinstance(value, property) or inspect.isfunction(function_of(value)):
                yield Member(owner, name, value)


def parts(kind: type) -> set[str]:
    """What a class is made of, and made with: its fields, its parameters, an enum's members."""
    if isinstance(kind, enum.EnumMeta):
        return set(kind.__members__)
    names = {each.name for each in vars(kind).get("__dataclass_fields__", {}).values()}
    if "__init__" in vars(kind) and Protocol not in kind.__bases__:
        names |= inspect.signature(kind).parameters.keys()
    return {name for name in names if not name.startswith("_")}


ALIASES = {
    name.rpartition(".")[2]
    for name, value in PUBLIC.items()
    if not inspect.isclass(value) and get_origin(value) is not None
}
PUBLIC_CLASSES = {
    name.rpartition(".")[2]: value for name, value in PUBLIC.items() if inspect.isclass(value)
}


@functools.cache
def names_in(module: str) -> dict[str, Any]:
    """A module's names, those too that only type checkers import."""
    found: dict[str, Any] = dict(vars(importlib.import_module(module)))
    tree = ast.parse(Path(found["__file__"]).read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(node.body, []), module, "exec"), found)  # noqa: S102 - our own source
    # Aliases that are public are looked behind once, as themselves.
    return found | dict.fromkeys(ALIASES & found.keys(), object)


def holds_any(
    annotation: object, names: dict[str, Any], seen: frozenset[str] = frozenset()
) -> bool:
    """Whether there is an `Any` in a type, behind the names of its aliases too."""
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        if annotation in seen:
            return False
        seen |= {annotation}
        return holds_any(eval(annotation, names), names, seen)  # noqa: S307 - our own source
    if get_origin(annotation) is Literal:
        return False
    # A callable's parameters come as a list.
    inner = (
        cast("list[object]", annotation) if isinstance(annotation, list) else get_args(annotation)
    )
    return annotation is Any or any(holds_any(each, names, seen) for each in inner)


def places_of_any() -> Iterator[str]:
    for name, value in PUBLIC.items():
        own = name.rpartition(".")[2]
        if not inspect.isclass(value):
            names = names_in(value.__module__) if inspect.isfunction(value) else {}
            said = list(value.__annotations__.values()) if names else [value]
            if any(holds_any(each, names) for each in said):
                yield own
            continue
        for kind in classes_of(value):
            names = names_in(kind.__module__)
            for attribute, annotation in inspect.get_annotations(kind).items():
                if is_said(attribute) and holds_any(annotation, names):
                    yield f"{own}.{attribute}"
        for member in methods(value):
            names = names_in(member.owner.__module__)
            if any(holds_any(each, names) for each in member.annotations):
                yield f"{own}.{member.name}"


def test_any_is_only_where_no_type_would_be_true() -> None:
    assert set(places_of_any()) == set(ANY)


def test_any_is_found_behind_an_alias() -> None:
    names = {"Any": Any, "Inner": "dict[str, Any] | list[Inner]", "Outer": "list[Inner] | None"}
    assert holds_any("Outer", names)
    assert not holds_any("Literal['Any'] | list[str] | Again", {"Literal": Literal, "Again": "int"})


@functools.cache
def pinned() -> tuple[frozenset[str], frozenset[str]]:
    """The names that the pins use, and the attributes and keywords."""
    nodes = [
        node
        for path in PINS.glob("*.py")
        if path.name != "refused.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    ]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    keywords = {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}
    return frozenset(names), frozenset(attributes | keywords)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_pinned(name: str) -> None:
    assert name.rpartition(".")[2] in pinned()[0]


# By class: what the checkers see all the same, since it is given by its place, or called by a row.
UNPINNED = {
    "Account": "add_alias add_mailbox all_aliases bandwidth_usage job_status update_alias",
    "BudgetExhausted": "message",
    "DaspError": "message",
    "HttpError": "message",
    "LockoutRisk": "message",
    "RedisBudget": "client_or_url",
    "Secret": "text",
    "SoapFault": "message",
    "SqliteBudget": "path",
    "TransportError": "message",
}


@pytest.mark.parametrize("name", PUBLIC_CLASSES)
def test_every_member_is_pinned(name: str) -> None:
    kind = PUBLIC_CLASSES[name]
    members = {each.name for each in methods(kind) if not each.name.startswith("_")}
    assert (members | parts(kind)) - pinned()[1] == set(UNPINNED.get(name, "").split())


def is_mentioned(name: str, text: str) -> bool:
    """Whether a docstring speaks of a name as they do here: in backticks or before a colon."""
    return re.search(rf"`{name}`|\b{name}(?:, \w+)*(?: and \w+)?:", text) is not None


@pytest.mark.parametrize("name", PUBLIC_CLASSES)
def test_every_class_says_what_it_is_made_of(name: str) -> None:
    kind = PUBLIC_CLASSES[name]
    own = vars(kind)["__doc__"]
    # What a dataclass has for want of a docstring
    assert own
    assert not own.startswith(f"{name}(")
    text = " ".join(inspect.getdoc(each) or "" for each in classes_of(kind))
    assert [part for part in sorted(parts(kind)) if not is_mentioned(part, text)] == []


@pytest.mark.parametrize("name", PUBLIC_CLASSES)
def test_every_method_is_documented(name: str) -> None:
    undocumented = [
        member.name
        for member in methods(PUBLIC_CLASSES[name])
        if not member.name.startswith("__") and not getattr(member.value, "__doc__", None)
    ]
    assert undocumented == []


def text_beneath(name: str, folder: Path) -> str | None:
    """The string literal beneath an assignment, which editors show for the name."""
    for path in sorted(folder.rglob("*.py")):
        body = ast.parse(path.read_text("utf-8")).body
        for node, following in pairwise(body):
            if (
                isinstance(node, ast.AnnAssign)
                and ast.unparse(node.target) == name
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
            ):
                return str(following.value.value)
    return None


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, value in PUBLIC.items()
        if not inspect.isclass(value) and not inspect.isfunction(value)
    ],
)
def test_every_constant_and_alias_is_documented_beneath(name: str) -> None:
    module, _, own = name.rpartition(".")
    folder = Path(str(importlib.import_module(module).__file__)).parent
    assert text_beneath(own, folder)
