"""Linear chains against sums over all paths, in double precision, on rows of every kind."""

from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

from everystep.kernels.chain import FORBIDDEN, Chain
from tests.kernels.paths import (
    Case,
    likely_labels,
    paths_of,
    random_case,
    real_steps,
    sequences,
    wanted_marginals,
    wanted_surprises,
)
from tests.tolerances import GRADIENTS, assert_close
from tests.trees import assert_finite


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Few shapes, as each is compiled; from label 0 and to label 0 one may always go."""
    shape, packed = draw(st.sampled_from([((2, 6, 3), True), ((1, 5, 4), False)]))
    rows, steps, _ = shape
    ids = st.lists(st.integers(0, 2), min_size=rows * steps, max_size=rows * steps)
    segments = np.array(draw(ids), np.int32).reshape(rows, steps)
    return random_case(draw(st.integers(0, 10**6)), shape, segments, packed, draw(st.booleans()))


@jax.jit
def computed(chain: Chain, labels: Any, known: Any, real: Any) -> Any:
    def total(chain: Chain) -> Any:
        return jnp.sum(jnp.where(real, chain.surprises(labels), 0))

    slopes = jax.grad(total, allow_int=True)(chain)
    found = chain.surprises(labels), chain.surprises(labels, known)
    return chain.labels(), chain.marginals(), found, (slopes.emissions, slopes.moves, slopes.ends)


@settings(max_examples=25, deadline=None)
@given(cases())
def test_all_that_a_chain_says_is_what_all_paths_say(case: Case) -> None:
    case = case._replace(labels=likely_labels(case, seed=1))
    real = real_steps(case)
    labels, marginals, found, slopes = computed(case.chain(), case.labels, case.known, real)
    assert_close(marginals, wanted_marginals(case).astype(np.float32))
    for surprises, known in zip(found, (np.ones_like(real), case.known), strict=True):
        wanted = wanted_surprises(case, known).astype(np.float32)
        assert_close(np.where(real, surprises, 0), wanted, GRADIENTS)
    check_best(case, np.asarray(labels))
    check_slopes(case, slopes)


def check_best(case: Case, labels: Any) -> None:
    assert not labels[~real_steps(case)].any()
    for row, steps in sequences(case):
        paths = paths_of(case, row, steps)
        (chosen,) = np.flatnonzero((paths.all == labels[row, steps]).all(axis=1))
        assert paths.scores[chosen] > paths.scores.max() - 1e-4


def check_slopes(case: Case, slopes: Any) -> None:
    """The gradient of log p is what the labels hold less what is expected."""
    size = case.emissions.shape[-1]
    expected = wanted_marginals(case)
    moves, ends = np.zeros((size + 1, size)), np.zeros(size)
    for row, steps in sequences(case):
        own = case.labels[row, steps]
        paths = paths_of(case, row, steps)
        for ways, shares in ((paths.all, paths.shares), (own[None], np.array([-1.0]))):
            np.add.at(moves[size], ways[:, 0], shares)
            np.add.at(ends, ways[:, -1], shares)
            for before, after in pairwise(range(len(steps))):
                np.add.at(moves, (ways[:, before], ways[:, after]), shares)
        np.add.at(expected, (row, steps, own), -1)
    for found, wanted in zip(slopes, (expected, moves, ends), strict=True):
        assert_close(found, wanted.astype(np.float32), GRADIENTS)


@pytest.mark.parametrize(
    ("shape", "ids"), [((0, 4, 2), 0), ((2, 0, 2), 0), ((2, 3, 1), None), ((2, 3, 2), 0)]
)
def test_no_rows_no_steps_and_one_label_are_defined(shape: Any, ids: Any) -> None:
    ids = None if ids is None else np.full(shape[:2], ids, np.int32)
    case = random_case(3, shape, ids, packed=False, constrained=False)
    found = computed(case.chain(), case.labels, case.known, real_steps(case))
    labels, marginals, _, _ = found
    assert_close(marginals, wanted_marginals(case).astype(np.float32))
    assert labels.shape == shape[:2]
    assert_finite(found)


def test_scores_far_apart_lose_nothing() -> None:
    """The only way goes through a label that is e**200 times less probable than the others."""
    emissions = np.array([[[0.0, 200.0], [0.0, 200.0], [0.0, 200.0]]], np.float32)
    moves = np.array([[0.0, FORBIDDEN], [0.0, FORBIDDEN], [1.0, 0.5]], np.float32)
    case = Case(emissions, moves, np.zeros(2, np.float32), None, False, np.zeros((1, 3), int), None)
    known = np.array([[True, False, True]])
    labels, marginals, (found, some), _ = computed(case.chain(), case.labels, known, known)
    assert_close(marginals, wanted_marginals(case).astype(np.float32))
    assert_close(found, wanted_surprises(case, np.ones((1, 3), bool)).astype(np.float32))
    assert_close(some, wanted_surprises(case, known).astype(np.float32))
    assert labels.tolist() == [[1, 0, 0]]


def test_double_precision_is_kept() -> None:
    with jax.enable_x64(True):
        ids = np.array([[0, 1, 1, 0, 2]])
        case = random_case(5, (1, 5, 3), ids, packed=True, constrained=True, dtype=np.float64)
        real = real_steps(case)
        _, marginals, (found, _), _ = computed(case.chain(), case.labels, case.known, real)
        assert_close(marginals, wanted_marginals(case))
        assert found.dtype == "float64"


def test_labels_that_need_what_is_forbidden_cost_without_end_and_stay_finite() -> None:
    moves = np.array([[0.0, FORBIDDEN], [0.0, 0.0], [0.0, 0.0]], np.float32)
    zeros, labels = np.zeros((1, 2, 2), np.float32), np.array([[0, 1]])
    case = Case(zeros, moves, zeros[0, 0], None, False, labels, np.array([[True, True]]))
    found = computed(case.chain(), case.labels, case.known, real_steps(case))
    assert all(np.sum(surprises) > 1e29 for surprises in found[2])
    assert_finite(found)


def test_long_sequences_keep_their_digits() -> None:
    case = random_case(6, (1, 3000, 3), None, packed=False, constrained=True)
    case = case._replace(emissions=20 + case.emissions, labels=np.zeros((1, 3000), int))
    moves, emissions, after = (
        each.astype(np.float64) for each in (case.moves, case.emissions[0], case.ends)
    )
    wanted = np.zeros(3000)
    for step in reversed(range(3000)):
        onward = moves + emissions[step] + after
        sums = np.logaddexp.reduce(onward, axis=1)
        wanted[step] = sums[0 if step else -1] - onward[0 if step else -1, 0]
        after = sums[:-1]
    real = real_steps(case)
    _, _, found, _ = computed(case.chain(), case.labels, real, real)
    for surprises in found:
        assert_close(surprises[0], wanted.astype(np.float32))
