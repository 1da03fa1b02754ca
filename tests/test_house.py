"""The house: imports go down, one room sleeps, one room knows httpx, and the door is `__all__`."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
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


def test_all_is_what_the_package_offers() -> None:
    door = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    for_checkers = next(node for node in ast.walk(door) if isinstance(node, ast.If))
    shown = {
        (alias.name, node.module)
        for node in for_checkers.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert {name for name, _ in shown} == set(dasp_async.__all__)
    assert set(dasp_async.__all__) <= set(dir(dasp_async))
    for name, module in shown:
        assert getattr(dasp_async, name) is getattr(sys.modules[str(module)], name)


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
