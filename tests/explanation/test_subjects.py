"""What is explained becomes a program: which inputs and outputs it has, and what is refused."""

import types
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import everystep as es
from everystep.errors import DataError, EverystepError, SettingError, ShapeError, StateError
from everystep.explanation.program import Port, Program
from everystep.explanation.subjects import subject_of
from everystep.layers import (
    LSTM,
    Add,
    Bidirectional,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Input,
    MultiHeadAttention,
    PerStep,
    RepeatVector,
    Reshape,
)
from everystep.models import Model, Sequential


def program_of(thing: Any, *examples: Any, steps: Any = None, **axes: Any) -> Program:
    subject = subject_of(thing, examples, **axes)
    number = subject.steps_for(steps)
    return subject.built_for(number).program(number)


def timed(ports: tuple[Port, ...]) -> list[tuple[str, tuple[int, ...], int | None]]:
    return [(port.name, port.shape, port.axis) for port in ports]


def tagger() -> Sequential:
    return Sequential(
        [Embedding(11, 4), Bidirectional(LSTM(2, return_sequences=True)), Dense(3)], name="tagger"
    )


def two_by_two() -> Model:
    words, tags = Input((None, 3), name="words"), Input((None, 2), name="tags")
    return Model([words, tags], [Dense(4, name="one")(words), Dense(5, name="two")(tags)])


EXAMPLES = {
    "a shape": (None, 4, 3),
    "an array": np.zeros((2, 4, 3)),
    "a JAX array": jnp.zeros((1, 4, 3)),
    "a shape and dtype": jax.eval_shape(lambda: jnp.zeros((5, 4, 3))),
    "a symbol": Input((4, 3)),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_any_form_of_example_says_what_the_input_of_a_layer_looks_like(example: Any) -> None:
    program = program_of(Dense(5), example)
    assert timed(program.inputs) == [("inputs", (1, 4, 3), 1)]
    assert timed(program.outputs) == [("outputs", (1, 4, 5), 1)]
    assert [weight.value.shape for weight in program.weights] == [(3, 5), (5,)]


def test_the_program_takes_each_weight_and_each_input_in_order() -> None:
    layer = Dense(5)
    x = np.random.default_rng(0).normal(size=(1, 4, 3)).astype("float32")
    expected = layer(x)
    program = program_of(layer)
    weights = [weight.value for weight in program.weights]
    given = jax.core.eval_jaxpr(program.jaxpr.jaxpr, program.jaxpr.consts, *weights, x)
    np.testing.assert_allclose(given[0], expected, rtol=1e-6)


def test_a_layer_without_weights_is_left_without_and_gets_some_for_each_number_of_steps() -> None:
    layer = PerStep(Dense(5))
    for steps in (2, 6):
        program = program_of(layer, (None, None, 3), steps=steps)
        assert program.weights[0].value.shape == (steps, 3, 5)
    assert not layer.built


def test_explaining_changes_nothing_of_what_is_drawn_afterwards() -> None:
    first = []
    for explained in (False, True):
        es.utils.set_random_seed(3)
        keras.utils.set_random_seed(3)
        ours, theirs = tagger(), keras.layers.Dense(5)
        if explained:
            program_of(ours, (None, None))
            program_of(theirs, (None, 4, 3))
        ours.build((None, None))
        theirs.build((None, 3))
        first.append([*ours.get_weights(), *theirs.get_weights(), [Dense(2).name]])
    for one, other in zip(*first, strict=True):
        np.testing.assert_array_equal(one, other)


def test_steps_come_from_the_caller_then_the_example_then_the_model_then_there_are_four() -> None:
    model = Sequential([Input((7, 3)), Dense(2)])
    assert program_of(model, np.zeros((1, 5, 3)), steps=6).outputs[0].steps == 6
    assert program_of(model, np.zeros((1, 5, 3))).outputs[0].steps == 5
    assert program_of(model).outputs[0].steps == 7
    assert program_of(Sequential([Input((None, 3)), Dense(2)])).outputs[0].steps == 4


def test_a_model_of_symbols_takes_other_steps_than_its_input_says_where_its_layers_do() -> None:
    symbol = Input((7, 3))
    assert program_of(Model(symbol, Dense(2)(symbol)), steps=5).outputs[0].steps == 5


def test_an_input_that_an_embedding_reads_holds_its_ids() -> None:
    (port,) = program_of(tagger(), (None, None)).inputs
    assert (port.shape, port.dtype, port.axis, port.values) == ((1, 4), np.int32, 1, 11)
    symbol = Input((None,), dtype="int32")
    twice = Model(symbol, Add()([Embedding(9, 2)(symbol), Embedding(7, 2)(symbol)]))
    assert program_of(twice).inputs[0].values == 7


def test_a_model_of_several_inputs_and_outputs_names_them() -> None:
    program = program_of(two_by_two(), (None, 6, 3), (None, 5, 2))
    assert timed(program.inputs) == [("words", (1, 6, 3), 1), ("tags", (1, 5, 2), 1)]
    assert timed(program.outputs) == [("one", (1, 6, 4), 1), ("two", (1, 5, 5), 1)]


def test_arguments_of_a_call_come_one_by_one_and_several_inputs_of_one_as_a_list() -> None:
    asked = program_of(MultiHeadAttention(2, 4), (None, 4, 3), (None, 6, 3))
    assert [port.name for port in asked.inputs] == ["query", "value"]
    added = program_of(Add(), (None, 4, 3), (None, 4, 3))
    assert [port.name for port in added.inputs] == ["inputs[0]", "inputs[1]"]


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (GlobalAveragePooling1D(), (None, 4, 3), (1, None)),
        (RepeatVector(4), (None, 3), (None, 1)),
        (Flatten(), (None, 4, 3), (1, None)),
        (Reshape((-1,)), (None, 4, 1), (1, 1)),
        (es.layers.Lambda(lambda ids: ids[..., ::-1]), (None, None), (1, 1)),
    ],
    ids=[
        "a vector of all steps",
        "steps from a vector",
        "features of all steps",
        "one number a step",
        "numbers without features",
    ],
)
def test_features_alone_are_no_time(layer: Any, shape: Any, axes: tuple[Any, Any]) -> None:
    program = program_of(layer, shape)
    assert (program.inputs[0].axis, program.outputs[0].axis) == axes


