"""Cells, models, losses, metrics and callbacks of users; `keras` is Keras or everystep."""

from typing import Any

import jax
import jax.numpy as jnp


def minimal_cell(keras: Any) -> Any:
    """A cell with one state."""

    class Minimal(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.state_size = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(
                shape=(input_shape[-1], self.units), initializer="uniform", name="kernel"
            )
            self.recurrent_kernel = self.add_weight(
                shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
            )

        def call(self, inputs: Any, states: Any) -> Any:
            previous = states[0]
            output = jnp.tanh(inputs @ self.kernel + previous @ self.recurrent_kernel)
            return output, [output]

        def get_config(self) -> Any:
            return {**super().get_config(), "units": self.units}

    return Minimal(4)


def two_state_cell(keras: Any) -> Any:
    """A cell with two states of different sizes, and an output of a third."""

    class TwoStates(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.state_size = [units, 3]
            self.output_size = units + 3

        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape=(input_shape[-1], self.units), name="w")
            self.u = self.add_weight(shape=(self.units, 3), name="u")

        def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
            hidden, slow = states
            hidden = jax.nn.sigmoid(inputs @ self.w) * hidden + inputs @ self.w
            slow = 0.9 * slow + hidden @ self.u
            return jnp.concatenate([hidden, slow], axis=-1), [hidden, slow]

    return TwoStates(4)


def tagger(keras: Any) -> Any:
    """A subclassed model with an inner functional one, and an extra loss."""

    class Tagger(keras.Model):  # type: ignore[misc]
        def __init__(self, labels: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            symbol = keras.Input((None, 3))
            hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(symbol)
            self.trunk = keras.Model(symbol, keras.layers.concatenate([symbol, hidden]))
            self.heads = [keras.layers.Dense(labels, name="head", kernel_constraint=capped(keras))]

        def call(self, inputs: Any, training: bool = False) -> Any:
            features = self.trunk(inputs, training=training)
            self.add_loss(1e-2 * jnp.mean(jnp.square(features)))
            return self.heads[0](features)

    return Tagger(2)


def capped(keras: Any) -> Any:
    """A constraint."""

    class Capped(keras.constraints.Constraint):  # type: ignore[misc]
        def __call__(self, w: Any) -> Any:
            return jnp.clip(jnp.asarray(w), -0.5, 0.5)

    return Capped()


def fourth_power(keras: Any) -> Any:
    """A loss."""

    class FourthPower(keras.losses.Loss):  # type: ignore[misc]
        def __init__(self, factor: float = 1.0, name: str = "fourth", **kwargs: Any) -> None:
            super().__init__(name=name, **kwargs)
            self.factor = factor

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return self.factor * jnp.mean((y_true - y_pred) ** 4, axis=-1)

    return FourthPower(0.5)


def largest_error(keras: Any) -> Any:
    """A metric with a state of its own."""

    class LargestError(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self, name: str = "largest", **kwargs: Any) -> None:
            super().__init__(name=name, **kwargs)
            self.top = self.add_variable(shape=(), initializer="zeros", name="top")
            self.seen = self.add_weight(name="seen", initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            error = jnp.max(jnp.abs(y_true - y_pred))
            self.top.assign(jnp.maximum(self.top.value, error))
            self.seen.assign_add(1.0)

        def result(self) -> Any:
            return self.top.value + 0 * self.seen.value

        def reset_state(self) -> None:
            self.top.assign(0.0)
            self.seen.assign(0.0)

    return LargestError()


def mean_gap(y_true: Any, y_pred: Any) -> Any:
    """A metric that is a function."""
    return jnp.mean(y_true - y_pred, axis=-1)


def batches(keras: Any, x: Any, y: Any, size: int) -> Any:
    """A data set that gives a batch for each number."""

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self, x: Any, y: Any, size: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.x, self.y, self.size = x, y, size
            self.epochs = 0

        def __len__(self) -> int:
            return -(-len(self.x) // self.size)

        def __getitem__(self, index: int) -> Any:
            part = slice(index * self.size, (index + 1) * self.size)
            return self.x[part], self.y[part]

        def on_epoch_end(self) -> None:
            self.epochs += 1

    return Batches(x, y, size, workers=1)


def diary(keras: Any) -> Any:
    """A callback that notes what it is told."""

    class Diary(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.notes: list[Any] = []

        def on_train_begin(self, logs: Any = None) -> None:
            self.notes.append(("begin", self.params["epochs"], self.params["steps"]))

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.notes.append(("epoch", epoch))

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.notes.append(("batch", batch, sorted(logs)))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.notes.append(("end", epoch, sorted(logs)))
            if epoch == 1:
                self.model.stop_training = True

    return Diary()
