"""What people read from a layer, and set on it, before and after it is built."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import everystep as es
from everystep.errors import SettingError, ShapeError, StateError
from tests.tolerances import assert_close

keras = pytest.importorskip("keras", reason="Keras is the independent source of the behaviour")

LIBRARIES = [pytest.param(es, id="everystep"), pytest.param(keras, id="keras")]
VALUES = np.random.default_rng(6).normal(size=(2, 5, 3)).astype("float32")


def two_layers(k: Any) -> Any:
    """A layer around two others, with a state of its own."""

    class Two(k.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="two")
            self.first = k.layers.Dense(4, name="first")
            self.state = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="state"
            )
            self.last: Any = None
            self.gain = self.add_weight(shape=(), initializer="ones", name="gain")
            self.mean = k.metrics.Mean(name="mean")

        def build(self, input_shape: Any) -> None:
            self.first.build(input_shape)
            self.last = k.layers.Dense(2, kernel_regularizer="l2", name="last")
            self.last.build((*input_shape[:-1], 4))

        def call(self, inputs: Any) -> Any:
            return self.last(self.first(inputs)) * self.gain

    return Two()


def names(variables: Any) -> list[str]:
    return [variable.name for variable in variables]


@pytest.mark.parametrize("k", LIBRARIES)
def test_freezing_before_and_after_building(k: Any) -> None:
    early, late = two_layers(k), two_layers(k)
    early.trainable = False
    for layer in (early, late):
        layer(VALUES)
    late.first.trainable = False
    assert early.trainable_variables == []
    assert names(late.trainable_variables) == ["gain", "kernel", "bias"]
    assert names(late.non_trainable_variables) == ["state", "kernel", "bias"]
    assert [v.trainable for v in late.first.weights] == [False, False]
    late.trainable = True
    assert names(late.trainable_variables) == ["gain", "kernel", "bias", "kernel", "bias"]
    assert [v.trainable for v in late.first.weights] == [True, True]
    assert not late.state.trainable
    assert names(late.weights) == ["gain", "state", "kernel", "bias", "kernel", "bias"]
    assert [metric.name for metric in late.metrics] == ["mean"]


@pytest.mark.parametrize("k", LIBRARIES)
def test_building_by_a_shape_or_by_what_was_noted_of_it(k: Any) -> None:
    layer = two_layers(k)
    assert not layer.built
    layer.build((None, 5, 3))
    assert layer.built
    config = layer.get_build_config()
    assert tuple(config["input_shape"]) == (None, 5, 3)
    other = two_layers(k)
    other.build_from_config(config)
    assert [w.shape for w in other.get_weights()] == [w.shape for w in layer.get_weights()]
    assert layer.count_params() == 28


@pytest.mark.parametrize("k", LIBRARIES)
def test_shapes_and_dtypes_of_outputs_without_data(k: Any) -> None:
    layer = k.layers.LSTM(4, return_state=True, dtype="mixed_bfloat16")
    outputs = layer.compute_output_spec(k.KerasTensor((None, 5, 3)))
    assert [(tuple(each.shape), each.dtype) for each in outputs] == [((None, 4), "bfloat16")] * 3
    assert all(isinstance(each, k.KerasTensor) for each in outputs)
    with pytest.raises((AttributeError, StateError), match="has never been called"):
        layer.output  # noqa: B018


@pytest.mark.parametrize("k", LIBRARIES)
def test_dtypes_are_those_of_the_policy_that_is_set(k: Any) -> None:
    layer = k.layers.Dense(2)
    layer.dtype_policy = "mixed_bfloat16"
    assert (layer.dtype, layer.variable_dtype, layer.compute_dtype) == (
        "float32",
        "float32",
        "bfloat16",
    )
    assert layer.dtype_policy.name == "mixed_bfloat16"
    assert layer(VALUES).dtype == "bfloat16"
    assert layer.kernel.dtype == "float32"


@pytest.mark.parametrize("k", LIBRARIES)
def test_a_layer_that_does_not_cast(k: Any) -> None:
    class Plain(k.layers.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            self.wide = self.add_weight(shape=(3,), initializer="ones", autocast=False)
            self.narrow = self.add_weight(shape=(3,), initializer="ones")

        def call(self, inputs: Any) -> Any:
            return [inputs * 1, jnp.asarray(self.wide.value), jnp.asarray(self.narrow.value)]

    found = [str(x.dtype) for x in Plain(dtype="mixed_bfloat16")(VALUES)]
    assert found == ["bfloat16", "float32", "bfloat16"]
    found = [str(x.dtype) for x in Plain(dtype="mixed_bfloat16", autocast=False)(VALUES)]
    assert found[:2] == ["float32", "float32"]


@pytest.mark.parametrize("k", LIBRARIES)
def test_weights_by_all_of_their_arguments(k: Any) -> None:
    layer = k.layers.Layer()
    counts = layer.add_weight(shape=(2,), dtype="int32", trainable=False, name="counts")
    assert np.asarray(counts).tolist() == [0, 0]
    kernel = layer.add_weight(
        (2, 3),
        "ones",
        "float16",
        regularizer="l1",
        constraint="unit_norm",
        aggregation="mean",
        overwrite_with_gradient=True,
    )
    assert (kernel.dtype, kernel.aggregation, kernel.overwrite_with_gradient) == (
        "float16",
        "mean",
        True,
    )
    assert_close(np.float32(kernel.regularizer(np.ones((2, 3), "float32"))), np.float32(0.06))
    assert np.asarray(kernel.constraint(jnp.ones((4, 1)))).round(3).tolist() == [[0.5]] * 4


@pytest.mark.parametrize("k", LIBRARIES)
def test_losses_are_those_of_the_last_call(k: Any) -> None:
    class Adds(k.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, add: bool = True) -> Any:
            if add:
                self.add_loss([jnp.sum(inputs), jnp.max(inputs)])
            return inputs

    class Around(k.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = Adds()
            self.dense = k.layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l1")

        def call(self, inputs: Any, add: bool = True) -> Any:
            return self.dense(self.inner(inputs, add=add))

    layer = Around()
    layer(VALUES)
    layer(VALUES)
    assert len(layer.losses) == 4
    assert_close(layer.losses[0], VALUES.sum())
    assert_close(layer.inner.losses[1], VALUES.max())
    layer(VALUES, add=False)
    assert len(layer.losses) == 2
    assert_close(layer.losses[1], np.float32(0.01 * np.square(layer.dense.get_weights()[0]).sum()))


def test_losses_inside_a_run_are_those_of_the_run() -> None:
    class Doubles(es.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight((3,), "ones", regularizer="l1", name="w")

        def call(self, inputs: Any) -> Any:
            self.add_loss(jnp.sum(inputs * self.w))
            return sum(self.losses)

    layer = Doubles(name="doubles")
    layer(VALUES)
    weights = {path: 2 * value for path, value in es.weights_of(layer).items()}
    found = jax.jit(lambda weights: es.apply(layer, weights, VALUES)[0])(weights)
    assert_close(found, np.float32(2 * VALUES.sum() + 0.06))
    # What a compiled run added is the run's, and has no value outside of it.
    assert_close(layer.losses, [np.float32(0.03)])


@pytest.mark.parametrize("k", LIBRARIES)
def test_an_input_spec_of_ones_own(k: Any) -> None:
    spec = k.layers.InputSpec

    def checked(layer_spec: Any, x: Any) -> None:
        class Picky(k.layers.Layer):  # type: ignore[misc]
            def call(self, inputs: Any) -> Any:
                return inputs

        layer = Picky()
        layer.input_spec = layer_spec
        layer(x)

    checked(spec(shape=(None, None, 3), dtype="float32"), VALUES)
    checked([spec(ndim=3), None], [VALUES, VALUES[0]])
    checked(spec(shape=(None, 5), allow_last_axis_squeeze=True), VALUES[..., :1])
    for wrong, words in (
        (spec(shape=(None, 4, 3)), "expected shape=.*, found shape="),
        (spec(dtype="int32"), "expected dtype=int32, found dtype=float32"),
        (spec(ndim=2), "expected ndim=2, found ndim=3"),
        (spec(min_ndim=4), "expected min_ndim=4, found ndim=3"),
        (spec(max_ndim=2), "expected max_ndim=2, found ndim=3"),
        (spec(axes={-1: 4}), "expected axis -1 of input shape to have value 4"),
        ([spec(), spec()], "expects 2 input"),
    ):
        with pytest.raises(ValueError, match=words):
            checked(wrong, VALUES)
    assert spec.from_config(spec(ndim=2).get_config()).ndim == 2
    with pytest.raises((TypeError, SettingError), match="must be a dict with integer keys"):
        spec(axes={"last": 3})


@pytest.mark.parametrize("k", LIBRARIES)
def test_well_known_errors_begin_as_in_keras(k: Any) -> None:
    class Forgetful(k.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            self.w = self.add_weight(shape=(3,))

    dense = k.layers.Dense(2)
    cases: list[tuple[Callable[[], Any], str]] = [
        (lambda: k.layers.Dense(2, foo=1), "Unrecognized keyword arguments passed to Dense"),
        (lambda: dense.count_params(), "You tried to call `count_params` on layer"),
        (lambda: k.initializers.get("foo"), "Could not interpret initializer identifier"),
        (lambda: k.activations.get("foo"), "Could not interpret activation function identifier"),
        (lambda: k.losses.get("foo"), "Could not interpret loss identifier"),
        (lambda: k.optimizers.get("foo"), "(Could not|Unable)"),
        (lambda: k.Sequential([k.layers.Dense(1)]).get_layer("foo"), "No such layer: foo"),
        (
            lambda: k.saving.deserialize_keras_object(
                {"module": None, "class_name": "Foo", "config": {}, "registered_name": "Foo"}
            ),
            "Could not locate class 'Foo'",
        ),
    ]
    for function, words in cases:
        with pytest.raises((ValueError, TypeError), match=words):
            function()
    dense.build((None, 3))
    with pytest.raises(ValueError, match="You called `set_weights"):
        dense.set_weights([np.ones((3, 2))])
    with pytest.raises(ValueError, match="is incompatible with the layer"):
        dense(np.ones((2, 4), "float32"))
    model = k.Sequential([k.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"You must call `compile\(\)` before"):
        model.fit(np.ones((2, 3), "float32"), np.ones((2, 1), "float32"), verbose=0)
    if k is es:
        with pytest.raises(StateError, match="you forgot to call"):
            Forgetful()


def test_errors_of_losses_and_specs_name_the_layer() -> None:
    layer = es.layers.Dense(2, name="label")
    with pytest.raises(StateError, match="only be called from inside a layer's call"):
        layer.add_loss(1.0)

    class Wrong(es.layers.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(inputs)
            return inputs

    with pytest.raises(SettingError, match=r"layer 'wrong': add_loss takes scalars.*\(2, 5, 3\)"):
        Wrong(name="wrong")(VALUES)
    layer.input_spec = [es.layers.InputSpec()] * 2  # type: ignore[assignment]
    with pytest.raises(ShapeError, match=r"Layer 'label' \(Dense\) expects 2 input"):
        layer(VALUES)
