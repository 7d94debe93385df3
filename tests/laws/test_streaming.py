"""A recurrent layer that reads a sequence chunk by chunk gives what it gives for the whole."""

from typing import Any

import numpy as np

from tests.catalogue import BATCH, ENTRIES, FEATURES, STEPS, Entry
from tests.laws.selection import about
from tests.tolerances import assert_close

MASK = np.array([[False, True, True, False, True], [True, True, False, False, False]])
CHUNKS = [slice(0, 2), slice(2, 3), slice(3, STEPS)]


def streams(entry: Entry) -> bool:
    """Recurrent layers, which have a cell, that read forward and give every step."""
    return entry.reads == "before" and "cell" in vars(entry.make())


def at_real_steps(outputs: Any, chunk: slice = slice(None)) -> Any:
    """The outputs, zeros at padding: what stood before the chunk, padding there cannot repeat."""
    return np.where(MASK[:, chunk, None], outputs.values, 0)


def with_weights_of(layer: Any, **changes: Any) -> Any:
    """A layer with other settings and the same weights."""
    other = type(layer).from_config(layer.get_config() | changes)
    other.build((BATCH, None, FEATURES))
    other.set_weights(layer.get_weights())
    return other


@about(streams)
def test_a_stateful_layer_goes_on_where_it_stopped(entry: Entry) -> None:
    layer, inputs = entry.built(), entry.inputs()
    whole = layer(inputs, mask=MASK)
    stateful = with_weights_of(layer, stateful=True)
    for _ in range(2):
        stateful.reset_state()
        for chunk in CHUNKS:
            part = stateful(inputs[:, chunk], mask=MASK[:, chunk])
            assert_close(at_real_steps(part, chunk), at_real_steps(whole)[:, chunk])


@about(streams)
def test_the_states_of_one_call_are_the_start_of_the_next(entry: Entry) -> None:
    layer, inputs = entry.built(), entry.inputs()
    whole = layer(inputs, mask=MASK)
    resumed, states = with_weights_of(layer, return_state=True), None
    for chunk in CHUNKS:
        part, *states = resumed(inputs[:, chunk], mask=MASK[:, chunk], initial_state=states)
        assert_close(at_real_steps(part, chunk), at_real_steps(whole)[:, chunk])


def test_the_law_is_about_every_kind_of_recurrent_layer() -> None:
    kinds = {type(entry.make()).__name__ for entry in ENTRIES if streams(entry)}
    assert kinds == {"GRU", "LSTM", "RNN", "SimpleRNN"}
