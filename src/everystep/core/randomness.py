"""Where random numbers come from: one seed, and the path of the weight or layer that asks.

A weight's first values depend on the seed, its path, and how often that path was drawn before.
Noise in a call depends on the seed, the layer's path, the step of training and how often the layer
drew in this call. So adding a layer disturbs no other, and a resumed run draws the same numbers.
"""

import functools
import secrets
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import jax
import numpy as np

from everystep.core import naming
from everystep.errors import SettingError
from everystep.kinds import shown

_drawn: Counter[str] = Counter()


@dataclass
class _Global:
    seed: int = field(default_factory=lambda: secrets.randbits(31))
    calls: int = 0


_global = _Global()


def set_random_seed(seed: int) -> None:
    """Make everything that follows repeatable: first weights, noise, shuffling, automatic names.

    Names start again too, because a weight's first values come from the seed and its path: a
    program that sets the seed and builds a model gets the same model every time.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    Raises:
        SettingError: the seed is no such integer.

    Example:
        >>> import everystep as es
        >>> es.utils.set_random_seed(7)
        >>> first = es.layers.Dense(2)
        >>> first.build((None, 3))
        >>> es.utils.set_random_seed(7)
        >>> again = es.layers.Dense(2)
        >>> again.build((None, 3))
        >>> bool((first.get_weights()[0] == again.get_weights()[0]).all())
        True
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise SettingError(f"the seed must be an integer from 0 to 2**32 - 1, not {shown(seed)}")
    _global.seed = int(seed)
    _global.calls = 0
    _drawn.clear()
    naming.reset_names()


def use_seed(seed: int) -> None:
    """Go on with a seed, and leave alone what was drawn and named before."""
    _global.seed = seed


def global_seed() -> int:
    """Return the seed that is in force: the one that was set, or one drawn at import."""
    return _global.seed


@functools.lru_cache(maxsize=8)
def seed_key(seed: int) -> jax.Array:
    """Return the JAX key of a seed, made once."""
    return jax.random.key(seed)


def next_call() -> int:
    """Return the number of this eager call, so that each one draws fresh noise."""
    _global.calls += 1
    return _global.calls


def path_number(path: str) -> int:
    """Return a number below 2**32 that stands for a path, the same on every machine."""
    return zlib.crc32(path.encode())


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let what is drawn and named inside change nothing of what is drawn and named after it."""
    before = _drawn.copy()
    try:
        with naming.undisturbed():
            yield
    finally:
        _drawn.clear()
        _drawn.update(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let all that happens inside follow from a seed, and nothing that comes after it.

    >>> with seeded(7):
    ...     first = initial_draw("dense/kernel").random()
    >>> with seeded(7):
    ...     again = initial_draw("dense/kernel").random()
    >>> first == again
    True
    """
    before = _global.seed, _global.calls
    with undisturbed():
        set_random_seed(seed)
        try:
            yield
        finally:
            _global.seed, _global.calls = before


def initial_draw(path: str, seed: int | None = None) -> np.random.Generator:
    """Return the generator for the first values of the weight at `path`.

    NumPy draws them, not JAX: a first call then compiles nothing for them.
    """
    if seed is not None:
        return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    place = (path_number(path), _drawn[path])
    _drawn[path] += 1
    return np.random.Generator(
        np.random.Philox(np.random.SeedSequence(global_seed(), spawn_key=place))
    )


@dataclass(frozen=True)
class Noise:
    """The source of noise of one call of a model: a key from the seed, and the step of training."""

    key: jax.Array
    step: jax.Array | int

    @classmethod
    def of_seed(cls, seed: int, step: "jax.Array | int" = 0) -> "Noise":
        """Return the noise that belongs to a seed at a step."""
        return cls(jax.random.key(seed), step)

    def draw(self, path: str, count: int, seed: int | None = None) -> jax.Array:
        """Return the key of the `count`-th draw of the layer at `path`, by its own seed if set."""
        key = self.key if seed is None else jax.random.key(seed)
        for number in (path_number(path), self.step, count):
            key = jax.random.fold_in(key, number)
        return key
