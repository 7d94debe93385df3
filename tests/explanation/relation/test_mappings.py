"""The weight mappings against algebra written by hand, and against the layers themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.errors import DataError
from everystep.explanation.relation import relation
from everystep.explanation.relation.layout import Layout, Slot
from everystep.explanation.relation.mapping import WeightMapping
from everystep.explanation.relation.selection import Selection
from everystep.layers import Dense, Dropout, Layer
from everystep.models import Sequential
from tests.explanation.relation.pairs import ORDER, PAIRS, related
from tests.tolerances import assert_close

RNG = np.random.default_rng(3)


def mapped(name: str, *, back: bool = False) -> tuple[list[Any], list[Any], WeightMapping]:
    """Map random weights of a pair; returns those of a and of b in order, and the mapping.

    Both then are the same function, in their own precision.
    """
    a, b, r = related(name)
    evidence = r.evidence.forward
    if back:
        a, b, evidence = b, a, r.evidence.backward
    assert isinstance(evidence, WeightMapping)
    x = RNG.standard_normal([size or 2 for size in PAIRS[name].shape]).astype("float32")
    a(x), b(x)
    given = {path: RNG.standard_normal(w.shape) for path, w in es.weights_of(a).items()}
    made = evidence(given)
    assert_close(_run(a, given, x), _run(b, made, x))
    return list(given.values()), list(made.values()), evidence


def _run(layer: Layer, weights: dict[str, Any], x: Any) -> Any:
    values = {path: np.asarray(value, "float32") for path, value in weights.items()}
    return np.asarray(es.apply(layer, values, x)[0])


def by_rank(arrays: list[Any]) -> list[Any]:
    """Kernel before bias, whatever the order of the paths."""
    return sorted(arrays, key=lambda array: -array.ndim)


def test_a_shared_layer_is_a_block_diagonal_kernel_with_equal_blocks() -> None:
    given, made, mapping = mapped("shared or flattened")
    kernel, bias = by_rank(given)
    wide, long = by_rank(made)
    np.testing.assert_array_equal(wide, np.kron(np.eye(4), kernel))
    np.testing.assert_array_equal(long, np.tile(bias, 4))
    assert "block-diagonal with 4 equal blocks" in mapping.lines[0] + mapping.lines[1]


def test_own_layers_are_a_block_diagonal_kernel() -> None:
    given, made, _ = mapped("own or flattened")
    kernels = max(given, key=lambda array: array.ndim)
    wide = max(made, key=lambda array: array.ndim)
    expected = np.zeros((4, 3, 4, 5))
    for step in range(4):
        expected[step, :, step] = kernels[step]
    np.testing.assert_array_equal(wide, expected.reshape(12, 20))


def test_the_units_of_an_lstm_in_another_order() -> None:
    given, made, mapping = mapped("an LSTM in another order")
    columns = np.concatenate([gate * 3 + np.argsort(ORDER) for gate in range(4)])
    by_shape = {array.shape: array for array in given}
    expected = {
        (3, 12): by_shape[3, 12][:, columns],
        (12,): by_shape[12,][columns],
    }
    assert len(given) == len(made) == 3
    bias = next(array for array in made if array.ndim == 1)
    np.testing.assert_array_equal(bias, expected[12,])
    assert any("in each of 4 blocks" in line for line in mapping.lines)


def test_a_product_of_kernels_is_solved_for() -> None:
    given, made, mapping = mapped("two dense layers")
    first_bias, first, second_bias, second = sorted_by_layer(given)
    kernel, bias = by_rank(made)
    assert_close(kernel, first @ second)
    assert_close(bias, first_bias @ second + second_bias)
    assert not mapping.exact
    assert "least-squares" in mapping.lines[0]


def sorted_by_layer(arrays: list[Any]) -> list[Any]:
    """Bias and kernel of the layer of 4 units, then of that of 5."""
    return sorted(arrays, key=lambda array: (array.shape[-1], array.ndim))


@pytest.mark.parametrize(
    "name",
    [
        "a dense layer, folded by hand",
        "without bias",
        "a convolution of width 1",
        "einsum twins",
        "both directions",
        "causal convolutions",
        "ReLU of two widths",
        "LSTM of two widths",
    ],
)
def test_the_mapping_makes_both_the_same_function(name: str) -> None:
    _, made, mapping = mapped(name)
    assert made
    assert mapping.exact
    assert mapping.error < 1e-9


def test_the_mapping_back_makes_both_the_same_function() -> None:
    given, made, _ = mapped("tanh of two widths", back=True)
    assert sum(array.size for array in made) > sum(array.size for array in given)


def test_weights_of_something_else_are_an_error() -> None:
    _, _, r = related("shared or own")
    assert isinstance(r.evidence.forward, WeightMapping)
    with pytest.raises(DataError, match="missing or unknown"):
        r.evidence({})
    wrong = {slot.path: np.zeros(7) for slot in r.evidence.forward.source.slots}
    with pytest.raises(DataError, match="has shape"):
        r.evidence(wrong)


def test_the_state_of_random_numbers_plays_no_part() -> None:
    with_noise = Sequential([Dense(3), Dropout(0.5), Dense(2)])
    without = Sequential([Dense(3), Dense(2)])
    x = RNG.standard_normal((2, 4, 3)).astype("float32")
    with_noise(x)
    r = relation(with_noise, without, (None, 4, 3))
    assert r.verdict == "same"
    assert len(r.evidence(es.weights_of(with_noise))) == 4


def test_what_must_stay_positive_is_no_way_back() -> None:
    """A variance may stand in a scale, not the other way round."""
    fixed = Layout((Slot("variance", (2,), 0, positive=True),))
    loose = Layout((Slot("scale", (2,), 0, positive=False),))
    there = Selection(fixed, loose, np.arange(2), np.ones(2))
    assert there.inverse() is None
    assert Selection(loose, loose, np.array([1, 0]), np.array([2.0, -1.0])).inverse() is not None
