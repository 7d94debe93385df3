"""What people keep in objects can be copied and pickled: models, optimizers, losses, metrics."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import everystep as es
from tests.tolerances import assert_close
from tests.trees import assert_trees_same
from tests.written_for_keras.layers import LAYERS, positions

COPIES: list[Any] = [
    pytest.param(copy.deepcopy, id="deepcopy"),
    pytest.param(lambda thing: pickle.loads(pickle.dumps(thing)), id="pickle"),
]
VALUES = np.random.default_rng(5).normal(size=(2, 5, 3)).astype("float32")
# Once, because what is pickled goes by its class's name in a module.
SCALE = es.layers.Dense(3, "tanh", kernel_regularizer="l2", name="scale")


def sequential() -> Any:
    return es.Sequential([es.Input((5, 3)), SCALE, es.layers.Dense(2, name="label")])


def functional() -> Any:
    inputs = es.Input((5, 3))
    hidden = es.layers.Dense(3, name="hidden")(inputs)
    return es.Model(inputs, es.layers.add([inputs, hidden]))


class Subclassed(es.Model):
    """A model as people write it."""

    def __init__(self, units: int = 4) -> None:
        super().__init__()
        self.hidden = [es.layers.Dense(units), es.layers.Dropout(0.5)]
        self.label = es.layers.Dense(2)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Apply the layers one after the other."""
        for layer in self.hidden:
            inputs = layer(inputs)
        return self.label(inputs)


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("make", [sequential, functional, Subclassed])
def test_a_model_and_its_copy_do_not_share_weights(make: Callable[[], Any], copied: Any) -> None:
    model = make()
    before = model(VALUES)
    other = copied(model)
    assert type(other) is type(model)
    assert_trees_same(other(VALUES), before)
    other.set_weights([weight + 1 for weight in other.get_weights()])
    assert_trees_same(model(VALUES), before)
    assert [v.path for v in other.weights] == [v.path for v in model.weights]


@pytest.mark.parametrize("copied", COPIES)
def test_a_compiled_model_goes_on_training_as_the_first_one(copied: Any) -> None:
    es.utils.set_random_seed(3)
    model = es.Sequential([es.Input((5, 3)), es.layers.GRU(4, return_sequences=True)])
    model.add(es.layers.Dense(2))
    model.compile(es.optimizers.Adam(0.1), "mse", metrics=["mae"])
    targets = np.ones((2, 5, 2), "float32")
    model.fit(VALUES, targets, epochs=1, verbose=0, shuffle=False)
    other = copied(model)
    results = [
        each.fit(VALUES, targets, epochs=2, verbose=0, shuffle=False).history
        for each in (model, other)
    ]
    assert results[0] == results[1]
    assert_close(other.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("style", [style for style in LAYERS if style is not positions])
def test_a_users_layer_can_be_copied(style: Any) -> None:
    layer = style(es)()
    before = layer(VALUES)
    other = copy.deepcopy(layer)
    state = [weight.numpy() for weight in layer.variables]
    assert_trees_same(other(VALUES), layer(VALUES))
    for weight, value in zip(other.weights, state, strict=False):
        weight.assign(np.zeros_like(value))
    assert np.shape(layer(VALUES)) == np.shape(before)


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize(
    "thing",
    [
        es.losses.Huber(delta=0.5),
        es.metrics.AUC(num_thresholds=5),
        es.optimizers.Adam(0.01, clipnorm=1.0),
        es.initializers.HeNormal(seed=3),
        es.regularizers.L1L2(0.1, 0.2),
        es.constraints.MaxNorm(3),
        es.DTypePolicy("mixed_bfloat16"),
        es.random.SeedGenerator(4, name="seeds"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_other_objects_keep_their_settings(thing: Any, copied: Any) -> None:
    other = copied(thing)
    assert type(other) is type(thing)
    assert other.get_config() == thing.get_config()


@pytest.mark.parametrize("copied", COPIES)
def test_a_metric_keeps_its_sums(copied: Any) -> None:
    metric = es.metrics.Precision()
    metric.update_state([0, 1, 1], [0.9, 0.9, 0.1])
    other = copied(metric)
    other.update_state([1, 1], [0.9, 0.9])
    assert_close(other.result(), np.float32(3 / 4))
    assert float(metric.result()) == 0.5