def test_segments_are_constants_of_the_program_and_states_are_weights_that_nobody_trains() -> None:
    rows = es.Steps.of(np.zeros((1, 4, 3), "float32"), np.array([[1, 1, 2, 0]]))
    assert timed(program_of(LSTM(2, return_sequences=True), rows).inputs)[0][1] == (1, 4, 3)
    lasting = program_of(LSTM(2, stateful=True), (2, 4, 3))
    assert [weight.trainable for weight in lasting.weights] == [False, False, True, True, True]


def test_a_layer_may_be_told_where_time_is_too() -> None:
    program = program_of(Dense(5), (None, 2, 4, 3), input_axis=-2, output_axis=2)
    assert timed(program.inputs) == [("inputs", (1, 2, 4, 3), 2)]
    assert timed(program.outputs) == [("outputs", (1, 2, 4, 5), 2)]


def test_a_function_says_where_time_is_with_an_axis_for_each_array() -> None:
    def mixed(scale: Any, x: Any) -> dict[str, Any]:
        return {"scaled": x * scale, "total": x.sum()}

    program = program_of(mixed, (3,), (2, 4, 3), input_axis=[None, 1], output_axis=[-2, None])
    assert timed(program.inputs) == [("scale", (3,), None), ("x", (2, 4, 3), 1)]
    assert timed(program.outputs) == [
        ("outputs['scaled']", (2, 4, 3), 1),
        ("outputs['total']", (), None),
    ]


def test_a_live_model_of_keras_has_its_weights_and_ids() -> None:
    model = keras.Sequential([keras.layers.Embedding(11, 4), keras.layers.Dense(3)])
    program = program_of(model, (None, None))
    assert not model.built
    model.build((None, None))
    for example in ((), ((None, 5),)):
        program = program_of(model, *example)
        assert (program.inputs[0].values, program.inputs[0].axis) == (11, 1)
        assert len(program.weights) == len(model.variables)
        assert program.outputs[0].units == 3
    assert program_of(keras.layers.Conv1D(5, 2), (None, 4, 3)).outputs[0].shape == (1, 3, 5)
    asked = program_of(keras.layers.MultiHeadAttention(2, 4), (None, 4, 3), (None, 6, 3))
    assert [port.name for port in asked.inputs] == ["query", "value"]


def reads_two(x: Any, y: Any) -> Any:
    return x + y


