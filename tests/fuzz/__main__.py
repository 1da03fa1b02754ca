"""The fuzzer: `python -m tests.fuzz TARGET` runs one target until it fails or the time is up."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

# The package is imported late, so that atheris can watch it.
_TARGETS: Final = ("answer", "plain", "wsdl", "gzip", "client")
# The time is the wall clock's, which a busy machine stretches; what is kept is timed on replay.
_LIMITS: Final = ("-timeout=5", "-rss_limit_mb=1024", "-len_control=0", "-reload=0")


def main() -> None:
    """Run atheris on one target, from its seeds and corpus, or keep what it has found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=_TARGETS)
    parser.add_argument("--runs", type=int, default=-1, help="end after so many inputs")
    parser.add_argument("--seconds", type=int, default=0, help="end after so long")
    parser.add_argument("--found", type=Path, help="the folder for inputs that reach what is new")
    parser.add_argument("--keep", action="store_true", help="keep the best of that folder instead")
    given = parser.parse_args()
    found = given.found or Path(tempfile.mkdtemp(prefix="fuzz-"))
    found.mkdir(parents=True, exist_ok=True)
    if given.keep:
        _keep(given.target, found)
    else:
        _fuzz(given.target, found, runs=given.runs, seconds=given.seconds)


def _keep(target: str, found: Path) -> None:
    corpus, run = import_module("tests.fuzz.corpus"), _run(target)
    inputs = [each.read_bytes() for each in sorted(found.iterdir())]
    _tell(corpus.keep(target, run, [*_seeds(target), *inputs]))


def _run(target: str) -> Callable[[bytes], str]:
    run: Callable[[bytes], str] = import_module("tests.fuzz.targets").TARGETS[target]
    return run


def _seeds(target: str) -> list[bytes]:
    seeds = import_module("tests.fuzz.seeds").SEEDS[target]()
    return [*seeds, *import_module("tests.fuzz.corpus").load(target)]


def _fuzz(target: str, found: Path, *, runs: int, seconds: int) -> None:
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["dasp_async"]):
        run = _run(target)
    seeds = _seeds(target)
    for number, seed in enumerate(seeds):
        (found / f"seed-{number:04}").write_bytes(seed)
    _tell(f"what is found is in {found}")
    # A WSDL is long; of others what is long says nothing new, but takes its time.
    longest = 20_000 if target == "wsdl" else 6_000
    options = [f"-runs={runs}", f"-max_total_time={seconds}", f"-max_len={longest}", *_LIMITS]
    own = {} if target == "gzip" else {"custom_mutator": _mutator(atheris, seeds)}

    def one(data: bytes) -> None:
        run(data)

    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={found}/", str(found)], one, **own)
    atheris.Fuzz()


def _mutator(atheris: Any, seeds: list[bytes]) -> Callable[[bytes, int, int], bytes]:
    """Half of the changes know the format; the others are atheris' own, of bytes."""
    mutated: Callable[..., bytes] = import_module("tests.fuzz.mutator").mutated

    def mutate(data: bytes, longest: int, number: int) -> bytes:
        chance = random.Random(number)
        if chance.random() < 0.5:
            # libFuzzer forgets seeds that reach no line of their own, however unlike others.
            data = chance.choice(seeds) if chance.random() < 0.5 else data
            return mutated(data, chance, seeds)[:longest]
        head, gap, body = data.partition(b"\n\n")
        # Mostly of the body, in which a change of the length is no loss of the rest
        if not body or chance.random() < 0.2:
            return bytes(atheris.Mutate(data, longest))
        head += gap
        return head + bytes(atheris.Mutate(body, max(1, longest - len(head))))

    return mutate


def _tell(what: str) -> None:
    print(what, flush=True)  # noqa: T201 - printing is what it is for


if __name__ == "__main__":
    main()
