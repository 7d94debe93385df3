"""Recurrent layers, their cells, and Bidirectional."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from everystep.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    GRUCell,
    Layer,
    LayerNormGRUCell,
    LayerNormLSTMCell,
    LSTMCell,
    PeepholeLSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
)
from everystep.saving import register_keras_serializable
from tests.catalogue.entry import BATCH, FEATURES, UNITS, Entry, last_state


def lstm(**options: Any) -> Callable[[], Layer]:
    """Makes an LSTM that returns every step."""
    return lambda: LSTM(UNITS, **{"return_sequences": True, **options})


@register_keras_serializable(package="tests")
class Tally(Layer):
    """A cell in Keras's manner: output and states differ, and its states do not start at zeros."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.built = True

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Start from ones and halves."""
        return [jnp.full((batch_size, self.units), start) for start in (1.0, 0.5)]

    def call(self, inputs: Any, states: Any) -> tuple[Any, list[Any]]:
        """Forget, add, and show the product."""
        total, slow = states
        total = jnp.tanh(0.5 * total + jnp.matmul(inputs, self.kernel))
        slow = 0.9 * slow + 0.1 * total
        return total * slow, [total, slow]


def over(cell: Callable[..., Layer], *args: Any, **options: Any) -> Callable[[], Layer]:
    """Makes an RNN over a cell that returns every step."""
    return lambda: RNN(cell(*args or (UNITS,)), **{"return_sequences": True, **options})


def stacked(*cells: Callable[..., Layer]) -> Callable[[], Layer]:
    """Makes a stack of cells."""
    return lambda: StackedRNNCells([cell(UNITS) for cell in cells])


def cell(name: str, make: Callable[[], Layer], states: int, **rest: Any) -> Entry:
    """An entry for a cell called on one step."""
    return Entry(name, make, (BATCH, FEATURES), False, None, "refused", states=states, **rest)


def both(merge_mode: str | None = "concat", **options: Any) -> Callable[[], Layer]:
    """Makes a Bidirectional LSTM."""
    return lambda: Bidirectional(lstm(**options)(), merge_mode=merge_mode)


ENTRIES = [
    Entry("LSTM", lstm(), reads="before"),
    Entry("LSTM without bias", lstm(use_bias=False), reads="before", variant=True),
    Entry(
        "LSTM other activations",
        lstm(activation="softsign", recurrent_activation="softmax"),
        reads="before",
        variant=True,
    ),
    Entry("LSTM go_backwards", lstm(go_backwards=True), reads="after", variant=True),
    Entry(
        "LSTM zero_output_for_mask", lstm(zero_output_for_mask=True), reads="before", variant=True
    ),
    Entry("LSTM unroll", lstm(unroll=True, unit_forget_bias=False), reads="before", variant=True),
    Entry("LSTM dropout", lstm(dropout=0.3, recurrent_dropout=0.2), reads="before"),
    last_state("LSTM last step", lstm(return_sequences=False)),
    last_state(
        "LSTM last step backwards", lstm(return_sequences=False, go_backwards=True), variant=True
    ),
    last_state("LSTM return_state", lstm(return_state=True)),
    last_state("LSTM stateful", lstm(stateful=True), variant=True),
    Entry("GRU", lambda: GRU(UNITS, return_sequences=True), reads="before"),
    Entry(
        "GRU reset before",
        lambda: GRU(UNITS, return_sequences=True, reset_after=False, recurrent_dropout=0.2),
        reads="before",
    ),
    last_state(
        "GRU last step", lambda: GRU(UNITS, return_state=True, go_backwards=True), variant=True
    ),
    Entry("SimpleRNN", lambda: SimpleRNN(UNITS, return_sequences=True), reads="before"),
    last_state("SimpleRNN last step", lambda: SimpleRNN(UNITS, dropout=0.2), variant=True),
    Entry("RNN", over(Tally), reads="before"),
    Entry("RNN backwards", over(Tally, go_backwards=True), reads="after", variant=True),
    last_state("RNN return_state", over(Tally, return_state=True), variant=True),
    Entry("RNN of peepholes", over(PeepholeLSTMCell), reads="before"),
    Entry("RNN of a normalized LSTM", over(LayerNormLSTMCell), reads="before"),
    Entry("RNN of a normalized GRU", over(LayerNormGRUCell), reads="before"),
    Entry(
        "RNN of stacked cells",
        lambda: RNN([LSTMCell(6), GRUCell(5), SimpleRNNCell(UNITS)], return_sequences=True),
        reads="before",
    ),
    last_state(
        "RNN of stacked cells of two kinds",
        lambda: RNN([Tally(5), LSTMCell(UNITS)]),
        variant=True,
    ),
    cell("LSTMCell", lambda: LSTMCell(UNITS), 2),
    cell("GRUCell", lambda: GRUCell(UNITS), 1, variant=True),
    cell("SimpleRNNCell", lambda: SimpleRNNCell(UNITS), 1, variant=True),
    cell("PeepholeLSTMCell", lambda: PeepholeLSTMCell(UNITS), 2, variant=True),
    cell("LayerNormLSTMCell", lambda: LayerNormLSTMCell(UNITS), 2, variant=True),
    cell("LayerNormGRUCell", lambda: LayerNormGRUCell(UNITS), 1, variant=True),
    cell("StackedRNNCells", stacked(GRUCell, SimpleRNNCell), 2, variant=True),
    *(
        Entry(f"Bidirectional {mode}", both(mode), reads="all", variant=mode != "ave")
        for mode in ("concat", "sum", "ave", "mul")
    ),
    Entry("Bidirectional two outputs", both(None), reads=None, variant=True),
    Entry(
        "Bidirectional of two layers",
        lambda: Bidirectional(
            lstm()(), backward_layer=LSTM(6, return_sequences=True, go_backwards=True)
        ),
        reads="all",
        variant=True,
    ),
    Entry(
        "Bidirectional RNN",
        lambda: Bidirectional(
            over(Tally)(), backward_layer=GRU(6, return_sequences=True, go_backwards=True)
        ),
        reads="all",
        variant=True,
    ),
    last_state("Bidirectional last steps", both(return_sequences=False), variant=True),
    last_state("Bidirectional return_state", both("sum", return_state=True), variant=True),
]
