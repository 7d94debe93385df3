"""BatchNormalization in training: what counts, and what freezes it; the rest is in the laws."""

from typing import Any

import numpy as np
import pytest

from everystep import layers
from everystep.core.scope import Scope
from everystep.errors import PackedRowsError, ShapeError
from everystep.layers import BatchNormalization
from everystep.models import Sequential
from everystep.sequences import Steps, pack
from tests.tolerances import assert_close

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

X = (2 * np.random.default_rng(0).normal(size=(3, 5, 4)) + 1).astype("float32")
MASK = np.array([[True, False, True, True, False], [False, False, True, False, False], [True] * 5])


def trained(inputs: Any, real_rows: Any = None, **options: Any) -> tuple[Any, list[Any]]:
    """The outputs and the statistics of one step of training."""
    layer = BatchNormalization(momentum=0.5, **options)
    with Scope(real_rows=real_rows).active() as scope:
        outputs = layer(inputs, training=True)
    scope.commit()
    return outputs, layer.get_weights()[2:]


def expected(real: Any) -> list[Any]:
    """The running statistics after a step on these vectors."""
    return [0.5 * real.mean(0), 0.5 + 0.5 * real.var(0)]


def test_a_real_step_counts_the_same_in_whatever_row_it_is() -> None:
    sequences = [X[0, :2], X[1], X[2, :3]]
    real = np.concatenate(sequences)
    for length in (5, 7):
        outputs, statistics = trained(pack(sequences, length=length))
        for found, wanted in zip(statistics, expected(real), strict=True):
            assert_close(found, wanted)
        for found, sequence in zip(outputs.unpack(), sequences, strict=True):
            assert_close(found, (sequence - real.mean(0)) / np.sqrt(real.var(0) + 1e-3))


def test_rows_that_fill_up_a_batch_do_not_count() -> None:
    rows = np.array([True, False, True])
    steps = Steps.of(X, MASK.astype(int), packed=False)
    for inputs, real in ((X, X[rows].reshape(-1, 4)), (steps, X[rows][MASK[rows]])):
        for found, wanted in zip(trained(inputs, rows)[1], expected(real), strict=True):
            assert_close(found, wanted)
    folded = trained(X.reshape(15, 4), rows)[1]
    for found, wanted in zip(folded, trained(X, rows)[1], strict=True):
        assert_close(found, wanted)
    with pytest.raises(ShapeError, match="3 rows came into the model"):
        trained(X[:2], rows)


@pytest.mark.parametrize("renorm", [False, True])
def test_a_batch_without_anything_real_changes_nothing(renorm: bool) -> None:
    nothing = Steps.of(X, 0 * MASK.astype(int), packed=False)
    for inputs in (nothing, X[:0]):
        layer = BatchNormalization(renorm=renorm)
        layer.build(X.shape)
        before = layer.get_weights()
        assert np.isfinite(np.asarray(layer(inputs, training=True))).all()
        for found, wanted in zip(layer.get_weights(), before, strict=True):
            assert_close(found, wanted)


RENORM: list[dict[str, Any]] = [
    {},
    {"renorm_clipping": {"rmin": 0.9, "rmax": 1.1, "dmax": 0.1}, "renorm_momentum": 0.8},
    {"scale": False, "center": False, "renorm_clipping": {"rmin": 1.2}},
]


@pytest.mark.parametrize("options", RENORM)
def test_renormalization_is_keras_s_over_several_steps(options: dict[str, Any]) -> None:
    ours, theirs = (
        room.BatchNormalization(renorm=True, momentum=0.7, **options)
        for room in (layers, keras.layers)
    )
    for step in range(3):
        batch = X * (1 + step) - step
        assert_close(ours(batch, training=True), theirs(batch, training=True))
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert_close(one, other)
    assert_close(ours(X), theirs(X))


def test_a_frozen_layer_goes_by_running_statistics_in_training_too() -> None:
    layer = BatchNormalization()
    layer.trainable = False
    assert_close(layer(X, training=True), X / np.sqrt(np.float32(1 + 1e-3)))
    assert not layer.get_weights()[2].any()
    model = Sequential([BatchNormalization()])
    model.trainable = False
    assert_close(model(X, training=True), layer(X))


def test_each_step_has_statistics_of_its_own_where_the_axis_is_that_of_the_steps() -> None:
    ours, theirs = BatchNormalization(1), keras.layers.BatchNormalization(axis=1)
    found = ours(X, mask=MASK, training=True)
    assert_close(found.values, theirs(X, mask=MASK, training=True))
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert_close(one, other)
    with pytest.raises(PackedRowsError, match="weights for each step"):
        ours(Steps.of(X, [[1, 1, 2, 2, 2], [3] * 5, [4] * 5]))


def test_sixteen_bits_keep_their_statistics_in_thirty_two() -> None:
    layer = BatchNormalization(dtype="mixed_bfloat16", momentum=0.5)
    assert layer(X, training=True).dtype == "bfloat16"
    assert {str(weight.dtype) for weight in layer.weights} == {"float32"}
    rounded = np.asarray(X.astype("bfloat16"), "float32").reshape(-1, 4)
    for found, wanted in zip(layer.get_weights()[2:], expected(rounded), strict=True):
        assert_close(found, wanted)
