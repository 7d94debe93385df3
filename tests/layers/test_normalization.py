"""Normalization where Keras is no truth: padding, packed rows, 16 bits, and what is refused."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.errors import PackedRowsError, SegmentsError, SettingError, ShapeError
from everystep.layers import (
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from everystep.sequences import Steps
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
MASK = np.array([[True, False, True, True, False], [False, False, True, False, False]])


def normalized(values: Any, epsilon: float = 1e-3) -> Any:
    return (values - values.mean()) / np.sqrt(values.var() + epsilon)


def test_groups_are_normalized_over_real_steps_alone() -> None:
    found = GroupNormalization(2)(X, mask=MASK)
    for row, real in enumerate(MASK):
        for group in (slice(0, 2), slice(2, 4)):
            assert_close(found.values[row, real, group], normalized(X[row, real, group]))


def test_layers_that_work_along_steps_leave_padding_out() -> None:
    found = LayerNormalization([1, 2])(X, mask=MASK)
    lengths = UnitNormalization(1)(X, mask=MASK)
    for row, real in enumerate(MASK):
        assert_close(found.values[row, real], normalized(X[row, real]))
        assert_close(lengths.values[row, real], X[row, real] / np.linalg.norm(X[row, real], axis=0))


def test_the_older_scaling_keeps_the_mean_and_has_no_offset() -> None:
    layer = LayerNormalization(rms_scaling=True, scale=False)
    found = layer(X)
    assert [weight.name for weight in layer.weights] == ["gamma"]
    assert_close(found, X / np.sqrt(X.var(-1, keepdims=True) + 1e-3))


def test_a_vector_of_zeros_stays_one_and_has_a_gradient() -> None:
    zeros = jnp.zeros((1, 3))
    assert not np.any(UnitNormalization()(zeros))
    slopes = jax.grad(lambda x: UnitNormalization()(x).sum())(zeros)
    assert np.isfinite(slopes).all()


KINDS = [LayerNormalization, RMSNormalization, UnitNormalization, partial(GroupNormalization, 2)]


@pytest.mark.parametrize("kind", KINDS)
def test_squares_of_half_precision_do_not_overflow(kind: Any) -> None:
    layer = kind(dtype="mixed_float16")
    found = layer(300 * X)
    assert found.dtype == "float16"
    assert all(weight.dtype == "float32" for weight in layer.weights)
    assert_close(found, kind()(300 * X))


def test_axes_and_channels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="Axis 3 is out of bounds"):
        LayerNormalization(3)(X)
    with pytest.raises(ShapeError, match=r"Axis -3 is out of bounds.*batch"):
        UnitNormalization(-3)(X)
    with pytest.raises(SettingError, match="share out 4 channels among groups=3"):
        GroupNormalization(3)(X)
    with pytest.raises(SegmentsError, match="channels in axis 1"):
        GroupNormalization(-1, axis=1)(X, mask=MASK)
    packed = Steps.of(X, [[1, 1, 2, 2, 2], [3, 3, 3, 3, 0]])
    with pytest.raises(PackedRowsError, match="weights for each step"):
        RMSNormalization(1)(packed)
