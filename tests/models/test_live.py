"""Taking over models of Keras that are in memory."""

import warnings
from typing import Any

import keras
import numpy as np
import pytest

import everystep as es
from everystep.errors import SettingError
from tests.tolerances import assert_close

FEATURES = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")


def tagger() -> Any:
    layers = keras.layers
    read = layers.LSTM(4, return_sequences=True)
    row = [layers.Bidirectional(read), layers.Dropout(0.1), layers.Dense(2, "softmax")]
    return keras.Sequential([keras.Input((None, 3)), *row])


def test_predictions_are_the_same() -> None:
    theirs = tagger()
    ours = es.from_keras(theirs)
    assert_close(ours(FEATURES), theirs(FEATURES))
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]


def test_the_copy_shares_nothing() -> None:
    theirs = tagger()
    ours = es.from_keras(theirs)
    wanted = np.asarray(ours(FEATURES))
    theirs.set_weights([0 * weight for weight in theirs.get_weights()])
    assert_close(ours(FEATURES), wanted)


def test_training_settings_come_along() -> None:
    theirs = tagger()
    theirs.compile(keras.optimizers.SGD(0.25), "sparse_categorical_crossentropy", metrics=["acc"])
    assert es.from_keras(theirs).optimizer.learning_rate == 0.25
    assert es.from_keras(theirs, compile=False).optimizer is None


def scale_of(library: Any) -> Any:
    """A layer of one's own: the same source for either library."""

    class Scale(library.layers.Layer):  # type: ignore[misc, unused-ignore]
        stepwise = True

        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    return Scale


def test_a_layer_of_ones_own_needs_its_twin() -> None:
    theirs = keras.Sequential([keras.Input((None, 3)), scale_of(keras)(name="wide")])
    theirs.set_weights([np.array([1.0, 2.0, 3.0])])
    with pytest.raises(SettingError, match="'Scale', which is not registered"):
        es.from_keras(theirs)
    ours = es.from_keras(theirs, {"Scale": scale_of(es)})
    assert_close(ours(FEATURES), theirs(FEATURES))


def test_a_layer_that_everystep_does_not_have_is_named() -> None:
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Rescaling(2.0, name="larger")])
    with pytest.raises(SettingError, match=r"layer 'larger' \(Rescaling\): .*there is no layer"):
        es.from_keras(theirs)


def test_a_lambda_is_named() -> None:
    twice = keras.layers.Lambda(lambda x: 2 * x, name="twice", output_shape=(3,))
    theirs = keras.Sequential([keras.Input((3,)), twice])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(SettingError, match=r"layer 'twice' \(Lambda\): function is a Python"):
            es.from_keras(theirs)


def test_what_is_no_built_model_of_keras_is_refused() -> None:
    for other in (es.Sequential([es.layers.Dense(2)]), None, "m.keras"):
        with pytest.raises(SettingError, match="takes a model of Keras"):
            es.from_keras(other)
    with pytest.raises(SettingError, match="not built"):
        es.from_keras(keras.Sequential([keras.layers.Dense(2)]))
