"""Models of two inputs and two outputs, trained here and in Keras from the same weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es

keras = pytest.importorskip("keras", reason="Keras is the independent source of the numbers")

DRAW = np.random.default_rng(3)
SAMPLES = 12
WORDS = DRAW.normal(size=(SAMPLES, 5, 3)).astype("float32")
WORDS[:, 4:] = 0
ABOUT = DRAW.normal(size=(SAMPLES, 4)).astype("float32")
TAGS = DRAW.integers(0, 3, size=(SAMPLES, 5))
SCORES = DRAW.normal(size=(SAMPLES, 2)).astype("float32")
WEIGHTS = DRAW.uniform(size=(SAMPLES, 5)).astype("float32"), DRAW.uniform(size=SAMPLES)
COMPILED = {
    "loss": {"tags": "sparse_categorical_crossentropy", "score": "mse"},
    "loss_weights": {"tags": 0.3, "score": 2.0},
    "metrics": {"score": ["mae"]},
    "weighted_metrics": [["accuracy"], ["mae"]],
}


def model_of(library: Any) -> Any:
    layers, make = library.layers, library.layers.Input
    words, about = make((5, 3), name="words"), make((4,), name="about")
    real = layers.Masking()(words)
    states = layers.SimpleRNN(4, return_sequences=True, kernel_regularizer="l2")(real)
    tags = layers.Dense(
        3, activation="softmax", name="tags", bias_regularizer=library.regularizers.L1(0.01)
    )(states)
    whole = layers.Concatenate()([layers.SimpleRNN(3)(states), about])
    score = layers.Dense(2, name="score", activity_regularizer="l2")(whole)
    return library.models.Model([words, about], [tags, score])


def twins() -> tuple[Any, Any]:
    ours, theirs = model_of(es), model_of(keras)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def assert_same(found: dict[str, Any], wanted: dict[str, Any], but: str = "") -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        if name != but:
            np.testing.assert_allclose(found[name], value, rtol=2e-5, atol=2e-6, err_msg=name)


def test_history_evaluation_and_weights_are_those_of_keras() -> None:
    models = twins()
    histories: list[Any] = []
    measures: list[Any] = []
    lists: list[Any] = []
    steps: list[Any] = []
    for library, model in zip((es, keras), models, strict=True):
        model.compile(library.optimizers.Adam(0.02), **COMPILED)
        history = model.fit(
            [WORDS, ABOUT],
            [TAGS, SCORES],
            sample_weight=list(WEIGHTS),
            validation_data=({"words": WORDS[:4], "about": ABOUT[:4]}, (TAGS[:4], SCORES[:4])),
            batch_size=4,
            epochs=2,
            shuffle=False,
            verbose=0,
        )
        histories.append(history.history)
        data = ({"about": ABOUT[:4], "words": WORDS[:4]}, [TAGS[:4], SCORES[:4]])
        measures.append(model.evaluate(*data, verbose=0, return_dict=True))
        lists.append(model.evaluate(*data, verbose=0))
        steps.append(model.train_on_batch(*data, return_dict=True))
    # Keras loses the mask between the loss and the metrics of a training step.
    assert_same(histories[0], histories[1], but="tags_accuracy")
    assert_same(measures[0], measures[1])
    np.testing.assert_allclose(lists[0], lists[1], rtol=2e-5)
    assert_same(steps[0], steps[1], but="tags_accuracy")
    for own, their in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(own, their, rtol=1e-4, atol=1e-6)
    for own, their in zip(*(m.predict([WORDS, ABOUT], verbose=0) for m in models), strict=True):
        np.testing.assert_allclose(own, their, rtol=1e-4, atol=1e-5)


def test_training_goes_on_in_the_other_library_from_a_file(tmp_path: Path) -> None:
    data = [WORDS, ABOUT], [TAGS, SCORES]
    for library, model in zip((es, keras), twins(), strict=True):
        rate = library.optimizers.schedules.ExponentialDecay(0.02, 2, 0.5)
        model.compile(library.optimizers.Adam(rate, amsgrad=True), **COMPILED)
        model.fit(*data, batch_size=4, shuffle=False, verbose=0)
        model.save(tmp_path / "model.keras")
        other = (es.load_model if library is keras else keras.saving.load_model)(
            tmp_path / "model.keras"
        )
        for each in (model, other):
            each.fit(*data, batch_size=4, shuffle=False, verbose=0)
        measured = [each.evaluate(*data, verbose=0, return_dict=True) for each in (model, other)]
        assert_same(measured[0], measured[1])


def test_batches_from_a_generator_are_taken_as_by_keras() -> None:
    def batches() -> Any:
        while True:
            for start in range(0, SAMPLES, 4):
                part = slice(start, start + 4)
                yield (WORDS[part], ABOUT[part]), (TAGS[part], SCORES[part])

    histories = []
    for library, model in zip((es, keras), twins(), strict=True):
        # One loss for all and one for each, weighted by place.
        model.compile(
            library.optimizers.SGD(0.1), ["sparse_categorical_crossentropy", "mae"], [1.0, 0.5]
        )
        history = model.fit(batches(), steps_per_epoch=2, epochs=3, shuffle=False, verbose=0)
        histories.append(history.history)
    assert_same(histories[0], histories[1])


def test_running_means_of_weights_replace_them_in_the_end_as_in_keras() -> None:
    models = twins()
    for library, model in zip((es, keras), models, strict=True):
        model.compile(
            library.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
            {"tags": None, "score": "mse"},
        )
        model.fit([WORDS, ABOUT], [TAGS, SCORES], batch_size=4, shuffle=False, verbose=0)
    for own, their in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(own, their, rtol=1e-4, atol=1e-6)
