"""Random arrays: Keras's numbers for a seed, and repeatable ones without."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import everystep as es
from everystep.errors import SettingError, StateError
from tests.tolerances import assert_close

keras = pytest.importorskip("keras", reason="Keras is the independent source of the numbers")

SHAPE = (3, 4)
LOGITS = np.random.default_rng(2).normal(size=(3, 5)).astype("float32")
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("normal", (SHAPE,), {"mean": 2.0, "stddev": 0.5}),
    ("truncated_normal", (SHAPE,), {"stddev": 3.0}),
    ("uniform", (SHAPE, -2.0, 3.0), {"dtype": "float16"}),
    ("randint", (SHAPE, 2, 9), {}),
    ("categorical", (LOGITS, 6), {}),
    ("dropout", (LOGITS, 0.4), {}),
    ("dropout", (LOGITS, 0.4), {"noise_shape": (None, 1)}),
    ("dropout", (LOGITS, 1.0), {}),
    ("shuffle", (LOGITS,), {"axis": 1}),
    ("gamma", (SHAPE, 1.5), {}),
    ("binomial", (SHAPE, 7.0, 0.3), {}),
    ("beta", (SHAPE, 1.5, 0.5), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS)
def test_the_numbers_for_a_seed_are_those_of_keras(name: str, args: Any, kwargs: Any) -> None:
    ours, theirs = getattr(es.random, name), getattr(keras.random, name)
    args = [keras.ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    assert_close(ours(*args, **kwargs, seed=5), theirs(*args, **kwargs, seed=5))
    here, there = es.random.SeedGenerator(6), keras.random.SeedGenerator(6)
    for _ in range(2):
        assert_close(ours(*args, **kwargs, seed=here), theirs(*args, **kwargs, seed=there))
    assert np.asarray(here.state).tolist() == np.asarray(there.state).tolist()


def test_without_a_seed_the_program_repeats_and_each_call_differs() -> None:
    runs = []
    for _ in range(2):
        es.utils.set_random_seed(4)
        generator = es.random.SeedGenerator()
        drawn = [es.random.normal(SHAPE), es.random.normal(SHAPE), es.random.normal(SHAPE)]
        runs.append(np.stack([*drawn, es.random.normal(SHAPE, seed=generator)]))
    assert_close(runs[0], runs[1])
    assert len({float(values[0, 0]) for values in runs[0]}) == 4


class Noisy(es.layers.Layer):
    """Draws from its own generator, and from the run's noise."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seeds = es.random.SeedGenerator(1)

    def call(self, inputs: Any) -> Any:
        """Return two draws."""
        own = es.random.normal(inputs.shape, seed=self.seeds)
        return jnp.stack([own, es.random.normal(inputs.shape)])


def test_a_layers_generator_is_part_of_the_runs_state() -> None:
    layer = Noisy(name="noisy")
    first = np.asarray(layer(np.zeros(3, "float32")))
    state = es.weights_of(layer)
    assert [path.split("/")[-1] for path in state] == ["seed_generator_state"]
    assert (layer.weights, layer.non_trainable_weights) == ([], [])
    assert len(layer.non_trainable_variables) == 1

    @jax.jit
    def run(state: Any) -> Any:
        return es.apply(layer, state, jnp.zeros(3), key=jax.random.key(0))

    second, after = run(state)
    third, _ = run({**state, **after})
    assert not np.allclose(second[0], first[0])
    assert not np.allclose(second[0], third[0])
    assert_close(second[1], third[1])
    assert int(next(iter(after.values()))[1]) == 2


def test_errors() -> None:
    with pytest.raises(SettingError, match="must be either an integer or an instance"):
        es.random.normal((2,), seed="one")
    with pytest.raises(SettingError, match="Argument `seed` must be an integer"):
        es.random.SeedGenerator(1.5)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="requires a floating point dtype"):
        es.random.uniform((2,), dtype="int32")
    with pytest.raises(SettingError, match="requires an integer dtype"):
        es.random.randint((2,), 0, 3, dtype="float32")
    with pytest.raises(StateError, match="constant of the compiled program"):
        jax.jit(lambda: es.random.normal((2,)))()
    generator = es.random.SeedGenerator(1)
    with pytest.raises(StateError, match="changed inside a JAX transformation"):
        jax.jit(lambda: es.random.normal((2,), seed=generator))()
