"""The layers against Keras itself, on its JAX backend, with the same weights."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, given, settings

from everystep import layers
from everystep.layers.apply import apply, weights_of
from everystep.models import Sequential
from everystep.sequences import Steps
from tests.tolerances import GRADIENTS, assert_close
from tests.trees import assert_trees_close, outputs_of

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

BATCH, STEPS, FEATURES, UNITS, VOCABULARY = 3, 6, 4, 5, 9
MASKS: dict[str, Any] = {
    "none": None,
    "right": [[1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]],
    "left": [[0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1]],
    "gaps": [[1, 0, 0, 1, 1, 0], [0, 1, 0, 1, 0, 1], [0, 0, 0, 0, 0, 0]],
}
Make = Callable[[Any], Any]


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def mask_named(name: str) -> Any:
    return None if MASKS[name] is None else np.array(MASKS[name], bool)


def twins(make: Make, inputs: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Our layer and Keras's, built on the same input and holding the same weights."""
    ours, theirs = make(layers), make(keras.layers)
    ours(inputs, **kwargs)
    theirs(inputs, **kwargs)
    shapes = [weight.shape for weight in theirs.get_weights()]
    assert [weight.shape for weight in ours.get_weights()] == shapes
    weights = [0.5 * numbers(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    for layer in (ours, theirs):
        layer.set_weights(weights)
    return ours, theirs


def listed(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def assert_equal_calls(ours: Any, theirs: Any, inputs: Any, mask: Any, **kwargs: Any) -> None:
    """Outputs, states and masks are the same."""
    found = outputs_of(ours(inputs, mask=mask, **kwargs))
    wanted = listed(theirs(inputs, mask=mask, **kwargs))
    for one, other in zip(found, wanted, strict=True):
        assert_close(one, other)
    masks = [np.asarray(one.mask) for one in found if isinstance(one, Steps)]
    their_masks = [one for one in listed(theirs.compute_mask(inputs, mask)) if one is not None]
    if not (mask is None or getattr(ours, "go_backwards", False)):
        assert_trees_close(masks, their_masks[: len(masks)])
        assert bool(masks) == bool(their_masks)


def total(outputs: Any) -> Any:
    return sum(jnp.sum(jnp.sin(leaf)) for leaf in outputs)


def assert_equal_gradients(ours: Any, theirs: Any, inputs: Any, mask: Any) -> None:
    """Gradients by weights, in Keras's order, and by the input are the same."""

    def our_loss(weights: Any, x: Any) -> Any:
        return total(
            leaf.values if isinstance(leaf, Steps) else leaf
            for leaf in outputs_of(apply(ours, weights, x, mask=mask)[0])
        )

    def their_loss(weights: Any, x: Any) -> Any:
        fixed = [variable.value for variable in theirs.non_trainable_variables]
        masked = {} if mask is None else {"mask": mask}
        return total(listed(theirs.stateless_call(weights, fixed, x, **masked)[0]))

    found, found_x = jax.grad(our_loss, (0, 1))(weights_of(ours), inputs)
    trainable = [variable.value for variable in theirs.trainable_variables]
    wanted, wanted_x = jax.grad(their_loss, (0, 1))(trainable, inputs)
    in_order = [found[path] for path in ours.named_weights()]
    assert_trees_close(in_order, wanted, GRADIENTS)
    assert_close(found_x, wanted_x, GRADIENTS)


def relative_paths(layer: Any) -> list[str]:
    """The paths of weights inside a layer, without numbers that automatic names are given."""
    parts = [weight.path.split("/")[1:] for weight in layer.weights]
    return ["/".join(part.rstrip("0123456789_") for part in path) for path in parts]


# Keras says that zero_output_for_mask is for return_sequences only; its code then zeroes the last
# output too where a row ends in padding, which ours does not.
LSTM_OPTIONS = st.fixed_dictionaries(
    {
        "return_sequences": st.booleans(),
        "return_state": st.booleans(),
        "go_backwards": st.booleans(),
        "zero_output_for_mask": st.booleans(),
        "use_bias": st.booleans(),
        "activation": st.sampled_from(["tanh", "relu", "softsign"]),
        "recurrent_activation": st.sampled_from(["sigmoid", "hard_sigmoid"]),
    }
).map(lambda o: o | {"zero_output_for_mask": o["zero_output_for_mask"] and o["return_sequences"]})

# Shrinking would compile anew for each smaller example.
few = settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@few
@given(LSTM_OPTIONS, st.sampled_from(list(MASKS)), st.booleans())
def test_lstm(options: dict[str, Any], mask: str, with_states: bool) -> None:
    inputs = numbers(BATCH, STEPS, FEATURES)
    ours, theirs = twins(lambda room: room.LSTM(UNITS, **options), inputs)
    states = [numbers(BATCH, UNITS, seed=seed) for seed in (7, 8)] if with_states else None
    assert_equal_calls(ours, theirs, inputs, mask_named(mask), initial_state=states)


BIDIRECTIONAL_OPTIONS = st.fixed_dictionaries(
    {
        "return_sequences": st.booleans(),
        "return_state": st.booleans(),
        "go_backwards": st.booleans(),
    }
)


@few
@given(
    BIDIRECTIONAL_OPTIONS,
    st.sampled_from(["concat", "sum", "ave", "mul", None]),
    st.sampled_from(list(MASKS)),
    st.booleans(),
    st.booleans(),
)
def test_bidirectional(
    options: dict[str, Any], mode: str | None, mask: str, with_states: bool, own_backward: bool
) -> None:
    inputs = numbers(BATCH, STEPS, FEATURES)
    # Keras makes no backward layer of one that reads backward itself.
    options = options | {"go_backwards": options["go_backwards"] and own_backward}

    def make(room: Any) -> Any:
        turned = options | {"go_backwards": not options["go_backwards"]}
        backward = room.LSTM(UNITS, **turned, activation="relu") if own_backward else None
        return room.Bidirectional(room.LSTM(UNITS, **options), mode, backward_layer=backward)

    ours, theirs = twins(make, inputs)
    states = [numbers(BATCH, UNITS, seed=seed) for seed in range(4)] if with_states else None
    ours.go_backwards = options["go_backwards"]
    assert_equal_calls(ours, theirs, inputs, mask_named(mask), initial_state=states)


GRADIENT_CASES: dict[str, tuple[Make, str]] = {
    "LSTM": (lambda room: room.LSTM(UNITS, return_sequences=True), "gaps"),
    "LSTM of states": (lambda room: room.LSTM(UNITS, return_state=True), "left"),
    "LSTM backwards": (
        lambda room: room.LSTM(UNITS, return_sequences=True, go_backwards=True),
        "right",
    ),
    "Bidirectional": (
        lambda room: room.Bidirectional(room.LSTM(UNITS, return_sequences=True)),
        "gaps",
    ),
    "TimeDistributed": (lambda room: room.TimeDistributed(room.Dense(UNITS, "tanh")), "none"),
    "Dense": (lambda room: room.Dense(UNITS, "gelu"), "none"),
}


@pytest.mark.parametrize("name", GRADIENT_CASES)
def test_gradients(name: str) -> None:
    make, mask = GRADIENT_CASES[name]
    inputs = numbers(BATCH, STEPS, FEATURES)
    ours, theirs = twins(make, inputs)
    assert_equal_gradients(ours, theirs, inputs, mask_named(mask))
    assert relative_paths(ours) == relative_paths(theirs)


@pytest.mark.parametrize("return_sequences", [False, True])
def test_a_stateful_lstm_goes_on_where_it_stopped_until_it_is_reset(return_sequences: bool) -> None:
    inputs = numbers(BATCH, STEPS, FEATURES)

    def make(room: Any) -> Any:
        return room.LSTM(UNITS, stateful=True, return_sequences=return_sequences)

    ours, theirs = twins(make, inputs)
    for layer in (ours, theirs):
        layer.reset_state()
    for mask in ("none", "gaps", "right"):
        assert_equal_calls(ours, theirs, inputs, mask_named(mask))
    for layer in (ours, theirs):
        layer.reset_state()
    assert_equal_calls(ours, theirs, inputs, None)


DEEP = (BATCH, STEPS, FEATURES, 2)
LAYERS: dict[str, tuple[Make, tuple[int, ...]]] = {
    "Dense of rank 2": (lambda room: room.Dense(UNITS), (BATCH, FEATURES)),
    "Dense of rank 4": (lambda room: room.Dense(UNITS, "relu", use_bias=False), DEEP),
    "Flatten": (lambda room: room.Flatten(), DEEP),
    "Flatten channels first": (lambda room: room.Flatten(data_format="channels_first"), DEEP),
    "Reshape": (lambda room: room.Reshape((4, -1, 3)), DEEP),
    "Activation": (lambda room: room.Activation("softmax"), DEEP),
    "Dropout": (lambda room: room.Dropout(0.5), DEEP),
    "TimeDistributed Dense": (lambda room: room.TimeDistributed(room.Dense(UNITS)), DEEP),
    "TimeDistributed Flatten": (lambda room: room.TimeDistributed(room.Flatten()), DEEP),
    "TimeDistributed LSTM": (lambda room: room.TimeDistributed(room.LSTM(UNITS)), DEEP),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_without_time_of_their_own(name: str) -> None:
    make, shape = LAYERS[name]
    inputs = numbers(*shape)
    ours, theirs = twins(make, inputs)
    assert_close(ours(inputs), theirs(inputs))
    assert relative_paths(ours) == relative_paths(theirs)
    unknown = (None, *shape[1:])
    assert ours.compute_output_shape(unknown) == theirs.compute_output_shape(unknown)


def test_a_tagger_masks_the_same_steps_all_the_way_through() -> None:
    ids = np.random.default_rng(0).integers(0, VOCABULARY, (BATCH, STEPS))

    def make(room: Any) -> list[Any]:
        return [
            room.Embedding(VOCABULARY, FEATURES, mask_zero=True),
            room.Bidirectional(room.LSTM(UNITS, return_sequences=True)),
            room.TimeDistributed(room.Dense(3)),
            room.Dense(2, "softmax"),
        ]

    ours, theirs = Sequential(make(layers)), keras.Sequential(make(keras.layers))
    ours(ids)
    theirs(ids)
    weights = [0.5 * numbers(*one.shape, seed=n) for n, one in enumerate(theirs.get_weights())]
    for model in (ours, theirs):
        model.set_weights(weights)
    found = ours(ids)
    assert_close(found, theirs(ids))
    np.testing.assert_array_equal(found.mask, ids != 0)
