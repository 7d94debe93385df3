"""Models of several inputs and outputs: lists of sequences, names, streams, and wrong use."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import everystep as es
from tests.tolerances import assert_close

LENGTHS = (3, 1, 4, 2, 4)
DRAW = np.random.default_rng(5)
WORDS = [DRAW.normal(size=(length, 3)).astype("float32") for length in LENGTHS]
MARKS = [DRAW.normal(size=(length, 2)).astype("float32") for length in LENGTHS]
ABOUT = DRAW.normal(size=(len(LENGTHS), 2)).astype("float32")
TAGS = [DRAW.integers(0, 2, size=length) for length in LENGTHS]
VALUES = [DRAW.normal(size=(length, 1)).astype("float32") for length in LENGTHS]
SCORES = DRAW.normal(size=(len(LENGTHS), 1)).astype("float32")


def packing() -> Any:
    """Returns a model of two inputs with steps that gives two outputs at each step."""
    words, marks = es.Input((None, 3), name="words"), es.Input((None, 2), name="marks")
    both = es.layers.Concatenate()([es.layers.LSTM(3, return_sequences=True)(words), marks])
    outputs = [es.layers.Dense(2, name="tag")(both), es.layers.Dense(1, name="value")(both)]
    return es.models.Model([words, marks], outputs)


def padding() -> Any:
    """Returns a model of which one input and one output have no steps."""
    words, about = es.Input((None, 3), name="words"), es.Input((2,), name="about")
    states = es.layers.LSTM(3, return_sequences=True)(words)
    tag = es.layers.Dense(2, name="tag")(states)
    last = es.layers.Concatenate()([es.layers.LSTM(2)(states), about])
    return es.models.Model([words, about], [tag, es.layers.Dense(1, name="score")(last)])


class Split(es.models.Model):
    """Gives a dict of two outputs for a tuple of two inputs, or for one."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = es.layers.Dense(1), es.layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        first, second = inputs if isinstance(inputs, tuple) else (inputs, inputs)
        return {"left": self.left(first), "right": self.right(second)}


LOSSES = [es.losses.SparseCategoricalCrossentropy(from_logits=True), "mse"]


def test_inputs_with_steps_share_one_packing() -> None:
    model = packing()
    model.compile(es.optimizers.SGD(0.0), LOSSES, metrics=[["accuracy"], ["mae"]])
    history = model.fit([WORDS, MARKS], [TAGS, VALUES], verbose=0, epochs=1).history
    tags, values = model.predict([WORDS, MARKS], verbose=0)
    steps = sum(LENGTHS)
    errors = sum(np.abs(own - value).sum() for own, value in zip(values, VALUES, strict=True))
    right = sum((own.argmax(-1) == tag).sum() for own, tag in zip(tags, TAGS, strict=True))
    assert_close(np.float32(history["value_mae"][0]), np.float32(errors / steps))
    assert_close(np.float32(history["tag_accuracy"][0]), np.float32(right / steps))
    for number, (word, mark) in enumerate(zip(WORDS, MARKS, strict=True)):
        alone = model([word[None], mark[None]])
        assert_close(tags[number], alone[0][0])
        assert_close(values[number], alone[1][0])


def test_an_input_without_steps_gives_each_sequence_a_row() -> None:
    model = padding()
    model.compile(es.optimizers.SGD(0.0), LOSSES)
    measured = model.evaluate(
        {"words": WORDS, "about": ABOUT},
        {"score": SCORES, "tag": TAGS},
        batch_size=2,
        sample_weight={"tag": [np.ones(length) for length in LENGTHS], "score": np.ones(5)},
        verbose=0,
        return_dict=True,
    )
    tags, scores = model.predict((WORDS, ABOUT), batch_size=2, verbose=0)
    assert_close(
        np.float32(measured["score_loss"]), np.float32(np.mean((np.stack(scores) - SCORES) ** 2))
    )
    assert [len(tag) for tag in tags] == list(LENGTHS)
    for number, (word, about) in enumerate(zip(WORDS, ABOUT, strict=True)):
        alone = model([word[None], about[None]])
        assert_close(tags[number], alone[0][0])
        assert_close(scores[number], alone[1][0])


