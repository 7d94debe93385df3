"""Random arrays under Keras's names, from a number, a generator of seeds, or the run's own noise.

The numbers for a seed are those of Keras on JAX. Without a seed they follow from the seed of the
program (`utils.set_random_seed`), and inside a run from the run's key, so that a run repeats.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core.defaults import floatx
from everystep.core.dtypes import ARRAY_DTYPE
from everystep.core.naming import auto_name, path_of, within
from everystep.core.randomness import Noise, global_seed, initial_draw, next_call
from everystep.core.scope import current_scope
from everystep.core.variables import Variable, VariableHolder
from everystep.errors import SettingError, StateError
from everystep.kinds import ANYTHING, ARRAY, POSITIVE, SHAPE, SHARE, SIZES, checked, optional, shown

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]

_DTYPE = optional(ARRAY_DTYPE)


class SeedGenerator(VariableHolder):
    """Gives another seed each time; a layer that holds one draws other numbers in each call.

    Its state is a variable of the layer, so that it works in compiled training as well.

    Args:
        seed: where to start; by default it follows from the seed of the program.
        name: the generator's name.

    Raises:
        SettingError: the seed is no integer.

    Example:
        >>> generator = SeedGenerator(7)
        >>> bool((normal((2,), seed=generator) == normal((2,), seed=generator)).any())
        False
    """

    @checked(seed=ANYTHING)
    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        if seed is not None and not isinstance(seed, int | np.integer):
            raise SettingError(f"Argument `seed` must be an integer, not {shown(seed)}")
        self.seed = seed
        self.name = name or auto_name(type(self).__name__)
        path = path_of(self.name)
        start = int(initial_draw(path).integers(1, 10**9)) if seed is None else seed
        with within(path):
            self.state = Variable(_key(start), trainable=False, name="seed_generator_state")
        self.state.temporary = True

    @property
    def variables(self) -> list[Variable]:
        """The state."""
        return [self.state]

    @checked
    def next(self, ordered: bool = True) -> Any:
        """Return a seed, which `jax.random` takes as a key, and go on to the next one.

        Args:
            ordered: whether to count on; otherwise seeds jump about.
        """
        seed = self.state.value
        if ordered:
            self.state.assign(seed + jnp.array([0, 1], "uint32"))
        else:
            self.state.assign((seed + 1) * 5387 % 933199)
        return seed

    def get_config(self) -> dict[str, Any]:
        """Return the arguments as plain data."""
        return {"seed": self.seed, "name": self.name}

    @classmethod
    @checked
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Return a new generator with the arguments that `get_config` gave."""
        return cls(**config)


def _key(seed: int) -> Any:
    return np.array([int(seed) & 0xFFFFFFFF, 0], "uint32")


def _drawn(seed: Any) -> Any:
    """Return the JAX key for what was given as a seed."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, int | np.integer):
        return jnp.asarray(_key(int(seed)))
    if isinstance(seed, jax.Array):
        return seed
    if seed is not None:
        raise SettingError(
            "Argument `seed` must be either an integer or an instance of `SeedGenerator`, not "
            f"{shown(seed)}"
        )
    scope = current_scope()
    if scope is not None:
        return scope.draw(path_of("random"))
    if isinstance(jnp.zeros(()), jax.core.Tracer):
        raise StateError(
            "random numbers without a seed would become a constant of the compiled program: give "
            "a SeedGenerator that the layer holds, seed=self.seed_generator"
        )
    return Noise.of_seed(global_seed(), next_call()).draw("random", 1)


@checked(shape=SIZES, dtype=_DTYPE)
def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return values of a normal distribution.

    Args:
        shape: the shape.
        mean: the mean.
        stddev: the standard deviation.
        dtype: the dtype; that of `config.floatx()` by default.
        seed: an integer for the same values each time, a SeedGenerator, a JAX key, or None.

    Raises:
        SettingError: the seed is none of these.
        StateError: there is no seed where JAX traces a function.

    Example:
        >>> normal((2,), seed=3).shape
        (2,)
    """
    return jax.random.normal(_drawn(seed), tuple(shape), dtype or floatx()) * stddev + mean


@checked(shape=SIZES, dtype=_DTYPE)
def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return values of a normal distribution, none over two standard deviations off.

    See `normal` for the arguments.
    """
    drawn = jax.random.truncated_normal(_drawn(seed), -2.0, 2.0, tuple(shape), dtype or floatx())
    return drawn * stddev + mean


@checked(shape=SIZES, minval=ARRAY, maxval=ARRAY, dtype=_DTYPE)
def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return values spread evenly over an interval, the upper end excluded.

    Args:
        shape: the shape.
        minval: the lower end.
        maxval: the upper end.
        dtype: the dtype, of floats; see `randint` for integers.
        seed: see `normal`.

    Raises:
        SettingError: the dtype is not one of floats.
    """
    dtype = jnp.dtype(dtype or floatx())
    if not jnp.issubdtype(dtype, jnp.floating):
        raise SettingError(f"`keras.random.uniform` requires a floating point dtype, not {dtype}")
    return jax.random.uniform(_drawn(seed), tuple(shape), dtype, minval, maxval)


