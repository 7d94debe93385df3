"""Recurrent layers and their cells."""

from typing import Any

from tests.differential.space import BATCH, TIME_MASKS, UNITS, VECTORS, YES_NO, Of, Space

STATE = (BATCH, UNITS)
CELL: dict[str, Any] = {
    "units": [UNITS],
    "activation": ["tanh", "softsign"],
    "use_bias": YES_NO,
}
LAYER: dict[str, Any] = {
    "return_sequences": YES_NO,
    "return_state": YES_NO,
    "go_backwards": YES_NO,
    "unroll": YES_NO,
}
GATES: dict[str, Any] = {"recurrent_activation": ["sigmoid", "hard_sigmoid"]}
CELLS = [
    Of("SimpleRNNCell", UNITS),
    Of("GRUCell", UNITS, reset_after=False),
    Of("LSTMCell", 2),
    Of("StackedRNNCells", [Of("LSTMCell", 2), Of("GRUCell", UNITS)]),
]


def _zeros_as_documented(options: dict[str, Any]) -> dict[str, Any]:
    """Keras has zeros at padding for return_sequences alone."""
    wanted = options["zero_output_for_mask"] and options["return_sequences"]
    return options | {"zero_output_for_mask": wanted}


def _goes_backwards(options: dict[str, Any]) -> bool:
    """Keras turns the steps of the output round, but not their mask."""
    return bool(options["go_backwards"])


def _looped(layer: str, options: dict[str, Any], states: int) -> Space:
    """The random cases of a layer that loops a cell over the steps."""
    return Space(
        layer,
        # Unrolled, Keras forgets zero_output_for_mask and the state ahead of the first real step.
        options | LAYER | {"unroll": [False], "zero_output_for_mask": YES_NO},
        masks=TIME_MASKS,
        called_with={"initial_state": [None, [STATE] * states]},
        mended=_zeros_as_documented,
        turns_mask=_goes_backwards,
        gradients=10,
        compiled=True,
    )


SPACES = [
    _looped("LSTM", CELL | GATES | {"unit_forget_bias": YES_NO}, 2),
    _looped("GRU", CELL | GATES | {"reset_after": YES_NO}, 1),
    _looped("SimpleRNN", CELL, 1),
    Space(
        "RNN",
        {"cell": CELLS, **LAYER},
        masks=TIME_MASKS,
        turns_mask=_goes_backwards,
        gradients=10,
        compiled=True,
    ),
    Space(
        "Bidirectional",
        {
            "layer": [
                Of(name, UNITS, return_sequences=every, return_state=state)
                for name in ("LSTM", "GRU", "SimpleRNN")
                for every in YES_NO
                for state in YES_NO
            ],
            "merge_mode": ["concat", "sum", "ave", "mul", None],
        },
        masks=TIME_MASKS,
        gradients=10,
        compiled=True,
    ),
    Space("LSTMCell", CELL | GATES, shapes=[VECTORS], called_with={"states": [[STATE, STATE]]}),
    Space(
        "GRUCell",
        CELL | GATES | {"reset_after": YES_NO},
        shapes=[VECTORS],
        called_with={"states": [[STATE]]},
    ),
    Space("SimpleRNNCell", CELL, shapes=[VECTORS], called_with={"states": [[STATE]]}),
]