def test_rows_that_fill_up_a_batch_enter_no_statistics() -> None:
    read, norm = es.layers.LSTM(2), es.layers.BatchNormalization(momentum=0.5)
    model = es.Sequential([read, norm, es.layers.Dense(1)])
    model.compile(es.optimizers.SGD(0.0), "mse")
    model.fit(WORDS, SCORES, batch_size=8, verbose=0)
    states = np.concatenate([np.asarray(read(word[None])) for word in WORDS])
    assert_close(norm.moving_mean.numpy(), 0.5 * states.mean(0))


def test_a_subclassed_model_names_its_outputs_by_its_dict() -> None:
    model, x = Split(), (ABOUT, SCORES)
    model.compile("sgd", {"right": "mae", "left": "mse"}, {"left": 0.5}, {"right": ["mse"]})
    history = model.fit(x, {"left": SCORES, "right": ABOUT}, verbose=0).history
    assert list(history) == ["loss", "left_loss", "right_loss", "right_mse"]
    expected = 0.5 * history["left_loss"][0] + history["right_loss"][0]
    assert_close(np.float32(history["loss"][0]), np.float32(expected))
    assert model.predict(x, verbose=0)["right"].shape == (5, 2)


class Joined(es.models.Model):
    """Gives one output for one input, or for a list of two."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = es.layers.Dense(1)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs[0] if isinstance(inputs, list | tuple) else inputs)


def test_a_list_is_of_sequences_unless_its_targets_are_one_for_each_entry() -> None:
    for x, y, kept in (
        ([np.ones((4, 3), "float32")] * 3, [np.ones((4, 1), "float32")] * 3, list),
        ([np.ones((4, 3), "float32")] * 3, np.ones((4, 1), "float32"), np.ndarray),
    ):
        model = Joined()
        model.compile("sgd", "mse")
        model.fit(x, y, verbose=0)
        assert model.built
        given = tuple(x) if kept is np.ndarray else x
        assert type(model.predict(given, verbose=0)) is kept


class Numbered:
    """Batches that have numbers, as Keras's PyDataset has them."""

    ended = 0

    def __len__(self) -> int:
        return 3

    def __getitem__(self, number: int) -> Any:
        return ABOUT[number : number + 2], SCORES[number : number + 2]

    def on_epoch_end(self) -> None:
        self.ended += 1


def test_batches_come_from_anything_that_gives_them() -> None:
    model = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    data, counts = Numbered(), []
    count = es.callbacks.LambdaCallback(on_epoch_end=lambda _, __: counts.append(1))
    held = model.fit(data, epochs=2, verbose=0, callbacks=[count], validation_data=Numbered())
    assert (data.ended, len(counts)) == (2, 2)
    last = model.evaluate(data, verbose=0)
    assert held.history["val_loss"][1] == last
    with pytest.raises(es.errors.DataError, match="x gives no batch at all"):
        model.evaluate(iter(()), verbose=0)
    whole = model.predict(np.concatenate([data[i][0] for i in range(3)]), verbose=0)
    assert_close(model.predict(iter([data[i][:1] for i in range(3)]), verbose=0), whole)
    assert model.predict(data, steps=2, verbose=0).shape == (4, 1)
    losses = [model.test_on_batch(*data[number]) for number in range(3)]
    assert_close(np.float32(model.evaluate(data, verbose=0)), np.float32(np.mean(losses)))

    def lists() -> Iterator[Any]:
        yield WORDS[:2], VALUES[:2]
        yield WORDS[2:], VALUES[2:]

    tagger = es.Sequential([es.layers.LSTM(2, return_sequences=True), es.layers.Dense(1)])
    tagger.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="ran out of data after 2 of 3"):
        tagger.fit(lists(), steps_per_epoch=3, validation_data=(WORDS, VALUES), verbose=0)
    assert [len(each) for each in tagger.predict(WORDS, verbose=0)] == list(LENGTHS)


