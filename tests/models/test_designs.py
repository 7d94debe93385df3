"""The five designs as functions; what they read and share is held to in `explanation`."""

from typing import Any

import numpy as np
import pytest

from everystep.errors import ShapeError
from everystep.layers import Dense
from everystep.models.designs import DESIGNS, Design, FoldedDense

Array = np.ndarray[Any, Any]
NAMES = [design.name for design in DESIGNS]


def by_hand(name: str, weights: list[Array], inputs: Array) -> Array:
    """Compute a design with NumPy loops over steps."""
    kernel, bias = weights
    batch, steps, _ = inputs.shape
    if name == "flattened":
        flat = np.stack([row.ravel() @ kernel + bias for row in inputs])
        return flat.reshape(batch, steps, -1)
    if name == "per step":
        each = [inputs[:, t] @ kernel[t] + bias[t] for t in range(steps)]
    else:
        each = [inputs[:, t] @ kernel + bias for t in range(steps)]
    return np.stack(each, axis=1)


@pytest.mark.parametrize("design", DESIGNS, ids=NAMES)
@pytest.mark.parametrize("steps", [1, 4])
def test_a_design_computes_what_a_loop_over_steps_computes(design: Design, steps: int) -> None:
    model = design.model(steps, 3, 5)
    draw = np.random.default_rng(1)
    model.set_weights([draw.normal(size=w.shape) for w in model.get_weights()])
    inputs = draw.normal(size=(2, steps, 3)).astype("float32")
    expected = by_hand(design.name, model.get_weights(), inputs)
    np.testing.assert_allclose(model(inputs), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "parameters"), [((4, 3, 5), [20, 20, 20, 260, 80]), ((2, 4, 3), [15, 15, 15, 54, 30])]
)
def test_parameters_follow_the_sizes(size: tuple[int, int, int], parameters: list[int]) -> None:
    assert [design.model(*size).count_params() for design in DESIGNS] == parameters


@pytest.mark.parametrize("name", ["flattened", "per step"])
def test_designs_with_a_fixed_number_of_steps_say_so(name: str) -> None:
    design = DESIGNS[NAMES.index(name)]
    with pytest.raises(ShapeError, match="steps"):
        design.model(None, 3, 5)


def test_folding_takes_rank_three_alone() -> None:
    with pytest.raises(ShapeError, match=r"batch, steps, features"):
        FoldedDense(5)(np.zeros((2, 3), "float32"))


def test_folding_is_dense_at_the_size_of_the_question() -> None:
    folded, dense = FoldedDense(5), Dense(5)
    inputs = np.random.default_rng(0).normal(size=(1000, 50, 10)).astype("float32")
    dense(inputs), folded(inputs)
    dense.set_weights(folded.get_weights())
    np.testing.assert_allclose(folded(inputs), dense(inputs), rtol=1e-5, atol=1e-5)
