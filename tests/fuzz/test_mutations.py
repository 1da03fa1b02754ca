"""Captured answers with changes that know XML and HTTP come to a promised outcome, in time."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutator import mutated
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS

# Outcomes that so many changes come to at least
REACHED = {
    "client": {"JobStatus", "SoapFault", "HttpError", "InvalidResponse"},
    "plain": {"InvalidResponse", "HttpError", "dict-dict", "dict-ValueError"},
}


@pytest.mark.parametrize("target", REACHED)
def test_every_change_comes_to_a_promised_outcome(target: str) -> None:
    seeds = SEEDS[target]()
    outcomes: set[str] = set()

    @settings(max_examples=600, deadline=None, database=None)
    @given(st.sampled_from(seeds), st.integers(0, 2**32))
    def try_one(seed: bytes, chance: int) -> None:
        data = mutated(seed, random.Random(chance), seeds)
        started = time.process_time()
        outcomes.add(TARGETS[target](data))
        assert time.process_time() - started < 1

    try_one()
    assert outcomes >= REACHED[target]


def test_changes_repeat_and_keep_the_form_of_an_input() -> None:
    seeds = SEEDS["answer"]()
    changed = [mutated(seed, random.Random(1), seeds) for seed in seeds]
    assert changed == [mutated(seed, random.Random(1), seeds) for seed in seeds]
    assert all(b"\n\n" in data for data in changed)
    assert sum(data != seed for data, seed in zip(changed, seeds, strict=True)) > len(seeds) / 2