REFUSED: dict[str, tuple[Callable[[], Any], type[EverystepError], str]] = {
    "nothing of these": (lambda: program_of(3), SettingError, "not 3 of type int: make a layer"),
    "a class": (lambda: program_of(Dense), SettingError, "not the class Dense"),
    "no steps": (lambda: program_of(Dense(5), (1, 4, 3), steps=0), SettingError, "1 or more"),
    "half a step": (lambda: program_of(Dense(5), (1, 4, 3), steps=0.5), SettingError, "1 or more"),
    "no example": (lambda: program_of(Dense(5)), DataError, "give an example"),
    "an example without steps": (
        lambda: program_of(Dense(5), np.zeros((1, 0, 3))),
        ShapeError,
        "has no steps, .* say how many",
    ),
    "no output": (lambda: program_of(lambda x: None, (1, 4, 3)), DataError, "gives no array"),
    "a fault of its own": (
        lambda: program_of(lambda x: x.steps, (1, 4, 3)),
        ShapeError,
        "AttributeError: .*steps",
    ),
    "words": (lambda: program_of(Dense(5), np.array([["a"]])), DataError, "vocabulary"),
    "numbers for ids": (
        lambda: program_of(tagger(), np.ones((1, 4), "float32")),
        DataError,
        "takes integer ids, not float32",
    ),
    "segments for Keras": (
        lambda: program_of(keras.layers.Dense(5), es.pack([np.zeros((3, 2))])),
        SettingError,
        "does not take Steps",
    ),
    "a list of sequences": (
        lambda: program_of(tagger(), [np.array([4, 7, 1]), np.array([5, 2])]),
        ShapeError,
        r"as everystep\.pack puts them",
    ),
    "text": (lambda: program_of(Dense(5), "sentence"), DataError, "of type str: give a shape"),
    "a negative size": (lambda: program_of(Dense(5), (1, -4, 3)), ShapeError, "negative size"),
    "an unknown size": (lambda: program_of(Dense(5), (1, 4, None)), ShapeError, "axis 2 of inputs"),
    "other features": (lambda: program_of(built(), (1, 4, 7)), ShapeError, "does not take inputs"),
    "more steps than it has weights for": (
        lambda: program_of(built(), steps=5),
        ShapeError,
        r", for 5 steps: .*\. Give examples that it takes",
    ),
    "too few inputs": (lambda: program_of(two_by_two(), (1, 4, 3)), DataError, r"expects 2 input"),
    "one number of steps for two": (
        lambda: program_of(two_by_two(), (1, 4, 3), (1, 5, 2), steps=3),
        ShapeError,
        r"have \[4, 5\] steps, so steps=3 cannot",
    ),
    "segments of other steps": (
        lambda: program_of(Dense(5), es.pack([np.zeros((3, 2))], length=4), steps=5),
        DataError,
        "segments for 4 steps, not for 5",
    ),
    "a function without an example": (lambda: program_of(reads_two), DataError, "give an example"),
    "too few examples": (lambda: program_of(reads_two, (1, 4)), DataError, "argument: 'y'"),
    "no time in": (lambda: program_of(jnp.sin, (4,)), ShapeError, "input_axis=None where"),
    "no time out": (lambda: program_of(jnp.sum, (1, 4)), ShapeError, "output_axis=None where"),
    "axes that are not one for each": (
        lambda: program_of(reads_two, (1, 4), (1, 4), input_axis=[1]),
        DataError,
        "for each of 2 arrays",
    ),
}


def built() -> Sequential:
    return Sequential([Input((4, 3)), PerStep(Dense(5))])


@pytest.mark.parametrize(("ask", "kind", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_explained_is_refused_with_the_cure(
    ask: Callable[[], Any], kind: type[EverystepError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        ask()


class OfOnesOwn(keras.Model):  # type: ignore[misc]
    """A model of Keras that its configuration does not make."""

    def __init__(self) -> None:
        super().__init__()
        self.read = keras.layers.LSTM(2, return_sequences=True)

    def call(self, inputs: Any) -> Any:
        return self.read(inputs)


def test_a_model_of_keras_without_weights_that_cannot_be_copied_is_refused() -> None:
    model = OfOnesOwn()
    with pytest.raises(StateError, match=r"no weights yet, .* call it on data"):
        program_of(model, (None, 4, 3))
    model(np.zeros((1, 4, 3), "float32"))
    assert len(program_of(model, (None, 4, 3)).weights) == len(model.variables)


def test_keras_on_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = types.SimpleNamespace(backend=lambda: "torch")
    monkeypatch.setattr(keras, "config", other)
    with pytest.raises(SettingError, match="KERAS_BACKEND=jax"):
        program_of(keras.layers.Dense(5), (None, 4, 3))
