"""Merging layers against Keras where masks differ, and what they refuse."""

from typing import Any

import jax
import numpy as np
import pytest

from everystep import layers
from everystep.errors import DataError, PackedRowsError, SegmentsError, ShapeError
from everystep.sequences import from_mask, pack
from tests.tolerances import assert_close

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

BATCH, STEPS, FEATURES = 3, 4, 5
MASKS = np.array(
    [
        [[1, 1, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0]],
        [[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]],
        [[0, 1, 1, 0], [0, 0, 0, 1], [1, 1, 1, 0]],
    ],
    bool,
)
ELEMENTWISE = ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")


def arrays(count: int, *shape: int) -> list[Any]:
    random = np.random.default_rng(0)
    return [
        random.normal(size=shape or (BATCH, STEPS, FEATURES)).astype("f4") for _ in range(count)
    ]


def masked(values: list[Any], masks: list[Any]) -> tuple[list[Any], list[Any]]:
    """The same masked arrays for us and for Keras."""
    from keras.src.backend.common.masking import set_keras_mask

    theirs = [jax.numpy.array(value) for value in values]
    for array, mask in zip(theirs, masks, strict=True):
        if mask is not None:
            set_keras_mask(array, jax.numpy.array(mask))
    pairs = zip(values, masks, strict=True)
    return [one if mask is None else from_mask(one, mask) for one, mask in pairs], theirs


def compare(name: str, masks: list[Any], **options: Any) -> tuple[Any, Any]:
    """Both outputs, of equal values; and their mask."""
    ours, theirs = masked(arrays(len(masks)), masks)
    found = getattr(layers, name)(**options)(ours)
    layer = getattr(keras.layers, name)(**options)
    assert_close(found, layer(theirs))
    return found, layer.compute_mask(theirs, masks)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_and_masks_of_inputs_with_different_masks(name: str) -> None:
    masks = list(MASKS)[: 2 if name == "Subtract" else 3]
    found, their_mask = compare(name, masks)
    np.testing.assert_array_equal(found.mask, their_mask)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_input_without_a_mask_leaves_the_mask_of_the_other(name: str) -> None:
    found, their_mask = compare(name, [MASKS[0], None])
    np.testing.assert_array_equal(found.mask, MASKS[0])
    assert their_mask is None


def test_concatenate_unites_masks_along_features_and_joins_them_along_steps() -> None:
    for axis in (-1, 1):
        found, their_mask = compare("Concatenate", list(MASKS), axis=axis)
        np.testing.assert_array_equal(found.mask, their_mask)
    found, their_mask = compare("Concatenate", [MASKS[0], None], axis=1)
    np.testing.assert_array_equal(found.mask, their_mask)
    found, their_mask = compare("Concatenate", [MASKS[0], None])
    np.testing.assert_array_equal(found.mask, MASKS[0])
    assert np.all(their_mask)


