from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from everystep.errors import DataError
from everystep.sequences import Steps, from_mask

# jax leaves its own without types.
abstract_array: Any = jax.ShapeDtypeStruct

VALUES = np.arange(24, dtype=np.float32).reshape(2, 3, 4) - 7
SEGMENTS = np.array([[1, 1, 3], [0, 4, 0]])
KERNEL = np.arange(20, dtype=np.float32).reshape(4, 5) / 8
STEPS = Steps.of(VALUES, SEGMENTS)
Function = Callable[[Any], Any]

FUNCTIONS: dict[str, Function] = {
    "sum": jnp.sum,
    "argmax": lambda x: jnp.argmax(x, axis=-1),
    "matmul": lambda x: jnp.matmul(x, KERNEL),
    "einsum": lambda x: jnp.einsum("bsi,ij->bsj", x, KERNEL),
    "reshape": lambda x: jnp.reshape(x, (-1, 4)),
    "concatenate": lambda x: jnp.concatenate([x, x], axis=1),
    "tanh": jnp.tanh,
    "softmax": jax.nn.softmax,
    "x @ kernel": lambda x: x @ KERNEL,
    "matrix @ x": lambda x: np.ones((2, 6, 3), np.float32) @ x,
    "jax matrix @ x": lambda x: jnp.ones((2, 6, 3)) @ x,
    "-x": lambda x: -x,
    "x + 2": lambda x: x + 2,
    "2 + x": lambda x: 2 + x,
    "array + x": lambda x: KERNEL[:, 0] + x,
    "x - 2": lambda x: x - 2,
    "2 - x": lambda x: 2 - x,
    "x * x": lambda x: x * x,
    "2 * x": lambda x: np.float32(2) * x,
    "x / 2": lambda x: x / 2,
    "1 / x": lambda x: 1 / x,
    "x ** 2": lambda x: x**2,
    "x < 1": lambda x: x < 1,
    "x <= 1": lambda x: x <= 1,
    "x > 1": lambda x: x > 1,
    "x >= 1": lambda x: x >= 1,
    "x[..., 1]": lambda x: x[..., 1],
    "list": lambda x: jnp.stack(list(x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_read_steps_as_their_values(name: str) -> None:
    function = FUNCTIONS[name]
    expected = function(jnp.asarray(VALUES))
    for found in (function(STEPS), jax.jit(function)(STEPS)):
        assert not isinstance(found, Steps)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_steps_have_the_shape_dtype_and_length_of_their_values() -> None:
    assert STEPS.dtype == np.float32
    assert (STEPS.shape, STEPS.ndim, len(STEPS)) == ((2, 3, 4), 3, 2)
    assert STEPS.segments.dtype == np.int32


def test_steps_become_a_numpy_array_with_the_dtype_and_copy_asked_for() -> None:
    assert np.shares_memory(np.asarray(STEPS), VALUES)
    assert not np.shares_memory(np.array(STEPS, copy=True), VALUES)
    assert np.asarray(STEPS, dtype=np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copy"):
        np.array(STEPS, dtype=np.float64, copy=False)
    np.testing.assert_array_equal(np.asarray(STEPS.with_values(jnp.asarray(VALUES))), VALUES)


def test_a_loop_over_jax_values_ends() -> None:
    assert len(list(STEPS.with_values(jnp.asarray(VALUES)))) == 2


def test_steps_pass_through_jit_grad_and_tree_map_with_their_segments() -> None:
    doubled = jax.jit(lambda steps: steps.with_values(steps.values * 2))(STEPS)
    assert isinstance(doubled, Steps)
    np.testing.assert_array_equal(doubled.values, VALUES * 2)
    np.testing.assert_array_equal(doubled.segments, SEGMENTS)
    slope = jax.grad(lambda values: jnp.sum(STEPS.with_values(values) ** 2))(jnp.asarray(VALUES))
    np.testing.assert_allclose(slope, 2 * VALUES, rtol=1e-6)
    rows = jax.tree.map(lambda array: array[1:], STEPS)
    assert (rows.shape, rows.segments.shape, rows.packed) == ((1, 3, 4), (1, 3), True)


@pytest.mark.parametrize("leaf", [None, object(), 0, abstract_array((2, 3), jnp.int32)])
def test_a_tree_of_anything_can_be_built_and_shown(leaf: object) -> None:
    structure = jax.tree.structure(STEPS)
    built = jax.tree.unflatten(structure, [leaf, leaf])
    assert isinstance(built, Steps)
    assert built.packed
    assert built.values is leaf
    assert repr(built).startswith("Steps(")


def test_what_is_static_stays_and_counts_as_structure() -> None:
    structures = {str(jax.tree.structure(STEPS.replace(packed=packed))) for packed in (True, False)}
    assert len(structures) == 2
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(STEPS)]
    assert paths == [".values", ".segments"]


def test_repr_is_short_inside_traces_too() -> None:
    assert repr(STEPS) == "Steps(float32[2,3,4], packed, 67% full)"
    seen: list[str] = []
    jax.eval_shape(lambda steps: seen.append(repr(steps)), STEPS)
    assert seen == ["Steps(float32[2,3,4], packed)"]


def test_steps_cannot_be_changed_in_place() -> None:
    with pytest.raises(AttributeError):
        STEPS.values = VALUES  # type: ignore[misc]


def test_mask_and_fill() -> None:
    np.testing.assert_array_equal(STEPS.mask, SEGMENTS > 0)
    assert STEPS.fill == pytest.approx(4 / 6)
    assert Steps.of(np.zeros((0, 3)), np.zeros((0, 3), int)).fill == 1.0


def test_unpack_orders_by_id_drops_gaps_and_keeps_sequences_without_steps() -> None:
    steps = Steps.of([[9, 8, 0, 7, 6], [5, 0, 4, 0, 3]], [[4, 4, 0, 1, 1], [3, 0, 3, 0, 3]])
    found = [array.tolist() for array in steps.replace(empty_tail=2).unpack()]
    assert found == [[7, 6], [], [5, 4, 3], [9, 8], [], []]


def test_unpack_gives_one_array_a_row_where_a_row_holds_one_sequence() -> None:
    steps = from_mask(
        np.array([[0, 1, 2], [3, 0, 4], [0, 0, 0]]),
        np.array([[False, True, True], [True, False, True], [False, False, False]]),
    )
    assert not steps.packed
    assert [array.tolist() for array in steps.unpack()] == [[1, 2], [3, 4], []]


def test_unpack_refuses_to_join_what_does_not_belong_together() -> None:
    with pytest.raises(DataError, match="sequence 1 starts in row 0 and again in row 1"):
        from_mask(np.ones((2, 3)), np.ones((2, 3))).replace(packed=True).unpack()


def test_from_mask_is_traceable_also_over_symbolic_dimensions() -> None:
    mask = np.array([[True, False, True], [True, True, False]])
    steps = jax.jit(from_mask)(VALUES, mask)
    assert steps.segments.dtype == np.int32
    np.testing.assert_array_equal(steps.segments, mask)
    batch, steps_out = export.symbolic_shape("batch, steps")
    abstract = jax.eval_shape(
        from_mask,
        abstract_array((batch, steps_out, 4), jnp.float32),
        abstract_array((batch, steps_out), jnp.bool_),
    )
    assert abstract.segments.shape == (batch, steps_out)


def test_a_numeric_mask_counts_what_is_not_zero() -> None:
    np.testing.assert_array_equal(from_mask([[5, 6]], [[0.5, 0]]).segments, [[1, 0]])


@pytest.mark.parametrize(
    ("values", "segments", "message"),
    [
        (VALUES, [[1] * 4, [2] * 4], r"values, \(2, 3\), but came as \(2, 4\); give one entry"),
        (np.ones(3), [[1], [2], [3]], r"values, \(3,\), but came as \(3, 1\)"),
        ([["a", "b"]], [[1, 1]], "values must hold numbers"),
        (VALUES, np.ones(2, int), "came as int64 of shape"),
    ],
)
def test_steps_that_do_not_fit_are_refused(values: Any, segments: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Steps.of(values, segments)


def test_a_mask_that_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match=r"mask must have .* \(2, 3\), but came as \(3, 2\)"):
        from_mask(VALUES, np.ones((3, 2), bool))
    with pytest.raises(DataError, match=r"but came as \(2,\)"):
        from_mask(VALUES, np.ones(2, bool))
