"""Models written for Keras run here by changing the import, and move between the two as files."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import everystep
from tests.tolerances import GRADIENTS
from tests.trees import assert_trees_close, outputs_of
from tests.written_for_keras.whole_models import MODELS, Written

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

ABOUT_ALL = pytest.mark.parametrize("name", MODELS)
ABOUT_FILES = pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name].in_file])


def twins(written: Written) -> tuple[Any, Any]:
    """Our model and Keras's, with the same weights, as far as possible from their first values."""
    ours, theirs = written.make(everystep), written.make(keras)
    ours(written.inputs())
    theirs(written.inputs())
    described = [(weight.name, tuple(weight.shape)) for weight in theirs.weights]
    assert [(weight.name, tuple(weight.shape)) for weight in ours.weights] == described
    random = np.random.default_rng(1)
    weights = [0.3 * random.normal(size=shape) for _, shape in described]
    weights = [
        abs(value) if "variance" in name else value
        for value, (name, _) in zip(weights, described, strict=True)
    ]
    for model in (ours, theirs):
        model.set_weights(weights)
    return ours, theirs


def predictions(model: Any, inputs: Any) -> list[Any]:
    return [np.asarray(output) for output in outputs_of(model.predict(inputs, verbose=0))]


@ABOUT_ALL
def test_the_same_weights_give_the_same_predictions(name: str) -> None:
    ours, theirs = twins(MODELS[name])
    inputs = MODELS[name].inputs(seed=2)
    assert_trees_close(predictions(ours, inputs), predictions(theirs, inputs))
    assert ours.count_params() == theirs.count_params()


@ABOUT_FILES
def test_a_file_of_keras_loads_here(name: str, tmp_path: Path) -> None:
    _, theirs = twins(MODELS[name])
    theirs.save(tmp_path / "model.keras")
    ours = everystep.load_model(tmp_path / "model.keras")
    inputs = MODELS[name].inputs(seed=3)
    assert_trees_close(predictions(ours, inputs), predictions(theirs, inputs))


@ABOUT_FILES
def test_a_file_of_ours_loads_in_keras(name: str, tmp_path: Path) -> None:
    ours, _ = twins(MODELS[name])
    ours.save(tmp_path / "model.keras")
    theirs = keras.models.load_model(tmp_path / "model.keras")
    inputs = MODELS[name].inputs(seed=4)
    assert_trees_close(predictions(ours, inputs), predictions(theirs, inputs))


@pytest.mark.parametrize("name", ["tagger", "frames", "many outputs", "own layers"])
def test_training_takes_the_same_steps(name: str) -> None:
    written = MODELS[name]
    ours, theirs = twins(written)
    inputs = written.inputs(seed=5)
    outputs = theirs.predict(inputs, verbose=0)
    targets = jax.tree.map(lambda output: np.zeros_like(output) + 0.5, outputs)
    for lib, model in ((everystep, ours), (keras, theirs)):
        for layer in model.layers:
            if isinstance(layer, lib.layers.Dropout):
                layer.rate = 0.0
        model.compile(optimizer=lib.optimizers.SGD(0.1), loss="mse")
    found, wanted = (
        model.fit(inputs, targets, epochs=3, batch_size=2, shuffle=False, verbose=0).history["loss"]
        for model in (ours, theirs)
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert_trees_close(ours.get_weights(), theirs.get_weights(), GRADIENTS)
