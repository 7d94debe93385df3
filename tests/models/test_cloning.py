"""Copies of models: the same layers and calls, with weights of their own."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.errors import SettingError
from everystep.layers import LSTM, Dense, Dropout, Layer

X = {
    name: np.random.default_rng(seed).normal(size=(2, 5, 3)).astype("float32")
    for seed, name in enumerate(("one", "other"))
}


def graph() -> Any:
    """A model with a shared layer, states by name, an operation and a model inside."""
    one, other = es.Input((5, 3), name="one"), es.Input((5, 3), name="other")
    start = es.Input((5, 4))
    inner = es.Model(start, Dense(2, name="inside")(start), name="inner")
    shared = Dense(4, name="shared")
    values, *states = LSTM(4, return_sequences=True, return_state=True)(shared(one))
    last = LSTM(4, name="last")(shared(other)[:, ::2], initial_state=states)
    return es.Model({"one": one, "other": other}, [inner(values), last], name="whole")


COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "configuration": lambda model: type(model).from_config(model.get_config()),
    "clone": es.models.clone_model,
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_the_same_model_with_weights_of_its_own(name: str) -> None:
    model = graph()
    copied = COPIES[name](model)
    assert type(copied) is type(model)
    assert [layer.name for layer in copied.layers] == [layer.name for layer in model.layers]
    copied.set_weights(model.get_weights())
    for one, other in zip(copied(X), model(X), strict=True):
        np.testing.assert_array_equal(one, other)
    copied.set_weights([0 * weight for weight in model.get_weights()])
    assert any(weight.any() for weight in model.get_weights())
    part = es.Model(copied.inputs, copied.get_layer("last").output)
    assert part.output_shape == (None, 4)
    assert len(copied.get_layer("shared").nodes) == 2


def test_a_deep_model_is_copied_without_recursion() -> None:
    start = es.Input((3,))
    symbol = start
    for _ in range(400):
        symbol = symbol * 1.5
    assert len(pickle.loads(pickle.dumps(es.Model(start, symbol)))._graph.nodes) == 401


def test_layers_and_calls_can_be_exchanged_on_the_way() -> None:
    def wider(layer: Any) -> Any:
        config = layer.get_config()
        more = {"units": 6} if layer.name == "inside" else {}
        return layer.from_config(config | more)

    def with_dropout(layer: Any, *args: Any, **kwargs: Any) -> Any:
        outputs = layer(*args, **kwargs)
        return Dropout(0.5)(outputs) if isinstance(layer, Dense) else outputs

    cloned = es.models.clone_model(
        graph(), clone_function=wider, call_function=with_dropout, recursive=True
    )
    kinds = [type(layer).__name__ for layer in cloned.layers]
    assert kinds.count("Dropout") == 2
    assert cloned.output_shape == [(None, 5, 6), (None, 4)]
    kept = es.models.clone_model(cloned, clone_function=lambda layer: layer)
    assert kept.get_layer("shared") is cloned.get_layer("shared")


def test_a_model_is_cloned_onto_given_symbols() -> None:
    other = {name: es.Input((None, 3), name=name) for name in X}
    assert es.models.clone_model(graph(), other).input_shape == [(None, None, 3)] * 2
    row = es.Sequential([es.Input((5, 3)), Dense(2)])
    row.compile("sgd", "mse")
    cloned = es.models.clone_model(row, es.Input((7, 3)))
    assert cloned.output_shape == (None, 7, 2)
    assert type(cloned.optimizer) is type(row.optimizer)
    with pytest.raises(SettingError, match="input_tensors holds 1 symbols"):
        es.models.clone_model(graph(), es.Input((5, 3)))
    with pytest.raises(SettingError, match="call_function is for models of symbols"):
        es.models.clone_model(row, call_function=lambda layer, inputs: layer(inputs))


@es.saving.register_keras_serializable("tests")
class Tagger(es.Model):
    """A model as people write it for Keras."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label = Dense(units)

    def call(self, inputs: Any) -> Any:
        return self.label(inputs)


class Odd(es.Model):
    """A model whose argument has no configuration."""

    def __init__(self, thing: Any) -> None:
        super().__init__()
        self.thing = thing


def test_a_subclass_is_cloned_by_its_arguments_or_says_what_it_lacks() -> None:
    cloned: Any = es.models.clone_model(Tagger(3))
    assert cloned.label.units == 3
    with pytest.raises(SettingError, match="subclass with a call of its own"):
        es.models.clone_model(Tagger(3), clone_function=lambda layer: layer)
    with pytest.raises(SettingError, match="give the class a get_config of its own"):
        Odd(object()).get_config()


class FromSymbols(es.Model):
    """A subclass that makes its symbols itself."""

    def __init__(self, units: int, name: str | None = None) -> None:
        start = es.Input((5, 3))
        super().__init__(inputs=start, outputs=Dense(units)(start), name=name)
        self.units = units


class Trained(es.Model):
    """A subclass that changes training alone, made as `Trained(inputs, outputs)`."""

    def twice(self) -> Any:
        return 2 * self(X["one"])


def test_subclasses_of_symbols_are_models_of_symbols() -> None:
    model = FromSymbols(4)
    assert (model.output_shape, model(X["one"]).shape) == ((None, 5, 4), (2, 5, 4))
    assert model.get_config()["units"] == 4
    assert FromSymbols.from_config(model.get_config()).output_shape == (None, 5, 4)
    start = es.Input((5, 3))
    other = Trained(start, Dense(2)(start), name="other")
    assert other.twice().shape == (2, 5, 2)
    for copied in (Trained.from_config(other.get_config()), es.models.clone_model(other)):
        assert type(copied) is Trained
        assert copied.name == "other"


def test_names_of_layers_must_differ() -> None:
    start = es.Input((3,))
    outputs: Any = Dense(2, name="same")(Dense(2, name="same")(start))
    with pytest.raises(SettingError, match='The name "same" is used 2 times in the model'):
        es.Model(start, outputs)
    assert issubclass(es.models.Functional, Layer)
