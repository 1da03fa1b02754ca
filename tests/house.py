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
    """Rooms side by side; without names, all of the floor that no bay names."""

    left: int
    right: int
    rooms: tuple[str, ...] = ()
    gap: int = 8
    lines: int = 3


WHOLE_WIDTH: Final = [[Bay(20, 672)]]
# Floors whose rooms make way for the lines, each as its rows from the top down.
BAYS: Final = {
    1: [[Bay(20, 500), Bay(508, 672, ("wsdl",))]],
    2: [
        [Bay(60, 672, ("envelope", "budget", "response"), gap=40)],
        [Bay(20, 442), Bay(452, 672, ("transport",))],
    ],
    3: [[Bay(92, 632, lines=2)]],
    4: [[Bay(20, 450)]],
    5: [[Bay(92, 632, ("settings", "service", "jobs"), lines=2)]],
    7: [[Bay(96, 596)]],
    8: [[Bay(152, 540)]],
    9: [[Bay(222, 470)]],
}
ON_THE_WAY: Final[dict[str, str]] = {
    room: kind
    for kind, rooms in {
        "call": ("client", "calls", "envelope", "guard", "budget", "transport", "response"),
        "wait": ("jobs", "polling"),
    }.items()
    for room in rooms
}
ROOF, GAP, ROW_GAP, LINE, LETTER = 32, 16, 24, 15, 6.5
STYLE: Final = """
text{font:12px -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif}
.page{fill:#fff}.house{fill:#f6f8fa;stroke:#c4ccd4;stroke-width:1.5}
.room{fill:#fff;stroke:#d1d9e0}.job{fill:#59636e}.name{fill:#1f2328;font-size:13px;font-weight:600}
.room.call{fill:#e4f2ff;stroke:#0969da}.room.wait{fill:#fff1e5;stroke:#bc4c00}
.outside{fill:none;stroke:#59636e;stroke-width:1.5;stroke-dasharray:4 3}
.line{fill:none;stroke-width:2.5}.line.call{stroke:#0969da}.line.wait{stroke:#bc4c00}
.head.call,.label.call{fill:#0969da}.head.wait,.label.wait{fill:#bc4c00}.label{font-weight:600}
@media(prefers-color-scheme:dark){
.page{fill:#0d1117}.house{fill:#151b23;stroke:#4a525c}
.room{fill:#1f262f;stroke:#3d444d}.job{fill:#a3abb5}.name{fill:#f0f6fc}
.room.call{fill:#12294a;stroke:#4493f8}.room.wait{fill:#38220f;stroke:#f0883e}
.outside{stroke:#9198a1}.line.call{stroke:#4493f8}.line.wait{stroke:#f0883e}
.head.call,.label.call{fill:#6cb0ff}.head.wait,.label.wait{fill:#f0883e}}"""
HEAD: Final = (
    '<marker id="{0}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
    'markerUnits="userSpaceOnUse" orient="auto">'
    '<path class="head {0}" d="M0,0L10,5L0,10Z"/></marker>'
)
SVG: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 {height}" width="900" height="{height}"
 role="img" aria-labelledby="title description">
<title id="title">The house of dasp_async, and the way of a call through it</title>
<desc id="description">A call goes from your code into client, down through calls, envelope and
budget, where guard watches, to transport and out to the service. The answer comes back through
response, up to client, and out as a dataclass. A wait goes from client through jobs to polling,
which looks again by calls. A room imports from the floors below it only.</desc>
<style>{style}</style><defs>{heads}</defs>
<rect class="page" width="900" height="{height}" rx="8"/>
{parts}
</svg>
"""


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
    job = docstring.partition("\n")[0].partition(";")[0].replace("`", "").rstrip(".")
    for end in reversed([match.start() for match in re.finditer(r"[.,:;](?= |$)|$", job)]):
        wrapped = textwrap.wrap(job[:end], int(width / LETTER))
        if len(wrapped) <= lines:
            return wrapped
    raise ValueError(f"{room} says no job that fits into its box: {job}")


def rooms_in(rows: list[list[Bay]], rooms: set[str], top: int) -> Iterator[tuple[str, Box, str]]:
    """A floor's rooms, each with its place and its words; the only room of a floor is flat."""
    rest = sorted(rooms.difference(*(bay.rooms for bays in rows for bay in bays)))
    flat = len(rooms) == 1
    for bays in rows:
        places: dict[str, tuple[int, int]] = {}
        jobs: dict[str, list[str]] = {}
        for bay in bays:
            names = bay.rooms or rest
            step = (bay.right - bay.left + bay.gap) // len(names)
            for number, room in enumerate(names):
                left = bay.left + number * step
                right = bay.right if room == names[-1] else left + step - bay.gap
                places[room] = left, right
                width = right - left - (30 + 9 * len(room) if flat else 16)
                jobs[room] = job_of(room, width, 1 if flat else bay.lines)
        bottom = top + (32 if flat else 30 + LINE * max(map(len, jobs.values())))
        for room, (left, right) in places.items():
            x = left + 8
            words = f'<tspan class="name">{room}</tspan>'
            for number, part in enumerate(jobs[room]):
                place = 'dx="12"' if flat else f'x="{x}" y="{top + 37 + LINE * number}"'
                words += f"<tspan {place}>{escape(part)}</tspan>"
            words = f'<text class="job" x="{x}" y="{top + 20}">{words}</text>'
            yield room, Box(left, top, right, bottom), words
        top = bottom + ROW_GAP


