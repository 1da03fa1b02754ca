"""The house: imports go down, one room sleeps, one room knows httpx, and the door is `__all__`."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import dasp_async
from tests.house import FLOORS, PACKAGE, PICTURE, draw

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def room_of(path: Path) -> str:
    return name_of(path).partition(".")[0]


def imports_at_run_time(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports_at_run_time(node)


def imported(path: Path) -> set[str]:
    return set(imports_at_run_time(ast.parse(path.read_text("utf-8"))))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_to_lower_floors_only(path: Path) -> None:
    own = room_of(path)
    rooms = {name.split(".")[1] for name in imported(path) if name.startswith("dasp_async.")}
    rooms &= FLOOR_OF.keys() - {own}
    assert [room for room in rooms if FLOOR_OF[room] >= FLOOR_OF[own]] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_says_its_one_job(path: Path) -> None:
    assert (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").strip()


def test_the_picture_shows_the_house_as_it_is() -> None:
    """If it does not: `python -m tests.house` draws it anew; look at it before you commit it."""
    assert PICTURE.read_text("utf-8") == draw()
    assert sorted(re.findall(r'class="name">(\w+)</tspan>', draw())) == sorted(FLOOR_OF)


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("asyncio", set[str]()),
        ("httpx", {"transport"}),
        ("lxml", {"envelope", "response"}),
        ("typer", {"cli"}),
        ("rich", {"cli"}),
        ("uvicorn", {"cli"}),
        ("redis", {"budget"}),
        ("pytest", set[str]()),
    ],
)
def test_a_library_is_known_to_its_rooms_alone(library: str, rooms: set[str]) -> None:
    users = {
        room_of(path)
        for path in FILES
        if any(name.split(".")[0] == library for name in imported(path))
    }
    assert users == rooms


def test_only_the_clock_sleeps() -> None:
    sleepers = {
        room_of(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"anyio.sleep", "time.sleep"}
    }
    assert sleepers == {"clock"}


DOOR = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
# What checkers see, name by module; a table says the same to the interpreter.
SHOWN = {
    alias.name: str(node.module)
    for block in DOOR.body
    if isinstance(block, ast.If)
    for node in block.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}


def test_all_is_what_the_package_offers() -> None:
    assert set(dasp_async.__all__) == SHOWN.keys()
    assert set(dasp_async.__all__) <= set(dir(dasp_async))
    for name, module in SHOWN.items():
        assert getattr(dasp_async, name) is getattr(sys.modules[module], name)


def test_checkers_and_the_interpreter_are_told_of_the_same_modules() -> None:
    (table,) = (
        ast.literal_eval(node.value)
        for node in DOOR.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_NAMES"
    )
    assert {name: module for module, names in table.items() for name in names} == SHOWN


@pytest.mark.parametrize(("name", "module"), SHOWN.items())
def test_a_folder_is_asked_for_the_names_that_it_has(name: str, module: str) -> None:
    """Else two threads that import at once could hold what the other needs."""
    folder = import_module(module.rpartition(".")[0])
    assert folder is dasp_async or name not in getattr(folder, "__all__", ())


def test_a_name_that_is_not_offered_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute"):
        dasp_async.nothing  # type: ignore[attr-defined]  # noqa: B018 - asked for in vain  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("name", dasp_async.__all__)
def test_everything_offered_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(dasp_async, name))


def test_the_package_alone_imports_nothing() -> None:
    program = (
        "import sys; before = set(sys.modules); import dasp_async;"
        "print(*sorted(set(sys.modules) - before - {'__future__', 'typing', 'dasp_async'}))"
    )
    run = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    assert {name.partition(".")[0] for name in run.stdout.split()} & {"dasp_async", "lxml"} == set()


def test_a_client_imports_no_more_than_it_needs() -> None:
    program = (
        "import sys, dasp_async; dasp_async.CustomerApi('a-key');"
        "print(*sorted({'httpx', 'httpcore', 'typer', 'rich', 'uvicorn', 'sqlite3', 'redis',"
        " 'asyncio', 'trio', 'lxml.html', 'lxml.objectify'} & set(sys.modules)))"
    )
    run = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    assert run.stdout.split() == []
