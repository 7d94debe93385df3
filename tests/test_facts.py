"""The facts about dense layers over time steps that everystep exists to make plain."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.errors import ShapeError
from everystep.layers import Dense, Flatten, Input, Layer, PerStep, Reshape, TimeDistributed
from everystep.layers.apply import apply, weights_of
from everystep.models import Sequential
from tests.tolerances import GRADIENTS, assert_close
from tests.trees import assert_trees_close

STEPS, FEATURES, UNITS = 4, 3, 5
X = np.random.default_rng(0).normal(size=(2, STEPS, FEATURES)).astype("float32")
KERNEL = np.random.default_rng(1).normal(size=(FEATURES, UNITS)).astype("float32")
BIAS = np.random.default_rng(2).normal(size=UNITS).astype("float32")


class Folded(Layer):
    """Reshape to (batch * steps, features), apply one dense layer, reshape back."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.dense = Dense(units)

    def call(self, inputs: Any) -> Any:
        batch, steps, features = inputs.shape
        folded = inputs.reshape(batch * steps, features)
        return self.dense(folded).reshape(batch, steps, self.dense.units)


def flattened(steps: int = STEPS, units: int = UNITS) -> Sequential:
    """Flatten, one dense layer over all steps, reshape back."""
    return Sequential([Flatten(), Dense(steps * units), Reshape((steps, units))])


DESIGNS: dict[str, Any] = {
    "dense": lambda: Dense(UNITS),
    "time distributed": lambda: TimeDistributed(Dense(UNITS)),
    "folded": lambda: Folded(UNITS),
    "flattened": flattened,
    "per step": lambda: PerStep(Dense(UNITS)),
}
SHARED = ("dense", "time distributed", "folded")


def built(design: str) -> Layer:
    layer: Layer = DESIGNS[design]()
    layer(X)
    return layer


def values_and_gradients(layer: Layer, inputs: Any) -> Any:
    """Outputs, and gradients by kernel, bias and input of a loss that moves with all outputs."""

    def loss(weights: Any, x: Any) -> tuple[Any, Any]:
        outputs = apply(layer, weights, x)[0]
        return jnp.sum(jnp.sin(outputs)), outputs

    (by_path, slope), outputs = jax.grad(loss, (0, 1), has_aux=True)(weights_of(layer), inputs)
    return outputs, [by_path[path] for path in layer.named_weights()], slope


def picture(layer: Layer) -> Any:
    """Which output step (row) moves with which input step (column)."""
    slopes = jax.jacobian(lambda x: layer(x))(X[:1])[0, :, :, 0]
    return np.asarray(jnp.any(slopes != 0, axis=(1, 3)))


