"""Regularizers and constraints: the numbers of Keras, exact values, gradients that stay finite."""

from typing import Any

import jax
import numpy as np
import pytest

from everystep import constraints, regularizers
from everystep.errors import ShapeError
from tests.tolerances import assert_close

WEIGHTS = np.random.default_rng(2).normal(size=(5, 3, 4)).astype("float32") * 2
PENALTIES: list[tuple[str, dict[str, Any]]] = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.2, "l2": 0.3}),
]
PROJECTIONS: list[tuple[str, dict[str, Any]]] = [
    ("NonNeg", {}),
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.7, "axis": [0, 1]}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": 2}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 0.8, "max_value": 1.7, "rate": 0.4, "axis": 1}),
]


class TestAgainstKeras:
    keras = pytest.importorskip("keras", reason="Keras is the independent source of the numbers")

    @pytest.mark.parametrize(("name", "settings"), PENALTIES)
    def test_penalties(self, name: str, settings: dict[str, Any]) -> None:
        ours = getattr(regularizers, name)(**settings)
        theirs = getattr(self.keras.regularizers, name)(**settings)
        assert_close(ours(WEIGHTS), theirs(WEIGHTS))

    @pytest.mark.parametrize("mode", ["rows", "columns"])
    @pytest.mark.parametrize("shape", [(4, 7), (6, 2)])
    def test_orthogonal_penalty(self, mode: str, shape: tuple[int, int]) -> None:
        weights = np.random.default_rng(3).normal(size=shape).astype("float32")
        ours = regularizers.OrthogonalRegularizer(0.7, mode)
        theirs = self.keras.regularizers.OrthogonalRegularizer(0.7, mode)
        assert_close(ours(weights), theirs(self.keras.ops.convert_to_tensor(weights)))

    @pytest.mark.parametrize(("name", "settings"), PROJECTIONS)
    def test_projections(self, name: str, settings: dict[str, Any]) -> None:
        ours = getattr(constraints, name)(**settings)
        theirs = getattr(self.keras.constraints, name)(**settings)
        assert_close(ours(WEIGHTS), theirs(WEIGHTS))

    @pytest.mark.parametrize("family", [regularizers, constraints])
    def test_configurations_are_interchangeable(self, family: Any) -> None:
        theirs = getattr(self.keras, family.__name__.rpartition(".")[2])
        for name, ours in family.CATALOGUE.classes.items():
            written = family.serialize(ours())
            assert written["class_name"] == name
            again = theirs.serialize(theirs.deserialize(written))["config"]
            assert again.keys() == written["config"].keys()
            for key, value in written["config"].items():
                assert again[key] == (value if isinstance(value, str) else pytest.approx(value))


def test_known_penalties() -> None:
    weights = np.array([[1.0, -2.0], [3.0, 0.0]], "float32")
    assert float(regularizers.L1(0.5)(weights)) == 3.0
    assert float(regularizers.L2(0.5)(weights)) == 7.0
    assert float(regularizers.OrthogonalRegularizer(1.0)(np.eye(3, dtype="float32"))) == 0.0


def test_an_orthogonal_penalty_of_a_row_of_zeros_has_a_gradient() -> None:
    weights = np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 1.0]], "float32")
    gradient = jax.grad(regularizers.OrthogonalRegularizer())(weights)
    assert np.isfinite(gradient).all()
    with pytest.raises(ShapeError, match="rank 2"):
        regularizers.OrthogonalRegularizer()(WEIGHTS)


def test_names_of_both_kinds() -> None:
    assert isinstance(regularizers.get("l1_l2"), regularizers.L1L2)
    assert isinstance(regularizers.get("L2"), regularizers.L2)
    assert isinstance(constraints.get("max_norm"), constraints.MaxNorm)
    assert regularizers.get(None) is None
    assert constraints.get(None) is None
