"""The inputs that are kept: one archive a target, each input under the outcome that it has."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import dasp_async

FOLDER: Final = Path(__file__).with_name("corpus")
_PACKAGE: Final = str(Path(dasp_async.__file__).parent)
_MOST: Final = 60
_MOST_BYTES: Final = 300_000


def entries(target: str) -> Iterator[tuple[str, bytes]]:
    """The kept inputs of a target, each after the outcome that it had when it was kept."""
    path = FOLDER / f"{target}.zip"
    if path.exists():
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name.rpartition("/")[0], archive.read(name)


def load(target: str) -> list[bytes]:
    """The kept inputs of a target."""
    return [data for _, data in entries(target)]


def keep(target: str, run: Callable[[bytes], str], inputs: Iterable[bytes]) -> str:
    """Keep those inputs, the shortest first, that go ways through the package not gone before."""
    kept: dict[str, bytes] = {}
    ways: set[Any] = set()
    for data in sorted(set(inputs), key=lambda each: (len(each), each)):
        outcome, gone = _traced(run, data)
        size = sum(map(len, kept.values())) + len(data)
        if gone <= ways or len(kept) == _MOST or size > _MOST_BYTES:
            continue
        ways |= gone
        kept[f"{outcome}/{hashlib.sha256(data).hexdigest()[:8]}"] = data
    with zipfile.ZipFile(FOLDER / f"{target}.zip", "w", zipfile.ZIP_LZMA) as archive:
        for name, data in sorted(kept.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_LZMA)
    return f"{len(kept)} inputs of {sum(map(len, kept.values()))} bytes"


def _traced(run: Callable[[bytes], str], data: bytes) -> tuple[str, set[Any]]:
    """The outcome of an input, and each step from line to line of the package on its way."""
    steps: set[Any] = set()
    last: dict[FrameType, int] = {}

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(_PACKAGE):
            return None
        if event == "line":
            steps.add((code.co_filename, last.get(frame, 0), frame.f_lineno))
            last[frame] = frame.f_lineno
        elif event == "return":
            last.pop(frame, None)
        return trace

    sys.settrace(trace)
    try:
        outcome = run(data)
    finally:
        sys.settrace(None)
    return outcome, {*steps, outcome}
