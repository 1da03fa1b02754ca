"""The house as a picture: `python -m tests.house` writes house.svg from the rooms themselves."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

import dasp_async

PACKAGE: Final = Path(dasp_async.__file__).parent
PICTURE: Final = Path(__file__).with_suffix(".svg")
FLOORS: Final = [
    {"clock", "messages", "models", "secret", "soap", "xsd"},
    {"arguments", "dataset", "errors", "operations", "wsdl"},
    {"adhoc", "budget", "elements", "envelope", "exchanges", "response", "transport"},
    {"drift", "guard", "polling"},
    {"calls"},
    {"jobs", "service", "settings"},
    {"client"},
    {"testing"},
    {"cli"},
    {"__main__"},
]


class Bay(NamedTuple):
    """Rooms side by side, sharing the width; without names, all of the floor that no bay names."""

    left: int
    right: int
    rooms: tuple[str, ...] = ()
    gap: int = 8


WHOLE_WIDTH: Final = [[Bay(20, 672)]]
# Floors whose rooms make way for the lines, each as its rows from the top down.
BAYS: Final = {
    1: [[Bay(20, 500), Bay(508, 672, ("wsdl",))]],
    2: [
        [Bay(60, 672, ("envelope", "budget", "response"), gap=40)],
        [Bay(20, 442), Bay(452, 672, ("transport",))],
    ],
    3: [[Bay(60, 632)]],
    4: [[Bay(20, 450)]],
    5: [[Bay(60, 632, ("settings", "service", "jobs"))]],
    7: [[Bay(96, 596)]],
    8: [[Bay(152, 540)]],
    9: [[Bay(222, 470)]],
}
ON_THE_WAY: Final = dict.fromkeys(
    ("client", "calls", "envelope", "guard", "budget", "transport", "response"), "call"
) | dict.fromkeys(("jobs", "polling"), "wait")
ROOF, GAP, ROW_GAP, LINE, WIDEST_LETTERS = 76, 16, 24, 14, 6.4
STYLE: Final = """
text{font:11.5px -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif}
.page{fill:#fff}.house{fill:#f6f8fa;stroke:#c4ccd4;stroke-width:1.5}.floor{stroke:#dde2e7}
.room{fill:#fff;stroke:#d1d9e0}.job{fill:#59636e}.name{fill:#1f2328;font-size:13px;font-weight:600}
.room.call{fill:#e4f2ff;stroke:#0969da}.room.wait{fill:#fff1e5;stroke:#bc4c00}
.outside{fill:none;stroke:#59636e;stroke-width:1.5;stroke-dasharray:4 3}
.line{fill:none;stroke-width:2.5}.line.call{stroke:#0969da}.line.wait{stroke:#bc4c00}
.head.call,.label.call{fill:#0969da}.head.wait,.label.wait{fill:#bc4c00}.label{font-weight:600}
@media(prefers-color-scheme:dark){
.page{fill:#0d1117}.house{fill:#151b23;stroke:#4a525c}.floor{stroke:#2a313a}
.room{fill:#1f262f;stroke:#3d444d}.job{fill:#a3abb5}.name{fill:#f0f6fc}
.room.call{fill:#12294a;stroke:#4493f8}.room.wait{fill:#38220f;stroke:#f0883e}
.outside{stroke:#9198a1}.line.call{stroke:#4493f8}.line.wait{stroke:#f0883e}
.head.call,.label.call{fill:#6cb0ff}.head.wait,.label.wait{fill:#f0883e}}"""
DESCRIPTION: Final = (
    "A call goes from your code into client, down through calls, envelope and budget, where guard "
    "watches, to transport and out to the service; its answer comes back through response, up to "
    "client, and out as a dataclass. A wait goes from client through jobs to polling, which calls "
    "again until the job is done. Each room imports from the floors below it only."
)


class Box(NamedTuple):
    """Where a room, or what stands outside, is drawn."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def middle(self) -> int:
        return (self.top + self.bottom) // 2

    def drawn(self, kind: str) -> str:
        size = f'width="{self.right - self.left}" height="{self.bottom - self.top}"'
        return f'<rect class="{kind}" x="{self.left}" y="{self.top}" {size} rx="6"/>'


def job_of(room: str, width: int, lines: int) -> list[str]:
    """The first line of a room's docstring, to the last clause that fits."""
    file = PACKAGE / f"{room}.py"
    source = file if file.exists() else PACKAGE / room / "__init__.py"
    docstring = ast.get_docstring(ast.parse(source.read_text("utf-8"))) or ""
    job = docstring.partition("\n")[0].replace("`", "")
    for end in reversed([match.start() for match in re.finditer(r"[.,:;](?= |$)", job)]):
        wrapped = textwrap.wrap(job[:end], int(width / WIDEST_LETTERS))
        if len(wrapped) <= lines:
            return wrapped
    raise ValueError(f"{room} says no job that fits into its box: {job}")


def text(x: int, y: int, words: str, kind: str = "job", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def line(kind: str, *points: tuple[int, int]) -> str:
    way = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline class="line {kind}" points="{way}" marker-end="url(#{kind})"/>'


def rooms_in(rows: list[list[Bay]], rooms: set[str], top: int) -> Iterator[tuple[str, Box, str]]:
    """A floor's rooms, each with its place and its words; the only room of a floor is flat."""
    rest = sorted(rooms.difference(*(bay.rooms for bays in rows for bay in bays)))
    for bays in rows:
        places: dict[str, tuple[int, int]] = {}
        for bay in bays:
            names = bay.rooms or rest
            step = (bay.right - bay.left + bay.gap) // len(names)
            for number, room in enumerate(names):
                left = bay.left + number * step
                places[room] = left, bay.right if room == names[-1] else left + step - bay.gap
        flat = len(rooms) == 1
        jobs = {
            room: job_of(room, right - left - (30 + 8 * len(room) if flat else 16), 1 if flat else 3)
            for room, (left, right) in places.items()
        }
        bottom = top + (32 if flat else 30 + LINE * max(map(len, jobs.values())))
        for room, (left, right) in places.items():
            words = text(left + 8, top + 20, room, "name")
            for number, part in enumerate(jobs[room]):
                x, y = (26 + 8 * len(room), 20) if flat else (8, 36 + LINE * number)
                words += text(left + x, top + y, part)
            yield room, Box(left, top, right, bottom), words
        top = bottom + ROW_GAP


def draw() -> str:
    boxes: dict[str, Box] = {}
    parts: list[str] = []
    top = ROOF
    for floor in reversed(range(len(FLOORS))):
        for room, box, words in rooms_in(BAYS.get(floor, WHOLE_WIDTH), FLOORS[floor], top):
            boxes[room] = box
            parts.append(box.drawn(f"room {ON_THE_WAY.get(room, '')}".strip()) + words)
        top = max(box.bottom for box in boxes.values()) + GAP
    client, calls, envelope, guard = (boxes[r] for r in ("client", "calls", "envelope", "guard"))
    budget, transport, response = (boxes[r] for r in ("budget", "transport", "response"))
    jobs, polling = boxes["jobs"], boxes["polling"]
    code = Box(772, client.top - 16, 890, client.bottom + 16)
    service = Box(772, response.top, 890, transport.bottom)
    eaves = client.top - GAP // 2
    house = f"M8,{top}V{eaves}L346,16L684,{eaves}V{top}Z"
    walls = [f'<path class="house" d="{house}"/>']
    parts += [
        code.drawn("outside"),
        text(831, code.middle + 4, "your code", "name", "middle"),
        service.drawn("outside"),
        text(831, service.middle + 4, "the service", "name", "middle"),
        line("call", (code.left, client.top + 6), (client.right, client.top + 6)),
        text(722, client.top - 2, "await", "label call", "middle"),
        line("call", (client.right, client.bottom - 6), (code.left, client.bottom - 6)),
        text(722, client.bottom + 9, "dataclass", "label call", "middle"),
        line("call", (40, client.bottom), (40, calls.top)),
        text(48, jobs.middle, "a call", "label call"),
        line("call", (40, calls.bottom), (40, envelope.middle), (envelope.left, envelope.middle)),
        line("call", (envelope.right, envelope.middle), (budget.left, envelope.middle)),
        line("call", (budget.right, envelope.middle), (474, envelope.middle), (474, transport.top)),
        line("call", (transport.right, transport.middle), (service.left, transport.middle)),
        text(728, transport.middle - 6, "POST", "label call", "middle"),
        line("call", (service.left, response.middle), (response.right, response.middle)),
        text(728, response.middle - 6, "answer", "label call", "middle"),
        line("call", (652, response.top), (652, client.bottom)),
        f'<path class="line call" d="M346,{guard.bottom}V{budget.top}"/>',
        line("wait", (600, client.bottom), (600, jobs.top)),
        line("wait", (600, jobs.bottom), (600, polling.top)),
        line("wait", (500, polling.top), (500, calls.middle), (calls.right, calls.middle)),
        text(508, calls.middle + 4, "looks again", "label wait"),
    ]
    heads = "".join(
        f'<marker id="{kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" '
        f'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path class="head {kind}" d="M0,0L10,5L0,10Z"/></marker>'
        for kind in ("call", "wait")
    )
    size = f"0 0 900 {top + 8}"
    body = "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" width="900" '
            f'height="{top + 8}" role="img" aria-labelledby="title description">',
            '<title id="title">The house of dasp_async, and the way of a call through it</title>',
            f'<desc id="description">{escape(DESCRIPTION)}</desc>',
            f"<style>{STYLE}</style><defs>{heads}</defs>",
            f'<rect class="page" width="900" height="{top + 8}" rx="8"/>',
            *walls,
            *parts,
            "</svg>",
        ]
    )
    return body + "\n"


if __name__ == "__main__":
    PICTURE.write_text(draw(), "utf-8", newline="\n")
