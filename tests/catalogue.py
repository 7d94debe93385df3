"""Every public layer with small settings and a small input, for the laws in `tests/laws`.

Sizes differ from axis to axis, so that swapped axes show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from everystep.core import set_random_seed
from everystep.layers import (
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    InputLayer,
    Layer,
    LSTMCell,
    PerStep,
    Reshape,
    TimeDistributed,
)
from everystep.models import Sequential

BATCH, STEPS, FEATURES, UNITS, VOCABULARY = 2, 5, 3, 4, 11

Reads = Literal["own", "before", "after", "all"]
Segments = Literal["refused", "rows", "packed"]


@dataclass(frozen=True)
class Entry:
    """One layer with one choice of options."""

    name: str
    make: Callable[[], Layer]
    shape: tuple[int, ...] = (BATCH, STEPS, FEATURES)
    ids: bool = False
    """Whether the input holds ids of a vocabulary instead of numbers."""
    reads: Reads | None = "own"
    """Which input steps an output step reads; None where outputs have no steps."""
    segments: Segments = "packed"
    """What input the layer takes: without a mask, with one sequence a row, or packed."""
    any_length: bool = True
    variant: bool = False
    """Whether another entry stands for it in the laws that compile a program for each entry."""
    states: int = 0
    """How many states of shape (batch, UNITS) the call takes besides its input."""

    def inputs(self, shape: Sequence[int] | None = None, seed: int = 0) -> Any:
        """Numbers of the entry's kind, of its own shape or another."""
        random = np.random.default_rng(seed)
        shape = self.shape if shape is None else tuple(shape)
        if self.ids:
            return random.integers(1, VOCABULARY, shape).astype("int32")
        return random.normal(size=shape).astype("float32")

    def arguments(self, batch: int = BATCH) -> tuple[Any, ...]:
        """What the call takes besides its input."""
        states = [jnp.full((batch, UNITS), 0.1 * (number + 1)) for number in range(self.states)]
        return (states,) if states else ()

    def sized(self, batch: int, steps: int) -> tuple[int, ...]:
        """The entry's shape with another batch size and number of steps."""
        return (batch, steps, *self.shape[2:])

    def built(self) -> Layer:
        """A layer that has been called on the entry's input: the same one each time."""
        set_random_seed(7)
        layer = self.make()
        layer(self.inputs(), *self.arguments())
        return layer


def _lstm(**options: Any) -> Callable[[], Layer]:
    return lambda: LSTM(UNITS, **{"return_sequences": True, **options})


def _both(merge_mode: str | None = "concat", **options: Any) -> Callable[[], Layer]:
    return lambda: Bidirectional(_lstm(**options)(), merge_mode=merge_mode)


def _last(name: str, make: Callable[[], Layer], **rest: Any) -> Entry:
    """An entry that keeps one state a row."""
    return Entry(name, make, segments="rows", reads=None, **rest)


DEEP = (BATCH, STEPS, FEATURES, 6)