def way(kind: str, *points: tuple[int, int]) -> str:
    through = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline class="line {kind}" points="{through}" marker-end="url(#{kind})"/>'


def text(x: int, y: int, words: str, kind: str = "job", anchor: str = "middle") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>'


def ways(boxes: dict[str, Box]) -> Iterator[str]:
    """The ways of a call and of a wait, drawn over the rooms, and who stands outside."""
    client, calls, envelope, guard = (boxes[r] for r in ("client", "calls", "envelope", "guard"))
    budget, transport, response = (boxes[r] for r in ("budget", "transport", "response"))
    jobs, polling = boxes["jobs"], boxes["polling"]
    code = Box(772, client.top - 16, 890, client.bottom + 16)
    service = Box(772, response.top, 890, transport.bottom)
    yield code.drawn("outside") + text(831, code.middle + 4, "your code", "name")
    yield service.drawn("outside") + text(831, service.middle - 4, "the service", "name")
    yield text(831, service.middle + 14, "SOAP 1.1 or 1.2")
    for y, words in enumerate(("A room imports", "from the floors", "below it only")):
        yield text(831, boxes["clock"].top + 24 + 16 * y, words)

    yield way("call", (code.left, client.top + 6), (client.right, client.top + 6))
    yield text(722, client.top - 2, "await", "label call")
    yield way("call", (40, client.bottom), (40, calls.top))
    yield text(47, jobs.middle + 4, "a call", "label call", "start")
    yield way("call", (40, calls.bottom), (40, envelope.middle), (envelope.left, envelope.middle))
    yield way("call", (envelope.right, budget.middle), (budget.left, budget.middle))
    yield f'<path class="line call" d="M362,{guard.bottom}V{budget.top}"/>'
    yield way("call", (budget.right, budget.middle), (474, budget.middle), (474, transport.top))
    yield way("call", (transport.right, transport.middle), (service.left, transport.middle))
    yield text(728, transport.middle - 6, "POST", "label call")
    yield way("call", (service.left, response.middle), (response.right, response.middle))
    yield text(728, response.middle - 6, "answer", "label call")
    yield way("call", (652, response.top), (652, client.bottom))
    yield way("call", (client.right, client.bottom - 6), (code.left, client.bottom - 6))
    yield text(722, client.bottom + 9, "dataclass", "label call")

    yield way("wait", (590, client.bottom), (590, jobs.top))
    yield way("wait", (590, jobs.bottom), (590, polling.top))
    yield text(597, calls.middle + 4, "a wait", "label wait", "start")
    yield way("wait", (490, polling.top), (490, calls.middle), (calls.right, calls.middle))
    yield text(497, calls.middle + 4, "looks again", "label wait", "start")


def draw() -> str:
    boxes: dict[str, Box] = {}
    rooms: list[str] = []
    top = ROOF
    for floor in reversed(range(len(FLOORS))):
        for room, box, words in rooms_in(BAYS.get(floor, WHOLE_WIDTH), FLOORS[floor], top):
            boxes[room] = box
            rooms.append(box.drawn(f"room {ON_THE_WAY.get(room, '')}".strip()) + words)
        top = max(box.bottom for box in boxes.values()) + GAP
    eaves = boxes["client"].top - GAP // 2
    house = f'<path class="house" d="M8,{top}V{eaves}L184,16H508L684,{eaves}V{top}Z"/>'
    return SVG.format(
        height=top + 12,
        style=STYLE,
        heads=HEAD.format("call") + HEAD.format("wait"),
        parts="\n".join([house, *rooms, *ways(boxes)]),
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), "utf-8", newline="\n")
