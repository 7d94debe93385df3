"""Streams: chunks, masks, resets, states, weights, and what is refused."""

from typing import Any

import numpy as np
import pytest

from everystep.errors import DataError, SegmentsError, SettingError, ShapeError, StreamError
from everystep.layers import (
    GRU,
    LSTM,
    RNN,
    Add,
    Attention,
    Bidirectional,
    Conv1D,
    Dense,
    Embedding,
    Flatten,
    Input,
    Lambda,
    Layer,
    LSTMCell,
    RepeatVector,
    SimpleRNNCell,
    TimeDistributed,
)
from everystep.models import Model, Sequential
from everystep.sequences import from_mask
from tests.tolerances import assert_close

ROWS, STEPS, FEATURES = 3, 7, 4
VALUES = np.random.default_rng(0).normal(size=(ROWS, STEPS, FEATURES)).astype("float32")
IDS = np.random.default_rng(1).integers(1, 9, (ROWS, STEPS))
MASK = np.array([[1, 1, 0, 1, 1, 0, 1], [0, 1, 1, 1, 0, 0, 1], [1, 0, 0, 0, 1, 1, 1]], bool)


def tagger() -> Any:
    read = [Conv1D(5, 3, padding="causal", dilation_rate=2), LSTM(6, return_sequences=True)]
    cells = RNN([LSTMCell(3), SimpleRNNCell(5)], return_sequences=True)
    return Sequential([Input((None, FEATURES)), *read, cells, Dense(2, "softmax")])


def scorer() -> Any:
    """A model that says something of the whole sequence."""
    read = [Embedding(9, 3), GRU(5), Dense(2), RepeatVector(3), LSTM(2, return_sequences=True)]
    return Sequential([Input((None,), dtype="int32"), *read])


def test_steps_and_chunks_of_any_size_give_what_the_whole_gives() -> None:
    model = tagger()
    whole = model.predict(VALUES, verbose=0)
    stream = model.stream(ROWS)
    steps = [stream.step(VALUES[:, step]) for step in range(STEPS)]
    assert_close(np.stack(steps, axis=1), whole)
    for sizes in ((7,), (2, 5), (1, 3, 3)):
        stream.reset()
        chunks = np.split(VALUES, np.cumsum(sizes)[:-1], axis=1)
        assert_close(np.concatenate([stream.push(chunk) for chunk in chunks], axis=1), whole)


def test_an_output_without_steps_is_that_of_all_steps_so_far() -> None:
    model = scorer()
    stream = model.stream(ROWS)
    for end in (1, 2, 5):
        found = stream.step(IDS[:, 0]) if end == 1 else stream.push(IDS[:, {2: 1, 5: 2}[end] : end])
        assert_close(found, model.predict(IDS[:, :end], verbose=0))


def test_rows_whose_mask_is_false_stay_where_they_are() -> None:
    model = tagger()
    whole = np.asarray(model(VALUES, mask=MASK).values)
    stream = model.stream(ROWS)
    parts = [
        stream.step(VALUES[:, 0], MASK[:, 0])[:, None],
        stream.push(VALUES[:, 1:], MASK[:, 1:]),
    ]
    assert_close(np.concatenate(parts, axis=1)[MASK], whole[MASK])


def test_a_last_output_waits_while_there_is_padding() -> None:
    model = Sequential([Input((None, FEATURES)), LSTM(3)])
    stream = model.stream(ROWS)
    before = stream.push(VALUES[:, :3])
    assert_close(stream.step(VALUES[:, 3], [True, False, True])[1], before[1])


def test_reset_starts_the_given_rows_anew() -> None:
    model = tagger()
    stream = model.stream(ROWS)
    stream.push(VALUES[:, :2])
    stream.reset([0, 2])
    found = stream.push(VALUES[:, 2:])
    assert_close(found[1], model.predict(VALUES, verbose=0)[1, 2:])
    assert_close(found[[0, 2]], model.predict(VALUES[[0, 2], 2:], verbose=0))
    with pytest.raises(DataError, match=r"rows \[3\], but the stream has rows 0 to 2"):
        stream.reset([3])


def test_states_let_another_stream_go_on() -> None:
    model = tagger()
    stream = model.stream(ROWS)
    stream.push(VALUES[:, :3])
    states = stream.states
    wanted = stream.push(VALUES[:, 3:])
    assert [array.shape for array in states.values()] == [
        (ROWS, 4, FEATURES),
        *[(ROWS, 6)] * 2,
        *[(ROWS, 3)] * 2,
        (ROWS, 5),
    ]
    other = model.stream(ROWS)
    other.states = states
    assert_close(other.push(VALUES[:, 3:]), wanted)
    name = next(iter(states))
    with pytest.raises(DataError, match="the stream keeps"):
        other.states = {name: states[name]}
    with pytest.raises(ShapeError, match=f"state '{name}' has shape"):
        other.states = {**states, name: states[name][:1]}


