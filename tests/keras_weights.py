"""Keras's first weights, drawn by NumPy.

JAX would compile programs for each shape of them, and nearly every test puts others in their place.
Noise and `keras.random` are still drawn as Keras draws them.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np

Draw = Callable[[np.random.Generator, tuple[int, ...]], Any]


def draw_by_numpy() -> None:
    """Let Keras's initializers draw so from now on."""
    from keras.src.initializers import random_initializers

    by_jax = random_initializers.random
    random_initializers.random = SimpleNamespace(
        SeedGenerator=by_jax.SeedGenerator,
        make_default_seed=by_jax.make_default_seed,
        normal=_spread(lambda random, shape: random.normal(size=shape)),
        truncated_normal=_spread(_truncated),
        uniform=_uniform,
    )


def _uniform(shape: Any, minval: float, maxval: float, dtype: Any = None, seed: Any = None) -> Any:
    values = _generator(seed).uniform(minval, maxval, tuple(shape))
    return _as_keras_gives(values, dtype)


def _spread(draw: Draw) -> Callable[..., Any]:
    def drawn(
        shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
    ) -> Any:
        return _as_keras_gives(mean + stddev * draw(_generator(seed), tuple(shape)), dtype)

    return drawn


def _truncated(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    values = np.asarray(random.normal(size=shape))
    while (far := np.abs(values) > 2).any():
        values[far] = random.normal(size=far.sum())
    return values


def _generator(seed: Any) -> np.random.Generator:
    from keras.src.random.seed_generator import draw_seed

    if isinstance(seed, int):
        return np.random.default_rng(seed)
    # A seed that counts is a variable, whose value no test draws inside of a program.
    with jax.ensure_compile_time_eval():
        return np.random.default_rng(np.asarray(draw_seed(seed)))


def _as_keras_gives(values: Any, dtype: Any) -> Any:
    from keras import config

    return jax.numpy.asarray(np.asarray(values, jax.numpy.dtype(dtype or config.floatx())))
