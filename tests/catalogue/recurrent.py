"""Recurrent layers, their cells, and Bidirectional."""

from collections.abc import Callable
from typing import Any

from everystep.layers import LSTM, Bidirectional, Layer, LSTMCell
from tests.catalogue.entry import BATCH, FEATURES, UNITS, Entry, last_state


def lstm(**options: Any) -> Callable[[], Layer]:
    """Makes an LSTM that returns every step."""
    return lambda: LSTM(UNITS, **{"return_sequences": True, **options})


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
    Entry("LSTMCell", lambda: LSTMCell(UNITS), (BATCH, FEATURES), False, None, "refused", states=2),
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
    last_state("Bidirectional last steps", both(return_sequences=False), variant=True),
    last_state("Bidirectional return_state", both("sum", return_state=True), variant=True),
]
