"""What the native stepper and the compiled program give is the same, and who runs what is said."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from everystep.errors import DataError
from everystep.kernels.extension import extension
from everystep.kernels.twins import only
from everystep.layers import (
    GRU,
    LSTM,
    RNN,
    Activation,
    Dense,
    Dropout,
    Embedding,
    GRUCell,
    Input,
    LayerNormalization,
    LSTMCell,
    PeepholeLSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    TimeDistributed,
)
from everystep.models import Model, Sequential
from tests.tolerances import assert_close

ROWS, STEPS, FEATURES, WORDS = 3, 6, 5, 9
MASK = np.array([[1, 1, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1], [1, 0, 0, 0, 1, 1]], bool)
pytestmark = pytest.mark.usefixtures("on_a_cpu")
built = pytest.mark.skipif(bool(extension().why_not), reason=extension().why_not or "it is there")


def of_values(*layers: Any) -> Any:
    return Sequential([Input((None, FEATURES)), *layers])


def of_ids(*layers: Any) -> Any:
    return Sequential([Input((None,), dtype="int32"), Embedding(WORDS, FEATURES), *layers])


MODELS: dict[str, Callable[[], Any]] = {
    "tagger": lambda: of_ids(LSTM(7, return_sequences=True), Dropout(0.5), Dense(4, "softmax")),
    "last": lambda: of_values(GRU(4, return_sequences=True), SimpleRNN(20), Dense(3, "tanh")),
    "reset before": lambda: of_values(GRU(4, reset_after=False, return_sequences=True)),
    "no bias": lambda: of_values(
        LSTM(4, use_bias=False, recurrent_activation="hard_sigmoid", return_sequences=True),
        TimeDistributed(Dense(70, "relu", use_bias=False)),
        Activation("sigmoid"),
    ),
    "stacked": lambda: of_values(
        RNN(
            [PeepholeLSTMCell(4), GRUCell(18), SimpleRNNCell(3, activation="relu")],
            return_sequences=True,
            zero_output_for_mask=True,
        )
    ),
    "inside": lambda: of_values(Sequential([Input((None, FEATURES)), RNN(LSTMCell(17))]), Dense(2)),
    "activation first": lambda: of_values(Activation("softmax"), SimpleRNN(3)),
    "no loop": lambda: of_ids(Dense(3, "linear")),
}


def inputs_of(model: Any) -> Any:
    random = np.random.default_rng(2)
    if model.input_dtype == "int32":
        return random.integers(0, WORDS, (ROWS, STEPS))
    return random.normal(size=(ROWS, STEPS, FEATURES))


@built
@pytest.mark.parametrize("name", MODELS)
def test_both_give_the_same(name: str) -> None:
    model = MODELS[name]()
    inputs = inputs_of(model)
    native = model.stream(ROWS)
    model.forget_programs()
    with only("xla"):
        compiled = model.stream(ROWS)
    has_loop = name != "no loop"
    assert native.engine == "native"
    assert compiled.engine == ("compiled" if has_loop else "native")
    assert native.states.keys() == compiled.states.keys()
    for chunk in (slice(0, 1), slice(1, 5), slice(5, STEPS)):
        for mask in (None, MASK[:, chunk]):
            found, wanted = (each.push(inputs[:, chunk], mask) for each in (native, compiled))
            assert_close(found, wanted)
        for each in (native, compiled):
            each.reset([1])
        for found, wanted in zip(native.states.values(), compiled.states.values(), strict=True):
            assert_close(found, wanted)
    compiled.states = native.states
    assert_close(compiled.step(inputs[:, 0]), native.step(inputs[:, 0]))


@built
def test_the_stepper_keeps_the_weights_of_its_start() -> None:
    model = MODELS["tagger"]()
    inputs = inputs_of(model)
    stream, before = model.stream(ROWS), model.predict(inputs, verbose=0)
    assert model.stream(1)._program.prepared() is model.stream(ROWS)._program.prepared()
    model.set_weights([0.5 * weight for weight in model.get_weights()])
    assert_close(stream.push(inputs), before)
    stream.reset()
    assert_close(stream.push(inputs), model.predict(inputs, verbose=0))


@built
def test_the_stepper_refuses_ids_and_stays_where_it_is() -> None:
    stream = MODELS["tagger"]().stream(ROWS)
    before = stream.states
    for ids in ([1, WORDS, 2], [1, 2, -1]):
        with pytest.raises(DataError, match=r"\(Embedding\) was given id"):
            stream.step(ids)
    with pytest.raises(DataError, match="takes integer ids"):
        stream.step([0.5, 1.0, 2.0])
    for name, state in stream.states.items():
        assert_close(state, before[name])


@built
def test_what_the_stepper_does_not_know_is_named() -> None:
    symbol = Input((None, FEATURES))
    reasons = {
        "layer '.*layer_normalization": of_values(LayerNormalization()),
        "the activation": of_values(Dense(3, activation="gelu")),
        "it does not know an activation": of_values(LSTM(3, activation="softsign")),
        "mask_zero|layer '.*embedding": Sequential(
            [Input((None,), dtype="int32"), Embedding(WORDS, 2, mask_zero=True)]
        ),
        "layers one after the other|what layer 'add": Model(
            symbol, Dense(FEATURES)(symbol) + symbol
        ),
        "what layer '.*lstm": of_values(LSTM(3, dtype="mixed_bfloat16", return_sequences=True)),
    }
    for reason, model in reasons.items():
        stream = model.stream()
        assert stream.engine == "compiled"
        with pytest.raises(AssertionError, match=reason):
            raise AssertionError(stream.why_not_native)