@checked(shape=SIZES, minval=ARRAY, maxval=ARRAY, dtype=_DTYPE)
def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Return integers from `minval` to `maxval - 1`, each as likely.

    Args:
        shape: the shape.
        minval: the lowest.
        maxval: one more than the highest.
        dtype: the dtype, of integers; see `uniform` for floats.
        seed: see `normal`.

    Raises:
        SettingError: the dtype is not one of integers.
    """
    dtype = jnp.dtype(dtype)
    if not jnp.issubdtype(dtype, jnp.integer):
        raise SettingError(f"`keras.random.randint` requires an integer dtype, not {dtype}")
    return jax.random.randint(_drawn(seed), tuple(shape), minval, maxval, dtype)


@checked(logits=ARRAY, num_samples=POSITIVE, dtype=_DTYPE)
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Return class numbers drawn by their logits.

    Shapes: logits `(batch, classes)` -> `(batch, num_samples)`.

    Args:
        logits: the logarithms of the chances, up to a constant.
        num_samples: how many to draw for each row.
        dtype: the dtype of the numbers.
        seed: see `normal`.

    Example:
        >>> categorical(jnp.array([[0.0, -jnp.inf]]), 3, seed=1).tolist()
        [[0, 0, 0]]
    """
    logits = jnp.asarray(logits)
    shape = (logits.shape[0], num_samples, *logits.shape[2:])
    drawn = jax.random.categorical(_drawn(seed), logits[..., None], axis=1, shape=shape)
    return drawn.astype(dtype)


@checked(inputs=ARRAY, rate=SHARE, noise_shape=optional(SHAPE))
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Return the inputs with a share of them set to 0, the others raised to make up for it.

    Args:
        inputs: the array.
        rate: the share.
        noise_shape: the shape of the choice, which is broadcast to the inputs; None for a size
            stands for the inputs' own.
        seed: see `normal`.

    Example:
        >>> sorted(set(dropout(jnp.ones(100), 0.5, seed=1).tolist()))
        [0.0, 2.0]
    """
    inputs = jnp.asarray(inputs)
    if rate == 0:
        return inputs
    if rate == 1:
        return jnp.zeros_like(inputs)
    wanted = inputs.shape if noise_shape is None else tuple(noise_shape)
    shape = [own if size is None else size for own, size in zip(inputs.shape, wanted, strict=True)]
    kept = jax.random.bernoulli(_drawn(seed), 1.0 - rate, tuple(shape))
    return jnp.where(kept, inputs / (1.0 - rate), jnp.zeros_like(inputs))


@checked(x=ARRAY, axis_of="x")
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """Return the array with its values shuffled along an axis, each line by itself.

    Args:
        x: the array.
        axis: the axis.
        seed: see `normal`.
    """
    return jax.random.permutation(_drawn(seed), jnp.asarray(x), axis, independent=True)


@checked(shape=SIZES, alpha=ARRAY, dtype=_DTYPE)
def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Return values of a gamma distribution of scale 1.

    Args:
        shape: the shape.
        alpha: the distribution's shape parameter.
        dtype: see `normal`.
        seed: see `normal`.
    """
    return jax.random.gamma(_drawn(seed), jnp.asarray(alpha), tuple(shape), dtype or floatx())


@checked(shape=SIZES, counts=ARRAY, probabilities=ARRAY, dtype=_DTYPE)
def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> Any:
    """Return how many of so many trials succeed.

    Args:
        shape: the shape.
        counts: the number of trials.
        probabilities: the chance of success of each.
        dtype: see `normal`.
        seed: see `normal`.
    """
    counts, chances = jnp.asarray(counts), jnp.asarray(probabilities)
    return jax.random.binomial(_drawn(seed), counts, chances, tuple(shape), dtype or floatx())


@checked(shape=SIZES, alpha=ARRAY, beta=ARRAY, dtype=_DTYPE)
def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Return values of a beta distribution.

    Args:
        shape: the shape.
        alpha: its first parameter.
        beta: its second parameter.
        dtype: see `normal`.
        seed: see `normal`.
    """
    first, second = jnp.asarray(alpha), jnp.asarray(beta)
    return jax.random.beta(_drawn(seed), first, second, tuple(shape), dtype or floatx())