SHAPES = [
    [(BATCH, STEPS, FEATURES), (BATCH, FEATURES), (BATCH, 1, 1)],
    [(BATCH, 1, FEATURES), (BATCH, STEPS, 1)],
    [(BATCH, FEATURES)] * 2,
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_shapes_are_repeated_as_in_keras(shapes: list[tuple[int, ...]]) -> None:
    inputs = [arrays(1, *shape)[0] for shape in shapes]
    for name in ("add", "multiply", "maximum", "average"):
        wanted = getattr(keras.layers, name)(inputs)
        assert_close(getattr(layers, name)(inputs), wanted)


DOTS = [
    ((BATCH, FEATURES), (BATCH, FEATURES), 1),
    ((BATCH, FEATURES), (BATCH, STEPS, FEATURES), (1, 2)),
    ((BATCH, 2, FEATURES, 3), (BATCH, STEPS, FEATURES), (2, -1)),
    ((BATCH, STEPS, FEATURES), (BATCH, FEATURES, 2, 3), (-1, 1)),
]


@pytest.mark.parametrize(("first", "second", "axes"), DOTS)
def test_dot_of_any_ranks(first: Any, second: Any, axes: Any) -> None:
    inputs = [arrays(1, *first)[0], arrays(2, *second)[1]]
    # What Keras promises of arrays that are not NumPy's.
    theirs = [jax.numpy.array(one) for one in inputs]
    assert_close(layers.dot(inputs, axes), keras.layers.dot(theirs, axes))
    cosine = keras.layers.Dot(axes, normalize=True)(theirs)
    assert_close(layers.Dot(axes, normalize=True)(inputs), cosine)


def test_the_cosine_of_zeros_is_zero_and_has_a_gradient() -> None:
    zeros = np.zeros((1, 3), "float32")
    slope = jax.grad(lambda x: layers.Dot(1, normalize=True)([x, x]).sum())(zeros)
    assert np.isfinite(slope).all()


def test_the_mask_of_a_repeated_step_is_repeated() -> None:
    wide, narrow = arrays(1)[0], from_mask(arrays(1, BATCH, 1, FEATURES)[0], [[1], [0], [1]])
    assert layers.add([wide, narrow]).mask.tolist() == [
        [True] * STEPS,
        [False] * STEPS,
        [True] * STEPS,
    ]


def test_packed_rows_merge_where_they_hold_the_same_sequences() -> None:
    sequences = [np.ones((length, 2), "float32") for length in (3, 2, 4)]
    one, other = pack(sequences, length=5), pack(sequences, length=5)
    assert one.segments is not other.segments
    found = layers.concatenate([one, other.with_values(2 * other.values)])
    assert found.packed
    assert [tuple(map(tuple, sequence)) for sequence in found.unpack()] == [
        ((1, 1, 2, 2),) * length for length in (3, 2, 4)
    ]
    with pytest.raises(SegmentsError, match=r"'sum' \(Add\).*same sequences"):
        layers.Add(name="sum")([one, pack(sequences[::-1], length=5)])
    with pytest.raises(PackedRowsError, match=r"'behind' \(Concatenate\).*along axis 1"):
        layers.Concatenate(1, name="behind")([one, other])


X = np.ones((2, 4, 3), "float32")
REFUSED: dict[str, tuple[Any, Any, Any, str]] = {
    "no list": (layers.Add, X, DataError, "called on a list of inputs.*'merge' .*some arrays"),
    "three to subtract": (layers.Subtract, [X] * 3, DataError, "'merge' .Subtract.*takes 2 arrays"),
    "one for a dot": (lambda name: layers.Dot(1, name=name), [X], DataError, "takes 2 arrays"),
    "sizes": (layers.Add, [X, X[:, :3]], ShapeError, r"'merge'.*\(2, 4, 3\), \(2, 3, 3\)"),
    "batches": (layers.Add, [X, X[:1]], ShapeError, r"'merge'.*\(2, 4, 3\), \(1, 4, 3\)"),
    "features": (layers.Concatenate, [X, X[:, :3]], ShapeError, r"matching shapes.*'merge'"),
    "ranks": (layers.Concatenate, [X, X[0]], ShapeError, r"matching shapes.*'merge'"),
    "axes": (
        lambda name: layers.Dot((1, 2), name=name),
        [X, X],
        ShapeError,
        "'merge'.*axes 1 and 2 have 4 and 3 values",
    ),
    "the batch axis": (
        lambda name: layers.Dot((0, 1), name=name),
        [X, X],
        ShapeError,
        "'merge'.*behind the batch axis",
    ),
    "a mask of other steps": (
        layers.Add,
        [X, from_mask(X[:, 0], np.ones((2, 3)))],
        SegmentsError,
        "'merge'.*input 1",
    ),
    "a mask for a dot": (
        lambda name: layers.Dot(2, name=name),
        [X, from_mask(X, np.ones((2, 4)))],
        SegmentsError,
        "'merge'.*would lose the mask",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_go_together_is_refused(case: str) -> None:
    make, inputs, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        make(name="merge")(inputs)
