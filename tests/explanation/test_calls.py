"""The calls inside a model: each reads what is said, and together they give the model's map."""

from typing import Any

import jax
import numpy as np
import pytest

import everystep as es
from everystep.explanation.calls import CallReads
from everystep.layers import (
    LSTM,
    Bidirectional,
    Concatenate,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    Input,
    MultiHeadAttention,
    RepeatVector,
)
from everystep.models import Model, Sequential

STEPS = 4
OWN = np.eye(STEPS, dtype=bool)
BEFORE = np.tri(STEPS, dtype=bool)
ALL = np.ones((STEPS, STEPS), bool)


def tagger() -> Any:
    recurrent = Bidirectional(LSTM(2, return_sequences=True))
    return Sequential([Embedding(9, 3, mask_zero=True), Dropout(0.5), recurrent, Dense(2)])


def attended() -> Any:
    x = Input((None, 4))
    again = Dense(4, name="again")
    mixed = MultiHeadAttention(2, 2, name="mixed")(x, x, use_causal_mask=True)
    return Model(x, again(again(x + mixed)))


def two_by_two() -> Any:
    words, tags = Input((None, 3)), Input((None, 2))
    nested = Sequential([Conv1D(2, 2, padding="causal"), Conv1D(2, 2, padding="causal")])
    joined = Concatenate()([words, nested(tags)])
    summed = RepeatVector(STEPS)(GlobalAveragePooling1D()(joined))
    return Model([words, tags], [Dense(2)(joined), summed])


def translated() -> Any:
    source, target = Input((None, 3)), Input((None, 2))
    _, h, c = LSTM(2, return_sequences=True, return_state=True, name="reader")(source)
    return Model(
        [source, target],
        LSTM(2, return_sequences=True, name="writer")(target, initial_state=[h, c]),
    )


class Written(Model):
    """A model with a call of its own, which adds before it hands on."""

    def __init__(self) -> None:
        super().__init__()
        self.read = LSTM(3, return_sequences=True)
        self.label = Dense(2)

    def call(self, inputs: Any) -> Any:
        return self.label(inputs + self.read(inputs))


MODELS: dict[str, tuple[Any, list[Any]]] = {
    "tagger": (tagger, [(None, None)]),
    "attended": (attended, []),
    "two by two": (two_by_two, []),
    "translated": (translated, []),
    "written": (Written, [(None, None, 3)]),
}


def calls_of(name: str) -> tuple[Any, list[CallReads]]:
    make, examples = MODELS[name]
    r = es.explain(make(), *examples, steps=STEPS)
    return r, r.layers


@pytest.mark.parametrize("name", MODELS)
def test_together_the_calls_give_the_map_of_the_model(name: str) -> None:
    r, calls = calls_of(name)
    for number, given in enumerate(r.program.inputs):
        whole: dict[int, Any] = {
            -1 - other: np.zeros((port.steps, given.steps), bool)
            for other, port in enumerate(r.program.inputs)
        }
        whole[-1 - number] = np.eye(given.steps, dtype=bool)
        for place, call in enumerate(calls):
            parts = [
                depends.astype(int) @ whole[source]
                for source, depends in zip(call.sources, call.depends, strict=True)
            ]
            whole[place] = sum(parts) > 0
        # The last call of each model gives an output that reads all inputs.
        last = [each.depends for each in r.maps if each.input == given.name]
        assert any(np.array_equal(whole[len(calls) - 1], each) for each in last)


def told(call: CallReads) -> tuple[str, list[int], list[list[list[bool]]]]:
    return call.call.kind, call.sources, [each.tolist() for each in call.depends]


def test_each_call_reads_what_stands_before_it() -> None:
    _, calls = calls_of("tagger")
    assert [told(call) for call in calls] == [
        ("Embedding", [-1], [OWN.tolist()]),
        ("Dropout", [0], [OWN.tolist()]),
        ("Bidirectional", [1], [ALL.tolist()]),
        ("Dense", [2], [OWN.tolist()]),
    ]
    assert [call.call.parameters for call in calls] == [27, 0, 96, 10]
    assert [path.split("/")[-1] for path in calls[3].call.weights] == ["kernel", "bias"]


def test_what_stands_between_calls_belongs_to_the_later_one_and_a_shared_layer_comes_twice() -> (
    None
):
    _, calls = calls_of("attended")
    assert [told(call) for call in calls] == [
        ("MultiHeadAttention", [-1], [BEFORE.tolist()]),
        ("Dense", [0, -1], [OWN.tolist(), OWN.tolist()]),
        ("Dense", [1], [OWN.tolist()]),
    ]
    assert calls[1].call.path == calls[2].call.path == "again"


def test_a_model_inside_is_one_call_and_a_vector_of_all_steps_is_one_step() -> None:
    _, calls = calls_of("two by two")
    by_kind = {call.call.kind: call for call in calls}
    assert by_kind["Sequential"].sources == [-2]
    np.testing.assert_array_equal(
        by_kind["Sequential"].depends[0], BEFORE & ~np.tri(STEPS, k=-3, dtype=bool)
    )
    assert by_kind["Concatenate"].sources == [calls.index(by_kind["Sequential"]), -1]
    assert [by_kind[kind].steps for kind in ("GlobalAveragePooling1D", "RepeatVector")] == [1, 4]
    np.testing.assert_array_equal(by_kind["RepeatVector"].depends[0], np.ones((4, 1), bool))


def test_a_state_stands_at_the_last_step_of_the_layer_that_gives_it() -> None:
    _, calls = calls_of("translated")
    writer = calls[1]
    assert writer.sources == [0, -2]
    last = np.zeros((STEPS, STEPS), bool)
    last[:, -1] = True
    np.testing.assert_array_equal(writer.depends[0], last)


def test_a_layer_is_one_call_and_a_function_none() -> None:
    (call,) = es.explain(LSTM(2, return_sequences=True), (None, STEPS, 3)).layers
    assert told(call) == ("LSTM", [-1], [BEFORE.tolist()])
    assert es.explain(lambda x: x, (1, 4, 3)).layers == []


class Hidden(Model):
    """A model that calls its layer where nobody else can see it."""

    def __init__(self) -> None:
        super().__init__()
        self.label = Dense(2)

    def call(self, inputs: Any) -> Any:
        return jax.checkpoint(lambda x: self.label(x))(inputs)


def test_a_layer_inside_of_a_transformation_cannot_be_seen() -> None:
    model = Hidden()
    model.label.build((None, 3))
    r = es.explain(model, (None, STEPS, 3))
    assert r.layers == []
    assert r.stepwise
