"""Padding is inert, packed rows are one sequence after another, nothing is lost in silence."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.core.randomness import Noise
from everystep.errors import PackedRowsError, SegmentsError
from everystep.layers.apply import apply, run, weights_of
from everystep.regularizers import L2
from everystep.sequences import Steps, pack
from tests.catalogue import BATCH, STEPS, Entry
from tests.laws.selection import about
from tests.tolerances import GRADIENTS
from tests.trees import assert_finite, assert_trees_close, assert_trees_same, outputs_of, real

MASK = np.array([[False, True, True, False, True], [True, True, False, False, False]])
LENGTHS = (2, 3, 2)
# Layers that skip padding do not let even NaN into gradients; a product with a zero would.
SKIPS_PADDING = [
    *("LSTM", "LSTM last step", "GRU reset before", "Bidirectional ave"),
    *("Conv1D", "AveragePooling1D", "CRF"),
]


def has_steps(entry: Entry) -> bool:
    return len(entry.shape) > 2 - entry.ids and not entry.states


def takes_mask(entry: Entry) -> bool:
    return has_steps(entry) and entry.segments != "refused"


def takes_packed(entry: Entry) -> bool:
    return has_steps(entry) and entry.segments == "packed"


def differentiated(entry: Entry, **kwargs: Any) -> Callable[[Any], tuple[Any, Any]]:
    """From inputs to the outputs at real steps, and the gradients of a loss of those alone.

    It is one function for all inputs, so that those of one shape share a program.
    """
    layer = entry.built()

    def loss(weights: Any, values: Any, inputs: Any) -> tuple[Any, Any]:
        given = inputs.with_values(values) if isinstance(inputs, Steps) else values
        outputs = real(apply(layer, weights, inputs if entry.ids else given, **kwargs)[0])
        return sum(jnp.sum(jnp.sin(output)) for output in outputs), outputs

    slopes = jax.jit(jax.grad(loss, 0 if entry.ids else (0, 1), has_aux=True))

    def outputs_and_slopes(inputs: Any) -> tuple[Any, Any]:
        numbers = inputs.values if isinstance(inputs, Steps) else inputs
        values = np.zeros(0) if entry.ids else numbers
        found, outputs = slopes(weights_of(layer), values, inputs)
        return outputs, found

    return outputs_and_slopes


def fill(inputs: Any, padding: Any, entry: Entry) -> Any:
    """The inputs with other values behind the mask."""
    mask = MASK.reshape(*MASK.shape, *[1] * (inputs.ndim - 2))
    return np.where(mask, inputs, padding).astype(inputs.dtype)


@about(takes_mask)
def test_what_padding_holds_changes_no_real_step(entry: Entry) -> None:
    inputs = entry.inputs()
    paddings = (3, 7) if entry.ids else (0.5, -30.0, np.nan, np.inf)
    given = (fill(inputs, value, entry) for value in paddings)
    wanted, *found = (real(entry.built()(each, mask=MASK)) for each in given)
    for other in found:
        assert_trees_same(other, wanted)


@about(lambda entry: takes_mask(entry) and not entry.variant)
def test_what_padding_holds_changes_nothing_in_training(entry: Entry) -> None:
    """No real step, no state such as a running mean, and no penalty on activity."""
    layer, inputs = entry.built(), entry.inputs()
    layer.activity_regularizer = L2(0.1)

    def trained(padding: float) -> Any:
        given = fill(inputs, padding, entry)
        options: Any = {"training": True, "noise": Noise.of_seed(3), "mask": MASK}
        result = run(layer, layer.named_weights(), weights_of(layer), given, **options)
        assert result.losses
        return real(result.outputs), result.state, result.losses

    assert_trees_same(*map(trained, (3, 7) if entry.ids else (0.5, -30.0)))


@about(lambda entry: takes_mask(entry) and not entry.variant)
def test_what_padding_holds_changes_no_gradient(entry: Entry) -> None:
    inputs = entry.inputs()
    first, second = (3, 7) if entry.ids else (0.5, -30.0)
    slopes = differentiated(entry, mask=MASK)
    found = slopes(fill(inputs, first, entry))
    assert_finite(found)
    assert_trees_close(found, slopes(fill(inputs, second, entry)))


@about(lambda entry: entry.name in SKIPS_PADDING)
@pytest.mark.parametrize("padding", [np.nan, np.inf])
def test_not_even_nan_leaks_out_of_padding_that_is_skipped(entry: Entry, padding: float) -> None:
    inputs = entry.inputs()
    slopes = differentiated(entry, mask=MASK)
    found = slopes(fill(inputs, padding, entry))
    assert_finite(found)
    assert_trees_close(found, slopes(fill(inputs, 0.0, entry)))


@about(takes_mask)
def test_rows_of_nothing_but_padding_give_defined_outputs(entry: Entry) -> None:
    outputs = entry.built()(entry.inputs(), mask=np.zeros((BATCH, STEPS), bool))
    assert_finite(outputs)


@about(takes_packed)
def test_packed_rows_equal_one_sequence_at_a_time(entry: Entry) -> None:
    layer = entry.built()
    longest = 5 if entry.any_length else STEPS
    sequences = [
        entry.inputs((length, *entry.shape[2:]), seed=seed) for seed, length in enumerate(LENGTHS)
    ]
    packed = outputs_of(layer(pack(sequences, length=longest)))
    alone = [outputs_of(layer(sequence[None])) for sequence in sequences]
    for number, output in enumerate(packed):
        assert isinstance(output, Steps)
        found = output.unpack()
        wanted = [np.asarray(outputs[number])[0] for outputs in alone]
        if entry.name != "Embedding mask_zero":
            assert_trees_close(found, wanted)


@about(lambda entry: takes_packed(entry) and not entry.variant)
def test_gradients_of_packed_rows_are_the_sum_of_those_of_each_sequence(entry: Entry) -> None:
    sequences = [
        entry.inputs((length, *entry.shape[2:]), seed=seed) for seed, length in enumerate(LENGTHS)
    ]
    slopes = differentiated(entry)
    found = slopes(pack(sequences, length=5))[1]
    alone = [slopes(sequence[None])[1] for sequence in sequences]
    weights_alone = [one if entry.ids else one[0] for one in alone]
    wanted = jax.tree.map(lambda *parts: sum(parts), *weights_alone)
    assert_trees_close(found if entry.ids else found[0], wanted, GRADIENTS)


@about(lambda entry: has_steps(entry) and entry.segments == "rows")
def test_a_layer_of_one_sequence_a_row_refuses_packed_rows(entry: Entry) -> None:
    layer = entry.built()
    steps = Steps.of(entry.inputs(), [[1, 1, 2, 2, 2], [3, 3, 4, 0, 0]])
    with pytest.raises(PackedRowsError, match=layer.name):
        layer(steps)


@about(lambda entry: has_steps(entry) and entry.segments == "refused")
@pytest.mark.parametrize("packed", [False, True])
def test_a_layer_that_would_lose_the_mask_refuses_it(entry: Entry, packed: bool) -> None:
    layer = entry.built()
    steps = Steps.of(entry.inputs(), MASK * [[1], [2]], packed=packed)
    with pytest.raises(SegmentsError, match=layer.path):
        layer(steps)


@about(takes_mask)
def test_a_mask_and_steps_are_the_same(entry: Entry) -> None:
    steps = Steps.of(entry.inputs(), MASK.astype(int), packed=False)
    assert_trees_same(entry.built()(entry.inputs(), mask=MASK), entry.built()(steps))