@pytest.mark.parametrize("wrapped", [False, True])
def test_dense_and_time_distributed_dense_show_the_same_shape_and_55_parameters(
    wrapped: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    shape: Any = (50, 10)
    first = TimeDistributed(Dense(5), input_shape=shape) if wrapped else Dense(5, input_shape=shape)
    model = Sequential([first])
    assert model.output_shape == (None, 50, 5)
    counted = [model.trainable_weights, model.non_trainable_weights]
    assert [sum(weight.size for weight in weights) for weights in counted] == [55, 0]
    model.summary()
    shown = capsys.readouterr().out
    for text in ("(None, 50, 5)", "Total params: 55", "Trainable params: 55", "params: 0 "):
        assert text in shown


def test_the_snippet_of_the_question_runs_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    snippet = """
from everystep.layers import *
from everystep.models import *

model = Sequential()
model.add(Dense(5, input_shape=(50, 10)))
model.summary()
"""
    exec(snippet, {})
    assert "(None, 50, 5)" in capsys.readouterr().out


@pytest.mark.parametrize(("design", "count"), [(name, 20) for name in SHARED])
def test_a_shared_layer_has_20_parameters(design: str, count: int) -> None:
    assert built(design).count_params() == count


def test_an_own_layer_for_each_step_has_80_parameters_and_flattening_has_260() -> None:
    assert built("per step").count_params() == 80
    assert built("flattened").count_params() == 260
    kernel, bias = built("flattened").get_weights()
    assert (kernel.shape, bias.shape) == ((12, 20), (20,))


@pytest.mark.parametrize("shape", [(4, 3), (2, 7, 3), (2, 6, 7, 3)])
def test_dense_acts_on_the_last_axis_of_any_rank(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    layer = Dense(UNITS)
    layer(x)
    layer.set_weights([KERNEL, BIAS])
    assert_close(layer(x), np.einsum("...i,ij->...j", x, KERNEL) + BIAS)


def test_the_three_ways_to_share_a_layer_are_one_function() -> None:
    results = []
    for design in SHARED:
        layer = built(design)
        layer.set_weights([KERNEL, BIAS])
        results.append(values_and_gradients(layer, X))
    for result in results[1:]:
        assert_trees_close(result, results[0], GRADIENTS)


def test_folding_1000_sentences_of_50_words_gives_50000_rows_and_flattening_1000_of_500() -> None:
    x = np.zeros((1000, 50, 10), "float32")
    seen: list[Any] = []

    class Watched(Dense):
        def call(self, inputs: Any) -> Any:
            outputs = super().call(inputs)
            seen.extend([inputs.shape, outputs.shape])
            return outputs

    assert TimeDistributed(Watched(7))(x).shape == (1000, 50, 7)
    assert seen == [(50000, 10), (50000, 7)]
    assert Flatten()(x).shape == (1000, 500)


def test_flattening_reads_every_step_and_the_others_read_their_own() -> None:
    assert picture(built("flattened")).all()
    for design in (*SHARED, "per step"):
        np.testing.assert_array_equal(picture(built(design)), np.eye(STEPS, dtype=bool))


def test_sharing_is_the_per_step_design_with_one_kernel_for_all() -> None:
    shared, own = built("dense"), built("per step")
    own.set_weights([np.stack([weight] * STEPS) for weight in shared.get_weights()])
    assert_close(own(X), shared(X))


def test_an_own_layer_for_each_step_is_flattening_with_a_block_diagonal_kernel() -> None:
    own, flat = built("per step"), built("flattened")
    kernels, biases = own.get_weights()
    blocks = np.zeros((STEPS, FEATURES, STEPS, UNITS), "float32")
    for step, kernel in enumerate(kernels):
        blocks[step, :, step] = kernel
    flat.set_weights([blocks.reshape(STEPS * FEATURES, STEPS * UNITS), biases.reshape(-1)])
    assert_close(flat(X), own(X))


@pytest.mark.parametrize("design", SHARED)
@pytest.mark.parametrize("steps", [0, 1, 9])
def test_a_shared_layer_takes_any_number_of_steps(design: str, steps: int) -> None:
    assert built(design)(np.ones((2, steps, FEATURES), "float32")).shape == (2, steps, UNITS)


@pytest.mark.parametrize("design", ["flattened", "per step"])
def test_the_others_refuse_another_number_of_steps(design: str) -> None:
    with pytest.raises(ShapeError, match="incompatible") as caught:
        built(design)(np.ones((2, 9, FEATURES), "float32"))
    assert "9" in str(caught.value) or "27" in str(caught.value)


@pytest.mark.parametrize("design", ["flattened", "per step"])
def test_the_others_refuse_an_unknown_number_of_steps(design: str) -> None:
    with pytest.raises(ShapeError, match="number of steps"):
        Sequential([Input((None, FEATURES)), DESIGNS[design]()])


def test_the_gradient_of_a_shared_kernel_is_the_sum_of_the_contributions_of_all_steps() -> None:
    with jax.enable_x64(True):
        layer = Dense(UNITS, dtype="float64")
        x = X.astype("float64")
        layer(x)
        whole = values_and_gradients(layer, x)[1]
        parts = [values_and_gradients(layer, x[:, step : step + 1])[1] for step in range(STEPS)]
        summed = jax.tree.map(lambda *contributions: sum(contributions), *parts)
        assert_trees_close(whole, summed)