ENTRIES = [
    Entry("Activation", lambda: Activation("tanh")),
    Entry("Activation softmax", lambda: Activation("softmax"), variant=True),
    Entry("Dense", lambda: Dense(UNITS)),
    Entry("Dense without bias", lambda: Dense(UNITS, use_bias=False), variant=True),
    Entry("Dense on rank 2", lambda: Dense(UNITS), (BATCH, FEATURES), reads=None, variant=True),
    Entry("Dense on rank 4", lambda: Dense(UNITS), DEEP, variant=True),
    Entry(
        "Dense regularized",
        lambda: Dense(
            UNITS, kernel_regularizer="l2", activity_regularizer="l2", kernel_constraint="non_neg"
        ),
    ),
    Entry("Dropout", lambda: Dropout(0.4)),
    Entry(
        "Dropout of whole features",
        lambda: Dropout(0.4, noise_shape=(None, 1, None), seed=3),
        variant=True,
    ),
    Entry("Embedding", lambda: Embedding(VOCABULARY, UNITS), (BATCH, STEPS), ids=True),
    Entry(
        "Embedding mask_zero",
        lambda: Embedding(VOCABULARY, UNITS, mask_zero=True),
        (BATCH, STEPS),
        ids=True,
    ),
    Entry("Flatten", Flatten, segments="refused", reads=None),
    Entry(
        "Flatten channels_first",
        lambda: Flatten("channels_first"),
        DEEP,
        False,
        None,
        "refused",
        variant=True,
    ),
    Entry("InputLayer", lambda: InputLayer((None, None, FEATURES))),
    Entry("LSTM", _lstm(), reads="before"),
    Entry("LSTM without bias", _lstm(use_bias=False), reads="before", variant=True),
    Entry(
        "LSTM other activations",
        _lstm(activation="softsign", recurrent_activation="softmax"),
        reads="before",
        variant=True,
    ),
    Entry("LSTM go_backwards", _lstm(go_backwards=True), reads="after", variant=True),
    Entry(
        "LSTM zero_output_for_mask", _lstm(zero_output_for_mask=True), reads="before", variant=True
    ),
    Entry("LSTM unroll", _lstm(unroll=True, unit_forget_bias=False), reads="before", variant=True),
    Entry("LSTM dropout", _lstm(dropout=0.3, recurrent_dropout=0.2), reads="before"),
    _last("LSTM last step", _lstm(return_sequences=False)),
    _last(
        "LSTM last step backwards", _lstm(return_sequences=False, go_backwards=True), variant=True
    ),
    _last("LSTM return_state", _lstm(return_state=True)),
    _last("LSTM stateful", _lstm(stateful=True), variant=True),
    Entry("LSTMCell", lambda: LSTMCell(UNITS), (BATCH, FEATURES), False, None, "refused", states=2),
    *(
        Entry(f"Bidirectional {mode}", _both(mode), reads="all", variant=mode != "ave")
        for mode in ("concat", "sum", "ave", "mul")
    ),
    Entry("Bidirectional two outputs", _both(None), reads=None, variant=True),
    Entry(
        "Bidirectional of two layers",
        lambda: Bidirectional(
            _lstm()(), backward_layer=LSTM(6, return_sequences=True, go_backwards=True)
        ),
        reads="all",
        variant=True,
    ),
    _last("Bidirectional last steps", _both(return_sequences=False), variant=True),
    _last("Bidirectional return_state", _both("sum", return_state=True), variant=True),
    Entry("TimeDistributed Dense", lambda: TimeDistributed(Dense(UNITS))),
    Entry("TimeDistributed Flatten", lambda: TimeDistributed(Flatten()), DEEP, variant=True),
    Entry("TimeDistributed LSTM", lambda: TimeDistributed(LSTM(UNITS)), DEEP),
    Entry("TimeDistributed Dropout", lambda: TimeDistributed(Dropout(0.4)), variant=True),
    Entry(
        "TimeDistributed Sequential",
        lambda: TimeDistributed(Sequential([Dense(6, activation="tanh"), Dense(UNITS)])),
        variant=True,
    ),
    Entry("PerStep Dense", lambda: PerStep(Dense(UNITS)), segments="rows", any_length=False),
    Entry(
        "PerStep LSTM",
        lambda: PerStep(LSTM(UNITS)),
        DEEP,
        segments="rows",
        any_length=False,
        variant=True,
    ),
    Entry("PerStep Dropout", lambda: PerStep(Dropout(0.4)), segments="rows", any_length=False),
    Entry(
        "Reshape",
        lambda: Reshape((FEATURES, STEPS)),
        segments="refused",
        reads=None,
        any_length=False,
    ),
    Entry("Reshape -1", lambda: Reshape((-1, 1)), segments="refused", reads=None),
    Entry(
        "Sequential tagger",
        lambda: Sequential(
            [Embedding(VOCABULARY, 6, mask_zero=True), _lstm()(), Dropout(0.2), Dense(FEATURES)]
        ),
        (BATCH, STEPS),
        ids=True,
        reads="before",
    ),
]