def test_a_step_can_run_in_python() -> None:
    weights = []
    for how in ({}, {"run_eagerly": True}, {"jit_compile": False}):
        model = es.Sequential([es.layers.Dense(1, input_shape=(2,), kernel_initializer="ones")])
        model.compile("sgd", "mse", **how)
        model.fit(ABOUT, SCORES, shuffle=False, verbose=0)
        weights.append(model.get_weights()[0])
    assert_close(weights[0], weights[1])
    assert_close(weights[0], weights[2])


def test_the_loss_is_scaled_under_a_half_precision_policy() -> None:
    model = es.Sequential([es.layers.Dense(1, input_shape=(2,))], dtype="mixed_float16")
    model.compile("sgd", "mse")
    model.fit(ABOUT, SCORES, verbose=0)
    assert model.optimizer.name == "loss_scale_optimizer"
    assert int(model.optimizer.iterations) == 1
    model.compile("sgd", "mse", auto_scale_loss=False)
    assert model.optimizer.name == "sgd"


def compiled(**settings: Any) -> Any:
    model = padding()
    model.compile("sgd", **({"loss": "mse"} | settings))
    return model


BOTH = [WORDS, ABOUT]
ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "one input": (
        lambda: compiled().fit([WORDS], [TAGS, SCORES], verbose=0),
        es.errors.DataError,
        r"expects 2 input\(s\) \['words', 'about'\], but x is a list of 1",
    ),
    "one target": (
        lambda: compiled().fit(BOTH, SCORES, verbose=0),
        es.errors.DataError,
        "y must have one entry for each of the model's 2 outputs",
    ),
    "no target": (
        lambda: compiled().fit(BOTH, verbose=0),
        es.errors.DataError,
        "the loss compares the model's outputs with targets: give y",
    ),
    "a target missing": (
        lambda: compiled().fit(BOTH, {"tag": TAGS}, verbose=0),
        es.errors.DataError,
        "output score has a loss or metrics, but y has no targets",
    ),
    "a target's name": (
        lambda: compiled().fit(BOTH, {"tag": TAGS, "scores": SCORES}, verbose=0),
        es.errors.DataError,
        r"y holds \['scores'\]",
    ),
    "losses": (
        lambda: compiled(loss=["mse"]).fit(BOTH, [TAGS, SCORES], verbose=0),
        es.errors.SettingError,
        "loss must have one entry for each of the model's 2 outputs",
    ),
    "a loss's name": (
        lambda: compiled(loss={"tags": "mse"}).fit(BOTH, [TAGS, SCORES], verbose=0),
        es.errors.SettingError,
        r"Expected keys \['tag', 'score'\] in loss dict",
    ),
    "weights of losses": (
        lambda: compiled(loss_weights=["accuracy"]),
        es.errors.SettingError,
        "Expected `loss_weights` to be a number",
    ),
    "classes": (
        lambda: compiled().fit(BOTH, [TAGS, SCORES], class_weight={0: 1.0}, verbose=0),
        es.errors.DataError,
        "`class_weight` is only supported for Models with a single output",
    ),
    "lengths": (
        lambda: packing().predict([WORDS, MARKS[::-1]], verbose=0),
        es.errors.DataError,
        "sequences of other lengths than the inputs before it",
    ),
    "targets of batches": (
        lambda: compiled().fit(Numbered(), SCORES, verbose=0),
        es.errors.SettingError,
        "y and sample_weight come with them",
    ),
    "steps": (
        lambda: compiled().fit(BOTH, [TAGS, SCORES], steps_per_epoch=0, verbose=0),
        es.errors.SettingError,
        "steps_per_epoch must be a positive integer",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_wrong_use_is_one_clear_error(case: str) -> None:
    act, error, words = ERRORS[case]
    with pytest.raises(error, match=words):
        act()