def test_training_changes_a_stream_when_it_is_reset() -> None:
    model = Sequential([Input((None, FEATURES)), LSTM(3, return_sequences=True), Dense(2)])
    model.compile("sgd", "mse")
    before = model.predict(VALUES, verbose=0)
    stream = model.stream(ROWS)
    stream.push(VALUES[:, :2])
    model.fit(VALUES, np.ones((ROWS, STEPS, 2), "float32"), epochs=2, verbose=0)
    after = model.predict(VALUES, verbose=0)
    assert np.abs(after - before).max() > 1e-3
    assert_close(stream.push(VALUES[:, 2:]), before[:, 2:])
    stream.reset()
    assert_close(stream.push(VALUES), after)


def test_a_stream_leaves_the_states_of_stateful_layers_alone() -> None:
    read = LSTM(3, return_sequences=True, stateful=True)
    model = Sequential([Input(batch_shape=(ROWS, STEPS, FEATURES)), read])
    read(VALUES)
    kept = [state.numpy() for state in read.states]
    stream = model.stream(ROWS)
    found = stream.push(VALUES)
    for before, after in zip(kept, read.states, strict=True):
        assert_close(after.numpy(), before)
    read.reset_state()
    assert_close(found, read(VALUES))


def test_graphs_with_shared_layers_models_inside_and_several_ends() -> None:
    words, tags = Input((None,), dtype="int32", name="words"), Input((5, 2), name="tags")
    shared = LSTM(4, return_sequences=True)
    inner = Input((None, 4))
    again = Model(inner, shared(inner) + inner)
    both = Add()([again(Embedding(9, 4)(words)), Dense(4)(tags)])
    total = shared(both)
    model = Model(
        {"words": words, "tags": tags}, {"steps": 2 * total[:, :, 1:], "last": total[:, -1]}
    )
    data = {"words": IDS, "tags": VALUES[:, :, :2]}
    part = {name: array[:, :5] for name, array in data.items()}
    whole = model(part)
    stream = model.stream(ROWS)
    found = [stream.step({name: array[:, 0] for name, array in data.items()})]
    found.append(stream.push([part["tags"][:, 1:], part["words"][:, 1:]]))
    assert_close(np.concatenate([found[0]["steps"][:, None], found[1]["steps"]], 1), whole["steps"])
    assert_close(found[1]["last"], whole["last"])
    names = list(stream.states)
    assert names == [f"{shared.path}{call}/{state}" for call in ("", "_1") for state in (0, 1)]


def test_half_precision_keeps_states_whole() -> None:
    model = Sequential([Input((None, FEATURES)), LSTM(5, return_sequences=True)])
    half = Sequential(
        [Input((None, FEATURES)), LSTM(5, return_sequences=True, dtype="mixed_bfloat16")]
    )
    half.set_weights(model.get_weights())
    stream = half.stream(ROWS)
    found = np.stack([stream.step(VALUES[:, step]) for step in range(STEPS)], 1)
    assert_close(found, half(VALUES))
    assert {str(state.dtype) for state in stream.states.values()} == {"float32"}


class Place(Layer):
    """Says of itself that it reads each step alone, but counts the steps."""

    stepwise = True

    def call(self, inputs: Any) -> Any:
        return inputs + np.arange(inputs.shape[1])[:, None]


class Total(Layer):
    """A running sum, which goes on where it stopped."""

    def call(self, inputs: Any) -> Any:
        return inputs.cumsum(1)

    def why_not_stream(self, *args: Any, **kwargs: Any) -> str:
        return ""

    def first_memory(self, inputs: Any) -> Any:
        return np.zeros((inputs.shape[0], 1, inputs.shape[2]), inputs.dtype)

    def call_on(self, memory: Any, inputs: Any) -> tuple[Any, Any]:
        totals = memory + self.call(inputs)
        return totals, totals[:, -1:]


class Forgetful(Total):
    """A running sum that does not keep what it should."""

    def call_on(self, memory: Any, inputs: Any) -> tuple[Any, Any]:
        return memory + self.call(inputs), memory


