"""Initializers: the distributions of the papers, the shapes of Keras, seeds and configurations."""

import math
from typing import Any

import numpy as np
import pytest

from everystep import initializers
from everystep.core.randomness import set_random_seed
from everystep.errors import SettingError, ShapeError
from tests.tolerances import assert_close

SHAPE = (120, 70)
FAN_IN, FAN_OUT = SHAPE
TRUNCATED = 2 / 0.87962566103423978
# The variance and the largest value that each paper gives, for a kernel (inputs, outputs).
CASES: list[tuple[Any, float, float]] = [
    (initializers.GlorotUniform(), 2 / 190, math.sqrt(6 / 190)),
    (initializers.GlorotNormal(), 2 / 190, TRUNCATED * math.sqrt(2 / 190)),
    (initializers.HeUniform(), 2 / 120, math.sqrt(6 / 120)),
    (initializers.HeNormal(), 2 / 120, TRUNCATED * math.sqrt(2 / 120)),
    (initializers.LecunUniform(), 1 / 120, math.sqrt(3 / 120)),
    (initializers.LecunNormal(), 1 / 120, TRUNCATED * math.sqrt(1 / 120)),
    (initializers.RandomNormal(stddev=0.3), 0.09, math.inf),
    (initializers.RandomUniform(-0.2, 0.2), 0.04 / 3, 0.2),
    (initializers.TruncatedNormal(stddev=0.1), (0.1 / TRUNCATED * 2) ** 2, 0.2),
    (initializers.VarianceScaling(3.0, "fan_out", "uniform"), 3 / 70, 3 / math.sqrt(70)),
    (initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal"), 3 / 70, math.inf),
]


@pytest.mark.parametrize(("initializer", "variance", "limit"), CASES)
def test_mean_variance_and_range(initializer: Any, variance: float, limit: float) -> None:
    values = initializer.sample(np.random.default_rng(5), SHAPE)
    count = values.size
    assert values.shape == SHAPE
    # Five standard errors of the mean, and of the variance of the widest of these distributions.
    assert abs(values.mean()) < 5 * math.sqrt(variance / count)
    assert abs(values.var() / variance - 1) < 5 * math.sqrt(2 / count)
    assert np.abs(values).max() <= limit
    if limit < math.inf:
        assert np.abs(values).max() > 0.97 * limit


@pytest.mark.parametrize("shape", [(6, 24), (24, 6), (5, 5), (2, 3, 4), (1, 7), (7, 1)])
def test_orthogonal_matrices_keep_lengths(shape: tuple[int, ...]) -> None:
    matrix = initializers.Orthogonal(gain=2.0).sample(np.random.default_rng(1), shape)
    matrix = matrix.reshape(-1, shape[-1]) / 2
    rows, columns = matrix.shape
    product = matrix @ matrix.T if rows < columns else matrix.T @ matrix
    assert_close(product, np.eye(min(rows, columns)))


def test_orthogonal_matrices_do_not_prefer_a_side() -> None:
    """Without the sign fix the diagonal of the triangular factor has one sign."""
    draws = [initializers.Orthogonal().sample(np.random.default_rng(n), (3, 3)) for n in range(300)]
    assert np.abs(np.mean(draws, axis=0)).max() < 5 / math.sqrt(3 * 300)


def test_constants() -> None:
    draw = np.random.default_rng(0)
    assert_close(initializers.Zeros().sample(draw, (2, 3)), np.zeros((2, 3)))
    assert_close(initializers.Ones().sample(draw, (2, 3)), np.ones((2, 3)))
    assert_close(initializers.Constant([1.0, 2.0, 3.0]).sample(draw, (2, 3))[1], [1.0, 2.0, 3.0])
    assert_close(initializers.Identity(3.0).sample(draw, (2, 4)), 3 * np.eye(2, 4))


def test_shapes_that_cannot_be_filled() -> None:
    for initializer, shape in (
        (initializers.Identity(), (2, 2, 2)),
        (initializers.Orthogonal(), (3,)),
        (initializers.Constant([1.0, 2.0]), (2, 3)),
    ):
        with pytest.raises(ShapeError, match=type(initializer).__name__):
            initializer(shape)


def test_seeds_repeat_and_paths_differ() -> None:
    seeded = initializers.HeNormal(seed=4)
    assert_close(seeded((3, 4)), seeded((3, 4)))
    assert_close(seeded.values("a/kernel", (3, 4)), seeded.values("b/kernel", (3, 4)))
    free = initializers.HeNormal()
    set_random_seed(11)
    first, other = free.values("a/kernel", (3, 4)), free.values("b/kernel", (3, 4))
    assert np.abs(first - other).max() > 1e-3
    assert np.abs(first - free.values("a/kernel", (3, 4))).max() > 1e-3
    set_random_seed(11)
    assert_close(free.values("a/kernel", (3, 4)), first)


def test_names_classes_configurations_and_functions() -> None:
    for name in ("glorot_uniform", "GlorotUniform"):
        assert isinstance(initializers.get(name), initializers.GlorotUniform)
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)
    assert isinstance(initializers.get("uniform"), initializers.RandomUniform)

    def threes(shape: Any, dtype: Any = None) -> Any:
        return np.full(shape, 3, dtype)

    kept = initializers.INITIALIZER.parse(threes)
    assert_close(kept.values("x", (2,)), np.array([3.0, 3.0], "float32"))
    with pytest.raises(SettingError, match="threes"):
        initializers.INITIALIZER.to_config(kept)
    with pytest.raises(SettingError, match="did you mean 'he_normal'"):
        initializers.get("he_norml")


class Sevens(initializers.Initializer):
    """An initializer as Keras's users write it."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return sevens."""
        return np.full(shape, 7.0, dtype)


def test_an_initializer_of_ones_own_needs_only_call() -> None:
    assert_close(initializers.get(Sevens()).values("x", (2,)), np.array([7.0, 7.0]))


class TestAgainstKeras:
    keras = pytest.importorskip("keras", reason="Keras is the independent source")

    @pytest.mark.parametrize("name", sorted(initializers.CATALOGUE.classes))
    def test_configurations_are_interchangeable(self, name: str) -> None:
        theirs = getattr(self.keras.initializers, name)()
        ours = initializers.CATALOGUE.find(name)()
        wanted = self.keras.initializers.serialize(theirs)
        # Keras forgets the gain of Identity; ours is written, and Keras reads it.
        written = initializers.serialize(ours)
        if name != "Identity":
            assert written == wanted
        again = self.keras.initializers.deserialize(written)
        assert type(again) is type(theirs)
        assert initializers.serialize(initializers.get(wanted)) == written

    @pytest.mark.parametrize(
        "shape", [(), (7,), (3, 5), (2, 3, 5), (4, 2, 3, 5)], ids=lambda shape: str(len(shape))
    )
    def test_fans_are_those_of_keras(self, shape: tuple[int, ...]) -> None:
        from keras.src.initializers.random_initializers import compute_fans

        assert initializers.fans(shape) == compute_fans(shape)
        if len(shape) > 2:
            assert initializers.fans(shape, (0,), (1, 2)) == compute_fans(shape, (0,), (1, 2))

    def test_orthogonal_of_a_recurrent_kernel_as_keras_shapes_it(self) -> None:
        theirs = np.asarray(self.keras.initializers.Orthogonal(seed=1)((6, 24)))
        ours = np.asarray(initializers.Orthogonal(seed=1)((6, 24)))
        assert_close(ours @ ours.T, theirs @ theirs.T)
