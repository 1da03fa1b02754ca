"""Counts the awaits of all tasks that begin in a block, and acts at one; on any event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from functools import partial
from types import coroutine
from typing import Any

import sniffio
import trio


class Steps:
    """Counts how often a task that begins in its block is suspended, and acts at the `at`-th."""

    def __init__(self, at: int) -> None:
        self.count = 0
        self.act: Callable[[], object] = lambda: None
        self._at = at

    @property
    def has_acted(self) -> bool:
        """Whether it came to the `at`-th."""
        return self.count >= self._at

    @contextmanager
    def counted(self) -> Generator[None]:
        """The block."""
        is_trio = sniffio.current_async_library() == "trio"
        with _on_trio(self._step) if is_trio else _on_asyncio(self._step):
            yield

    def _step(self) -> None:
        self.count += 1
        if self.count == self._at:
            self.act()


class _Instrument(trio.abc.Instrument):
    def __init__(self, step: Callable[[], object]) -> None:
        self._step = step
        self._tasks = set[trio.lowlevel.Task]()

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        self._tasks.add(task)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        self._tasks.discard(task)

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task in self._tasks:
            self._step()


@contextmanager
def _on_trio(step: Callable[[], object]) -> Generator[None]:
    instrument = _Instrument(step)
    trio.lowlevel.add_instrument(instrument)
    try:
        yield
    finally:
        trio.lowlevel.remove_instrument(instrument)


@contextmanager
def _on_asyncio(step: Callable[[], object]) -> Generator[None]:
    def factory(loop: Any, inner: Any, **options: Any) -> asyncio.Task[Any]:
        return asyncio.Task(_watched(inner, step), loop=loop, **options)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    try:
        yield
    finally:
        loop.set_task_factory(None)


async def _watched(inner: Coroutine[Any, Any, Any], step: Callable[[], object]) -> Any:
    return await _stepped(inner, step)


@coroutine
def _stepped(
    inner: Coroutine[Any, Any, Any], step: Callable[[], object]
) -> Generator[Any, Any, Any]:
    resume: Callable[[], Any] = partial(inner.send, None)
    while True:
        try:
            awaited = resume()
        except StopIteration as end:
            return end.value
        step()
        try:
            resume = partial(inner.send, (yield awaited))
        except BaseException as error:  # noqa: BLE001 - it is for the coroutine
            resume = partial(inner.throw, error)
