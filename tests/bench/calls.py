"""Calls a second of this package and of others, side by side.

`python -m tests.bench.calls` prints the README's table, and `--plot FILE` draws it; it needs the
extra `bench`. Each client has a process of its own, and asks a bare answerer on loopback, which has
another. In each round every client has its turn, in an order that changes; ratios are those within
a round to httpx as pip installs it, and the table has their median, and their range in brackets.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.clients import CLIENTS, IN_THREADS, WITHOUT_SNIFFIO

ROOT: Final = Path(__file__).parents[2]
BASE: Final = "httpx"
PATH: Final = "/1.0/customerapi.asmx"
CALLERS: Final = (1, 10, 100, 1000)
VERSIONS: Final = ("httpx", "httpcore", "anyio", "lxml", "httpx2", "aiohttp", "zeep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process reported; seconds, and kilobytes of peak memory."""

    calls: int
    seconds: float
    cpu: float
    peak_kb: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds


@contextmanager
def answering() -> Generator[str]:
    """The address of an answerer."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.answerer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}{PATH}"
        process.terminate()


@contextmanager
def packages_without_sniffio() -> Generator[str]:
    """A folder of all packages that are installed, but for sniffio, which httpx does not bring."""
    with TemporaryDirectory() as folder:
        for package in Path(sysconfig.get_path("purelib")).iterdir():
            if not package.name.startswith("sniffio"):
                (Path(folder) / package.name).symlink_to(package)
        yield folder


def run(name: str, callers: int, seconds: float, url: str, packages: str) -> Run:
    """Measure a client in a process of its own."""
    options = []
    environment = dict(os.environ)
    if name in WITHOUT_SNIFFIO:
        options = ["-S"]
        environment["PYTHONPATH"] = f"{packages}{os.pathsep}{ROOT}"
    words = [name, str(callers), str(seconds), url]
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, *options, "-m", "tests.bench.clients", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def measured(
    names: Sequence[str], callers: int, rounds: int, seconds: float
) -> dict[str, list[Run]]:
    """The runs of each client, in rounds."""
    runs: dict[str, list[Run]] = {name: [] for name in names}
    chance = Random(callers)
    with packages_without_sniffio() as packages:
        for _ in range(rounds):
            with answering() as url:
                for name in chance.sample(names, len(names)):
                    runs[name].append(run(name, callers, seconds, url, packages))
    return runs


def row(name: str, runs: dict[str, list[Run]]) -> str:
    """A client's row of the table."""
    own = runs[name]
    ratios = sorted(each.rate / base.rate for each, base in zip(own, runs[BASE], strict=True))
    cells = (
        f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
        f"{median(each.rate for each in own):.0f}",
        f"{1e6 * median(each.cpu / each.calls for each in own):.0f}",
        f"{1e3 * median(each.p50 for each in own):.1f}",
        f"{1e3 * median(each.p99 for each in own):.1f}",
        f"{median(each.peak_kb for each in own) / 1024:.0f}",
    )
    return f"| {name} | {' | '.join(cells)} |"


def draw(rates: dict[str, dict[int, float]], path: Path) -> None:
    """Calls a second over callers, as an SVG."""
    matplotlib = import_module("matplotlib")
    matplotlib.use("svg")
    matplotlib.rcParams["svg.fonttype"] = "none"
    # Else it would change with the day it is drawn on.
    matplotlib.rcParams["svg.hashsalt"] = "dasp_async"
    figure, axes = import_module("matplotlib.pyplot").subplots(figsize=(8.5, 4.5))
    for number, (name, by_callers) in enumerate(rates.items()):
        is_ours = name.startswith("dasp_async")
        axes.loglog(
            list(by_callers),
            list(by_callers.values()),
            color=matplotlib.colormaps["tab20"](number),
            linestyle="solid" if is_ours else "dashed",
            linewidth=3 if is_ours else 1.5,
            marker="o",
            label=name,
        )
    axes.set_xticks(list(CALLERS), labels=[str(callers) for callers in CALLERS])
    axes.set_xlabel("callers at once")
    axes.set_ylabel("calls a second")
    axes.grid(visible=True, which="both", alpha=0.2)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--callers", type=int, nargs="+", default=CALLERS)
    parser.add_argument("--clients", nargs="+", default=[*CLIENTS, *IN_THREADS])
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    names = list(dict.fromkeys([BASE, *options.clients]))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores;", end=" ")
    print(", ".join(f"{name} {metadata.version(name)}" for name in VERSIONS))
    rates: dict[str, dict[int, float]] = {name: {} for name in names}
    for callers in options.callers:
        runs = measured(names, callers, options.rounds, options.seconds)
        print(
            f"\n| {callers} at once | of httpx | calls/s | CPU µs a call | p50 ms | p99 ms | MB |"
        )
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for name in names:
            print(row(name, runs), flush=True)
            rates[name][callers] = median(each.rate for each in runs[name])
    if options.plot is not None:
        draw(rates, options.plot)


if __name__ == "__main__":
    main()
