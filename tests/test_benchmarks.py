"""The benchmarks still run; what they measure is for whoever runs them in earnest."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module, metadata
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import anyio
import pytest

BENCHMARKS = Path(__file__).parent / "bench"
# Of what each repeats, the least that it can work with
LEAST: Mapping[str, Mapping[str, object]] = {
    "cold": {"ROUNDS": 1},
    "packages": {"CALLS": 2},
    "paired": {"CALLERS": (1, 2), "CALLS": 2, "SLICES": 9},
    "share": {"CALLS": 2, "SLICES": 10},
    "waiting": {"CROWDS": (10,), "ROUNDS": 1, "TIMED_LOOKS": 10},
}


@pytest.mark.parametrize(
    ("name", "line", "lines"),
    [
        ("cold", r".+: [\d.]+ times .+ \(\d+ and \d+ ms\)", 5),
        ("packages", r"\w[\w ]*: \d+ %", 6),
        ("paired", r"\d at once: [\d.]+ \(half of them [\d.]+ to [\d.]+\)", 2),
        ("share", r"one get_job_status .+: -?[\d.]+ times .+", 1),
        ("waiting", r"\| 10 \| \w+ \|( -?[\d.,]+ \|){5}", 4),
    ],
    ids=LEAST,
)
def test_a_benchmark_prints_its_figures(
    name: str,
    line: str,
    lines: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module = import_module(f"tests.bench.{name}")
    for constant, value in LEAST[name].items():
        monkeypatch.setattr(module, constant, value)
    run: Callable[[], Any] = module.main
    if iscoroutinefunction(run):
        anyio.run(run)
    else:
        run()
    printed = capsys.readouterr().out.splitlines()
    figures = [each for each in printed if re.fullmatch(line, each)]
    assert len(figures) >= lines, printed


def extra(name: str) -> set[str]:
    """The packages of an extra."""
    found = (
        re.match(r"([\w-]+).*extra == '(\w+)'", each)
        for each in metadata.requires("dasp_async") or ()
    )
    return {match[1] for match in found if match is not None and match[2] == name}


def test_they_need_no_more_than_their_extra() -> None:
    # What else the tests need, pytest aside, which pytest-benchmark brings
    others = extra("test") - extra("bench") - {"pytest"}
    missing = [
        name
        for name, packages in metadata.packages_distributions().items()
        if others.issuperset(packages)
    ]
    assert "trustme" in missing
    names = [path.stem for path in sorted(BENCHMARKS.glob("[a-z]*.py"))]
    program = f"""
import importlib, sys
sys.modules |= dict.fromkeys({missing!r})
for name in {names!r}:
    importlib.import_module("tests.bench." + name)
"""
    subprocess.run([sys.executable, "-c", program], cwd=BENCHMARKS.parents[1], check=True)  # noqa: S603 - our own


def test_the_clients_are_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--rounds 1 --seconds 0.1 --callers 1 --clients dasp_async"
    monkeypatch.setattr("sys.argv", ["calls", *words.split()])
    import_module("tests.bench.calls").main()
    printed = capsys.readouterr().out
    rows = re.findall(r"^\| (\w+) \|(?: [\d.]+.*? \|){6}$", printed, re.MULTILINE)
    assert rows == ["httpx", "dasp_async"]
