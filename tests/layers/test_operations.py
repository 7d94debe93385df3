"""Python's operators on symbols: values, segments, and what has no values says so."""

import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import everystep as es
from everystep.errors import DataError, PackedRowsError, SegmentsError
from everystep.sequences import Steps

X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
IDS = np.array([[1, 1, 2, 0], [3, 3, 3, 3]])
PACKED = Steps.of(X, IDS)
ROWS = Steps.of(X, np.array([[1, 1, 1, 0], [1, 1, 0, 0]]), packed=False)

EXPRESSIONS: dict[str, Callable[[Any], Any]] = {
    "sums": lambda x: 2 + x - (1 - x) + x * 3 * x,
    "quotients": lambda x: (x / 2 + 3 / (abs(x) + 1)) // 0.5 % 3 + 7 % (abs(x) + 1),
    "powers": lambda x: (-x) ** 2 + 2 ** abs(x) + 5 // (abs(x) + 1),
    "products": lambda x: x @ np.ones((3, 2), "float32"),
    "left products": lambda x: np.ones((2, 4), "float32") @ x,
    "comparisons": lambda x: ((x > 0) | (x <= -1)) & ~(x < -2) ^ (x >= 1),
    "differences": lambda x: operator.ne(x * 0, x * (x > 0)),
    "truth": lambda x: True & ((x > 0) | False) ^ (True ^ (x < 0)),
    "parts": lambda x: x[:, 1:, ::2][..., None][:, :, -1],
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_of_symbols_is_that_of_arrays(name: str) -> None:
    expression = EXPRESSIONS[name]
    start = es.Input((4, 3))
    model = es.Model(start, expression(start))
    wanted = expression(jnp.asarray(X))
    assert model.output_shape == (None, *wanted.shape[1:])
    np.testing.assert_allclose(model(X), wanted, rtol=1e-5)
    assert model(X).dtype == wanted.dtype
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer"]


KEPT: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "elements": (lambda x: (1 - x) * x, IDS),
    "the last axis": (lambda x: x @ np.ones((3, 2), "float32"), IDS),
    "all steps": (lambda x: x[:, :, 1], IDS),
    "whatever comes after": (lambda x: x[..., 1:, None], IDS),
}


@pytest.mark.parametrize("name", KEPT)
def test_segments_stay_where_steps_stay(name: str) -> None:
    expression, segments = KEPT[name]
    start = es.Input((4, 3))
    found = es.Model(start, expression(start))(PACKED)
    assert found.packed
    np.testing.assert_array_equal(found.segments, segments)


def test_a_part_of_the_steps_has_their_mask_and_one_step_has_none() -> None:
    start = es.Input((4, 3))
    found = es.Model(start, [start[:, ::-2], start[:, -1], start[1:]])(ROWS)
    np.testing.assert_array_equal(found[0].mask, ROWS.mask[:, ::-2])
    assert not isinstance(found[1], Steps)
    np.testing.assert_array_equal(found[2].mask, ROWS.mask[1:])


def test_a_step_is_real_where_either_side_says_so() -> None:
    other = Steps.of(X, np.array([[1, 0, 0, 1], [1, 1, 0, 0]]), packed=False)
    one, two = es.Input((4, 3)), es.Input((4, 3))
    found = es.Model([one, two], one + two)([ROWS, other])
    np.testing.assert_array_equal(found.mask, ROWS.mask | other.mask)
    with pytest.raises(PackedRowsError, match=r"'add\w*' \(Add\).*beside rows of one"):
        es.Model([one, two], one + two)([PACKED, other])


REFUSED: dict[str, tuple[Callable[[Any], Any], Any, type[Exception], str]] = {
    "part of packed rows": (lambda x: x[:, 1:], PACKED, PackedRowsError, "each with steps of its"),
    "one step of packed rows": (lambda x: x[:, -1], PACKED, PackedRowsError, "GetItem"),
    "a row": (lambda x: x[0], ROWS, SegmentsError, "with the key 0 would lose the mask"),
    "a new axis": (lambda x: x[:, None], ROWS, SegmentsError, "would lose the mask"),
    "sums over steps": (
        lambda x: np.ones((2, 4), "float32") @ x,
        ROWS,
        SegmentsError,
        "sums over steps",
    ),
    "other axes": (lambda x: np.ones((5, 1, 1, 1)) * x, ROWS, SegmentsError, "away from their"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_segments_says_so(name: str) -> None:
    expression, steps, kind, words = REFUSED[name]
    start = es.Input((4, 3))
    model = es.Model(start, expression(start))
    with pytest.raises(kind, match=words):
        model(steps)


WITHOUT_VALUES: dict[str, Callable[[Any], Any]] = {
    "a jitted function": jnp.sin,
    "a function that is not": lambda x: jnp.concatenate([x, x]),
    "a reduction": jnp.mean,
    "a transformation": jax.jit(lambda x: x + 1),
    "an array": np.asarray,
    "a number": float,
    "a condition": bool,
    "a loop": list,
}


@pytest.mark.parametrize("name", WITHOUT_VALUES)
def test_a_symbol_has_no_values_and_says_where_to_put_the_function(name: str) -> None:
    start = es.Input((4, 3), name="words")
    with pytest.raises(DataError, match=r"name=words> is a symbol.*Lambda\(function\)\(x\)"):
        WITHOUT_VALUES[name](start)


def test_a_symbol_tells_what_it_is() -> None:
    symbol = es.KerasTensor((None, 4), "int32", name="ids")
    assert (symbol.shape, symbol.ndim, symbol.rank, symbol.dtype) == ((None, 4), 2, 2, "int32")
    words = "<KerasTensor shape=(None, 4), dtype=int32, sparse=False, ragged=False, name=ids>"
    assert repr(symbol) == words


def test_an_operation_names_itself_where_it_fails() -> None:
    with pytest.raises(TypeError) as caught:
        es.Input((4, 3)) + es.Input((5, 3))
    assert any("(Add)" in note for note in caught.value.__notes__)
