"""The same weights in Keras's own layers, on its JAX backend."""

from typing import Any

import jax
import numpy as np
import pytest

from everystep.kernels import recurrent
from tests.kernels.truth import Case
from tests.tolerances import GRADIENTS, assert_close

keras = pytest.importorskip("keras")
if keras.backend.backend() != "jax":
    pytest.skip("needs Keras's JAX backend", allow_module_level=True)

LAYERS = {"lstm": "LSTM", "gru": "GRU", "simple": "SimpleRNN"}


def keras_weights(case: Case) -> list[Any]:
    arrays = case.arrays
    bias = arrays["bias"]
    if case.cell == "gru":
        bias = np.stack([bias, arrays["recurrent_bias"]])
    return [arrays["kernel"], arrays["recurrent_kernel"], bias]


def plain_case(cell: str, batch: int, steps: int) -> Case:
    """Keras starts from zeros; only its GRU has a recurrent bias."""
    case = Case(cell, batch, steps)
    case.arrays.pop("recurrent_dropout")
    if cell != "gru":
        case.arrays.pop("recurrent_bias")
    case.initial = tuple(np.zeros_like(state) for state in case.initial)
    return case


@pytest.mark.parametrize("cell", LAYERS)
@pytest.mark.parametrize(
    ("batch", "ragged", "zero"), [(1, False, False), (4, True, False), (5, True, True)]
)
def test_outputs_and_gradients_are_those_of_keras(
    cell: str, batch: int, ragged: bool, zero: bool
) -> None:
    case = plain_case(cell, batch, 9)
    layer = getattr(keras.layers, LAYERS[cell])(
        case.units, return_sequences=True, zero_output_for_mask=zero
    )
    layer.build((batch, 9, case.features))
    mask = np.random.default_rng(3).random((batch, 9)) < 0.6 if ragged else None
    segments = None if mask is None else mask.astype(np.int32)
    rest = [variable.value for variable in layer.non_trainable_variables]

    def theirs(weights: list[Any]) -> jax.Array:
        outputs, _ = layer.stateless_call(weights, rest, case.arrays["inputs"], mask=mask)
        return (outputs**2).sum(), outputs  # type: ignore[return-value]

    def ours(weights: list[Any]) -> jax.Array:
        kernel, recurrent_kernel, bias = weights
        split = tuple(bias) if cell == "gru" else (bias, None)
        outputs, _ = recurrent(
            case.gates,
            case.arrays["inputs"],
            kernel,
            recurrent_kernel,
            split[0],
            case.initial,
            recurrent_bias=split[1],
            segments=segments,
            zero_output_for_mask=zero,
        )
        return (outputs**2).sum(), outputs  # type: ignore[return-value]

    weights = keras_weights(case)
    (_, wanted), wanted_gradient = jax.jit(jax.value_and_grad(theirs, has_aux=True))(weights)
    (_, found), gradient = jax.jit(jax.value_and_grad(ours, has_aux=True))(weights)
    assert_close(found, wanted)
    jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), gradient, wanted_gradient)
