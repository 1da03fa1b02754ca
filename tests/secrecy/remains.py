"""All that an error or another object shows to whoever logs, prints, copies or walks it."""

from __future__ import annotations

import copy
import gc
import inspect
import io
import logging
import pickle
import re
import sys
import traceback
import types
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, cast

from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from dasp_async import DaspError
from tests.secrecy.search import found

TESTS: Final = str(Path(__file__).parents[1])
HTTP_LIBRARIES: Final = re.compile(r"[/\\](httpx2?|httpcore2?|h11|lxml)[/\\]")


def linked(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it holds, and all that it came from."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__]
        waiting += [value for value in vars(link).values() if isinstance(value, BaseException)]
        if isinstance(link, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", link).exceptions


def remains(error: BaseException) -> Iterator[tuple[str, str]]:
    """All that a log, a debugger or an error tracker may make of an error: a name, a text."""
    for link in linked(error):
        name = type(link).__name__
        yield f"repr of {name}", repr(link)
        yield f"text of {name}", str(link)
        yield f"args of {name}", repr(link.args)
        yield f"attributes of {name}", repr(vars(link))
        if isinstance(link, DaspError):
            pickled = pickle.dumps(link)
            yield f"pickle of {name}", pickled.decode("utf-8", "replace")
            unpickled: object = pickle.loads(pickled)  # noqa: S301 - our own
            yield f"what is unpickled of {name}", repr(vars(unpickled))
            yield f"copy of {name}", repr(vars(copy.copy(link)))
        yield from _of_frames(link)
    yield "format_exception", "".join(traceback.format_exception(error))
    yield from _captured_locals(error)


def _of_frames(error: BaseException) -> Iterator[tuple[str, str]]:
    seen: set[int] = set()
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if file.startswith(TESTS):
            continue
        for variable, value in frame.f_locals.items():
            place = f"{variable} in {file}:{line}"
            yield place, repr(value)
            yield f"what {place} consists of", pretty_repr(value)
            yield f"what {place} leads to", "\n".join(walked(value, seen))


def drawn_by_rich(error: BaseException) -> str:
    """An error as rich draws it with local variables, its wrapped lines joined."""
    console = Console(file=io.StringIO(), width=1000, color_system=None)
    trace = Traceback.extract(
        type(error),
        error,
        error.__traceback__,
        show_locals=True,
        locals_max_string=sys.maxsize,
        locals_max_length=sys.maxsize,
        locals_hide_dunder=False,
    )
    for frame in (frame for stack in trace.stacks for frame in stack.frames):
        if frame.filename.startswith(TESTS):
            frame.locals = None
        # What has no file has no source to be coloured, which takes most of the time.
        frame.filename = f"<{frame.filename}>"
    console.print(Traceback(trace, width=1000, show_locals=True))
    file = console.file
    assert isinstance(file, io.StringIO)
    return "".join(line.strip(" │") for line in file.getvalue().splitlines())


def _captured_locals(error: BaseException) -> Iterator[tuple[str, str]]:
    """The same frames as the standard library captures them, the tests' own left out."""
    captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    waiting: list[traceback.TracebackException | None] = [captured]
    while waiting:
        link = waiting.pop()
        if link is None:
            continue
        for frame in link.stack:
            if not frame.filename.startswith(TESTS):
                yield f"{frame.filename}:{frame.lineno}", repr(frame.locals)
        waiting += [link.__cause__, link.__context__, *(link.exceptions or [])]


def walked(value: object, seen: set[int], *, into: str = "dasp_async") -> Iterator[str]:
    """The reprs of an object, and of what its items, attributes and slots hold, ever deeper.

    into: the package whose objects' attributes are gone into; empty for anybody's.
    """
    if id(value) in seen or isinstance(value, (type, types.ModuleType, types.FunctionType)):
        return
    seen.add(id(value))
    yield repr(value)
    inside: list[object] = []
    if type(value).__module__.startswith(into):
        inside += vars(value).values() if hasattr(value, "__dict__") else ()
        for name, member in inspect.getmembers_static(type(value)):
            if isinstance(member, types.MemberDescriptorType):
                inside.append(getattr(value, name, None))
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        inside += cast("Iterable[object]", value)
    elif isinstance(value, dict):
        items = cast("dict[object, object]", value)
        inside += [*items, *items.values()]
    for held in inside:
        yield from walked(held, seen, into=into)


def holders(root: object, secrets: Iterable[str]) -> set[str]:
    """What holds a secret in memory: the class that hides it on the way there; empty for none."""
    leads = (type, types.ModuleType, types.CodeType, types.FrameType, logging.Logger)
    hiding = {"Secret", "Written", "Mask", "Concealed"}
    held: set[str] = set()
    seen: set[int] = set()
    waiting: list[tuple[object, str]] = [(root, "nothing that hides it")]
    while waiting:
        value, holder = waiting.pop()
        if id(value) in seen or isinstance(value, leads):
            continue
        seen.add(id(value))
        if isinstance(value, (str, bytes, bytearray)):
            text = value if isinstance(value, str) else value.decode("utf-8", "replace")
            if found(text, secrets):
                held.add(holder)
            continue
        if isinstance(value, types.FunctionType):
            inside: list[object] = [*(value.__closure__ or ()), *(value.__defaults__ or ())]
        else:
            inside = gc.get_referents(value)
        name = type(value).__name__
        holder = name if name in hiding else holder
        waiting += [(each, holder) for each in inside]
    return held


def assert_hidden(error: BaseException, *secrets: str) -> None:
    """No secret is in anything that an error leaves behind, nor a frame of the HTTP library's."""
    texts = list(remains(error))
    # At once, since nearly always there is nothing to be found.
    if found("\n\0".join(text for _, text in texts), secrets):
        leaks = {what: shown for what, text in texts if (shown := found(text, secrets))}
        raise AssertionError(leaks)
    for link in linked(error):
        for frame, _ in traceback.walk_tb(link.__traceback__):
            assert not HTTP_LIBRARIES.search(frame.f_code.co_filename)
        assert holders([link.args, vars(link)], secrets) == set()