def test_a_layer_of_ones_own_can_say_how_it_goes_on() -> None:
    model = Sequential([Input((None, FEATURES)), Total(), Dense(2)])
    stream = model.stream(ROWS)
    parts = [stream.push(VALUES[:, :3]), stream.push(VALUES[:, 3:])]
    assert_close(np.concatenate(parts, 1), model.predict(VALUES, verbose=0))


def test_a_layer_of_ones_own_is_held_to_its_word() -> None:
    for layer in (Forgetful(), Place()):
        model = Sequential([Input((STEPS, FEATURES)), layer])
        with pytest.raises(StreamError, match=r"\((Forgetful|Place)\) .*(two chunks|any number)"):
            model.stream()


REFUSED = {
    "reads from the last step": lambda x: Bidirectional(LSTM(2))(x),
    "go_backwards=False": lambda x: GRU(2, go_backwards=True)(x),
    "give it padding='causal'": lambda x: Conv1D(2, 3)(x),
    "give it strides=1": lambda x: Conv1D(2, 3, strides=2, padding="causal")(x),
    "may read other steps": lambda x: Attention()([x, x]),
    "stepwise = True": lambda x: Lambda(lambda values: values)(x),
    r"'flatten\w*' \(Flatten\) may read": lambda x: Dense(2)(Flatten()(x)),
    "what is known of all steps so far": lambda x: x * LSTM(4)(x)[:, None],
    "is called with an initial_state": lambda x: GRU(2)(x, initial_state=np.ones((ROWS, 2), "f")),
    r"takes the part \(slice\(None, None, None\), 0\)": lambda x: x[:, 0],
    "any number of steps": lambda x: x + np.ones((STEPS, 1), "float32"),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_does_not_stream_is_named(words: str) -> None:
    symbol = Input(batch_shape=(ROWS, STEPS, FEATURES))
    model = Model(symbol, REFUSED[words](Dense(FEATURES)(symbol)))
    with pytest.raises(StreamError, match=words):
        model.stream()


def test_models_that_no_graph_describes_are_refused() -> None:
    class Own(Model):
        def call(self, inputs: Any) -> Any:
            return inputs

    own = Own()
    own(VALUES)
    with pytest.raises(StreamError, match="its call is code of its own"):
        own.stream()
    with pytest.raises(StreamError, match="no axis of steps"):
        Model(one := Input(()), 2 * one).stream()


def test_wrong_input_is_named() -> None:
    stream = scorer().stream(ROWS)
    before = stream.states
    with pytest.raises(ShapeError, match=r"steps of shape \(3,\), not \(3, 7\)"):
        stream.step(IDS)
    with pytest.raises(ShapeError, match=r"chunks of shape \(3, steps\), not \(2, 7\)"):
        stream.push(IDS[:2])
    with pytest.raises(ShapeError, match="1 or more, not"):
        stream.push(IDS[:, :0])
    with pytest.raises(ShapeError, match=r"mask must have shape \(3,\)"):
        stream.step(IDS[:, 0], mask=True)
    with pytest.raises(DataError, match="given id 9"):
        stream.step([1, 2, 9])
    with pytest.raises(DataError, match="holds 4294967296, which"):
        stream.step(np.array([1, 2, 2**32]))
    with pytest.raises(DataError, match=r"mask=steps\.mask"):
        stream.push(from_mask(IDS, MASK))
    with pytest.raises(DataError, match="was given the inputs"):
        stream.step({"a": IDS[:, 0], "b": IDS[:, 0]})
    for name, array in stream.states.items():
        assert_close(array, before[name])
    with pytest.raises(SettingError, match="batch must be a positive integer, not 0"):
        scorer().stream(0)


def test_a_cell_of_ones_own_has_no_last_output_in_padding() -> None:
    class Twice(SimpleRNNCell):
        def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
            output, new = super().call(inputs, states, training)
            return 2 * output, new

    model = Sequential([Input((None, FEATURES)), RNN(Twice(3))])
    stream = model.stream(ROWS)
    assert_close(stream.push(VALUES), model.predict(VALUES, verbose=0))
    with pytest.raises(SegmentsError, match="which its cell Twice does not keep"):
        stream.step(VALUES[:, 0], MASK[:, 0])


def test_streams_of_one_model_share_its_program_until_it_changes() -> None:
    model = Sequential([Input((None, FEATURES)), TimeDistributed(Dense(3))])
    assert model.stream()._program is model.stream(2)._program
    program = model.stream()._program
    model.add(Dense(2))
    assert model.stream()._program is not program
    assert model.stream().step(VALUES[:1, 0]).shape == (1, 2)
