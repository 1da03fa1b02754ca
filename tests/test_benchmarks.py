"""The benchmarks still run; what they measure is for whoever runs them in earnest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any

import anyio
import pytest

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


def test_the_clients_are_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--rounds 1 --seconds 0.1 --callers 1 --clients dasp_async"
    monkeypatch.setattr("sys.argv", ["calls", *words.split()])
    import_module("tests.bench.calls").main()
    printed = capsys.readouterr().out
    rows = re.findall(r"^\| (\w+) \|(?: [\d.]+.*? \|){6}$", printed, re.MULTILINE)
    assert rows == ["httpx", "dasp_async"]
