"""Layers of users, each as it is written for Keras; `keras` is Keras or everystep."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Make = Callable[[], Any]


def affine(keras: Any) -> Make:
    """Weights in `build`, an activation by name, a whole configuration."""

    @keras.saving.register_keras_serializable(package="written")
    class Affine(keras.layers.Layer):  # type: ignore[misc]
        def __init__(
            self,
            units: int = 32,
            activation: Any = None,
            kernel_initializer: Any = "glorot_uniform",
            kernel_regularizer: Any = None,
            kernel_constraint: Any = None,
            **kwargs: Any,
        ) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.activation = keras.activations.get(activation)
            self.kernel_initializer = keras.initializers.get(kernel_initializer)
            self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
            self.kernel_constraint = keras.constraints.get(kernel_constraint)
            self.input_spec = keras.layers.InputSpec(min_ndim=2)
            self.supports_masking = True

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(
                name="kernel",
                shape=(input_shape[-1], self.units),
                initializer=self.kernel_initializer,
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
                trainable=True,
            )
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
            self.built = True

        def call(self, inputs: Any) -> Any:
            return self.activation(inputs @ self.kernel + self.bias)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], self.units)

        def get_config(self) -> Any:
            config = super().get_config()
            config.update(
                {
                    "units": self.units,
                    "activation": keras.activations.serialize(self.activation),
                    "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
                    "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
                    "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
                }
            )
            return config

    return lambda: Affine(
        4, "tanh", kernel_regularizer="l2", kernel_constraint="non_neg", name="affine"
    )


def old_style(keras: Any) -> Make:
    """`super(Class, self)`, no `get_config`, an activity regularizer, a call of `super().build`."""

    class OldStyle(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int = 3, activity_regularizer: Any = None, **kwargs: Any) -> None:
            super(OldStyle, self).__init__(  # noqa: UP008
                activity_regularizer=activity_regularizer, **kwargs
            )
            self.units = units

        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape=(input_shape[-1], self.units))
            self.b = self.add_weight(
                (self.units,),
                lambda shape, dtype=None: jnp.sqrt(jnp.full(shape, 2.0, dtype)),
                trainable=False,
            )
            super(OldStyle, self).build(input_shape)  # noqa: UP008

        def call(self, inputs: Any) -> Any:
            return inputs @ self.w + self.b

    return lambda: OldStyle(4, activity_regularizer="l1")


def bare(keras: Any) -> Make:
    """No keyword arguments at all, a variable in `__init__`, no `build`."""

    class Bare(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, power: int) -> None:
            super().__init__()
            self.power = power
            self.scale = keras.Variable(0.5, name="scale")
            self.shift = self.add_weight(shape=(), initializer="ones", name="shift")

        def call(self, x: Any) -> Any:
            return self.scale * x**self.power - self.shift

    return lambda: Bare(2)


def counting(keras: Any) -> Make:
    """A state that each call changes."""

    class Counting(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.total = self.add_weight(
                initializer="zeros", shape=(), dtype="float32", trainable=False, name="total"
            )
            self.calls = keras.Variable(0, dtype="int32", trainable=False, name="calls")

        def call(self, inputs: Any) -> Any:
            self.total.assign_add(jnp.sum(inputs))
            self.calls.assign(self.calls + 1)
            return inputs + self.total

    return lambda: Counting(name="counting")


def residual(keras: Any) -> Make:
    """Layers in nested lists and dicts, some of them made in `build`; dropout and `training`."""

    class Residual(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, depth: int = 2, rate: float = 0.5, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.depth, self.rate = depth, rate
            self.blocks = [
                {
                    "in": keras.layers.Dense(6, activation="relu", name=f"in_{i}"),
                    "more": [keras.layers.Dropout(rate)],
                }
                for i in range(depth)
            ]

        def build(self, input_shape: Any) -> None:
            self.outs = []
            for block in self.blocks:
                block["in"].build(input_shape)
                out = keras.layers.Dense(input_shape[-1])
                out.build((*input_shape[:-1], 6))
                self.outs.append(out)

        def call(self, inputs: Any, training: Any = None) -> Any:
            x = inputs
            for block, out in zip(self.blocks, self.outs, strict=True):
                h = block["in"](x)
                for layer in block["more"]:
                    h = layer(h, training=training)
                x = x + out(h)
            return x

        def get_config(self) -> Any:
            return {**super().get_config(), "depth": self.depth, "rate": self.rate}

    return Residual


def penalty(keras: Any) -> Make:
    """Losses added in the call."""

    class Penalty(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, rate: float = 1e-2, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.rate = rate

        def call(self, inputs: Any) -> Any:
            self.add_loss(self.rate * jnp.sum(jnp.square(inputs)))
            self.add_loss(jnp.mean(inputs))
            return inputs

        def get_config(self) -> Any:
            base = super().get_config()
            return dict(list(base.items()) + list({"rate": self.rate}.items()))

    return Penalty


def attention_pooling(keras: Any) -> Make:
    """Takes the mask and takes it off."""

    class AttentionPooling(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.supports_masking = True
            self.score = keras.layers.Dense(1, use_bias=False)

        def call(self, inputs: Any, mask: Any = None) -> Any:
            scores = self.score(inputs)[..., 0]
            if mask is not None:
                scores = jnp.where(mask, scores, -1e9)
            weights = jax.nn.softmax(scores, axis=-1)
            return jnp.einsum("bt,btf->bf", weights, inputs)

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return None

    return AttentionPooling


def positions(keras: Any) -> Make:
    """Two embeddings, and the mask of the inner one."""

    class Positions(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, length: int, vocabulary: int, dimension: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.token = keras.layers.Embedding(vocabulary, dimension, mask_zero=True)
            self.place = keras.layers.Embedding(input_dim=length, output_dim=dimension)
            self.length, self.vocabulary, self.dimension = length, vocabulary, dimension

        def call(self, inputs: Any) -> Any:
            places = jnp.arange(inputs.shape[-1])
            return self.token(inputs) + self.place(places)

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return self.token.compute_mask(inputs)

        def get_config(self) -> Any:
            config = super().get_config()
            config.update(length=self.length, vocabulary=self.vocabulary, dimension=self.dimension)
            return config

    return lambda: Positions(5, 11, 4)


def crossed(keras: Any) -> Make:
    """Several arguments, one of them optional, and a `build` with a shape for each."""

    class Crossed(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units

        def build(self, query_shape: Any, value_shape: Any = None) -> None:
            self.q = self.add_weight(shape=(query_shape[-1], self.units), name="q")
            self.v = self.add_weight(shape=(query_shape[-1], self.units), name="v")

        def call(self, query: Any, value: Any = None, scale: float = 1.0) -> Any:
            value = query if value is None else value
            scores = (query @ self.q) @ jnp.swapaxes(value @ self.v, 1, 2)
            return scale * jax.nn.softmax(scores) @ value

        def get_config(self) -> Any:
            return {"units": self.units, **super().get_config()}

    return lambda: Crossed(3)


def noisy(keras: Any) -> Make:
    """Random numbers from a seed generator."""

    class Noisy(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.rate, self.seed = rate, seed
            self.seed_generator = keras.random.SeedGenerator(seed)

        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                noise = keras.random.normal(inputs.shape, seed=self.seed_generator)
                inputs = inputs + 0.0 * noise
                return keras.random.dropout(inputs, self.rate, seed=self.seed_generator)
            return inputs

        def get_config(self) -> Any:
            return {**super().get_config(), "rate": self.rate, "seed": self.seed}

    return lambda: Noisy(0.5, seed=3)


def inside(keras: Any) -> Make:
    """A wrapper around a layer that comes as an argument and goes into the configuration."""

    @keras.saving.register_keras_serializable(package="written")
    class Inside(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, layer: Any, factor: float = 0.5, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.layer, self.factor = layer, factor

        def build(self, input_shape: Any) -> None:
            if not self.layer.built:
                self.layer.build(input_shape)
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return inputs + self.factor * self.layer(inputs)

        def get_config(self) -> Any:
            config = super().get_config()
            config["layer"] = keras.saving.serialize_keras_object(self.layer)
            config["factor"] = self.factor
            return config

        @classmethod
        def from_config(cls, config: Any) -> Any:
            config["layer"] = keras.saving.deserialize_keras_object(config["layer"])
            return cls(**config)

    return lambda: Inside(keras.layers.Dense(3, activation="tanh"), 0.25)


def wrapped(keras: Any) -> Make:
    """A subclass of `Wrapper`."""

    class Wrapped(keras.layers.Wrapper):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return 2 * self.layer(inputs)

    return lambda: Wrapped(keras.layers.Dense(4), name="twice")


def precise(keras: Any) -> Make:
    """Looks at its dtypes, and says the shape that it was built for by an InputSpec."""

    class Precise(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**{"dtype": "float32", **kwargs})

        def build(self, input_shape: Any) -> None:
            size = input_shape[-1]
            self.gain = self.add_weight(
                shape=(size,), initializer=keras.initializers.Constant(2.0), dtype=self.dtype
            )
            self.input_spec = keras.layers.InputSpec(ndim=len(input_shape), axes={-1: size})

        def call(self, inputs: Any) -> Any:
            x = jnp.asarray(inputs, self.compute_dtype)
            assert self.variable_dtype == self.dtype == "float32"
            assert self.gain.dtype == "float32"
            return x * jnp.asarray(self.gain, x.dtype)

    return Precise


def reading(keras: Any) -> Make:
    """A layer inside that must see the mask, which this one does not name."""

    class Reading(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.supports_masking = True
            self.units = units
            self.read = keras.layers.LSTM(units, return_sequences=True)

        def call(self, inputs: Any) -> Any:
            return inputs + jnp.tanh(self.read(inputs))

        def get_config(self) -> Any:
            return super().get_config() | {"units": self.units}

    return lambda: Reading(3)


LAYERS = [
    affine,
    old_style,
    bare,
    counting,
    residual,
    penalty,
    attention_pooling,
    positions,
    crossed,
    noisy,
    inside,
    wrapped,
    precise,
    reading,
]
