"""The upper bound leaves out nothing that random programs are seen to read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings

import everystep as es
from tests.explanation.grammar import (
    PARTS,
    SHAPE,
    STEPS,
    Constants,
    Part,
    function_of,
    programs,
    run,
)

DRAWS = 3


def seen(parts: list[Part]) -> Any:
    """Which output steps change when one input step does: bool (steps, steps)."""
    random = np.random.default_rng(len(parts))
    before = random.normal(size=(DRAWS, 1, *SHAPE)).astype(np.float32)
    changed = np.repeat(before, STEPS, 1)
    steps = np.arange(STEPS)
    changed[:, steps, 0, steps] = random.normal(size=(DRAWS, STEPS, SHAPE[-1]))
    inputs = np.concatenate([before, changed], 1)
    outputs = run(parts, inputs.reshape(-1, *SHAPE)).reshape(inputs.shape)
    same = np.isclose(outputs[:, 1:], outputs[:, :1], rtol=1e-4, atol=1e-5, equal_nan=True)
    return ~same.all((0, 2, 4)).T


def assert_covered(parts: list[Part], depends: Any) -> None:
    missed = seen(parts) & ~depends
    assert not missed.any(), f"step {np.argwhere(missed)[0]} is read"


@settings(max_examples=80, deadline=None)
@given(programs())
def test_what_is_seen_to_be_read_may_be_read(parts: list[Part]) -> None:
    depends = es.explain(function_of(parts), SHAPE).depends
    note(str(depends.astype(int)))
    assert_covered(parts, depends)


CONSTANTS = Constants(
    np.array([True, False, True, True, False]),
    np.tri(STEPS, k=-1, dtype=bool),
    np.array([2, 0, 1, 4, 3]),
    2,
)


@pytest.mark.parametrize("name", PARTS)
def test_what_is_seen_of_each_part_may_be_read(name: str) -> None:
    parts = [Part(name, 0, 0, CONSTANTS)]
    explanation = es.explain(function_of(parts), SHAPE)
    assert not explanation.unknown
    assert_covered(parts, explanation.depends)


def test_a_bound_that_leaves_out_something_is_found_out() -> None:
    parts = [Part("cumsum", 0, 0, CONSTANTS)]
    assert_covered(parts, np.tri(STEPS, dtype=bool))
    with pytest.raises(AssertionError, match=r"step \[1 0\] is read"):
        assert_covered(parts, np.eye(STEPS, dtype=bool))
