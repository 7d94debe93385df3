"""Labels, predictions and weights that cannot be compared are refused by name, by every measure."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import everystep as es
from everystep import layers, losses, metrics
from everystep.errors import DataError, EverystepError, ShapeError
from everystep.losses import Loss
from everystep.metrics import Metric

BATCH, STEPS, CLASSES = 2, 3, 4
DRAW = np.random.default_rng(3)
SHARES = np.array(jax.nn.softmax(DRAW.normal(size=(BATCH, STEPS, CLASSES)).astype("float32")))
IDS = DRAW.integers(0, CLASSES, (BATCH, STEPS)).astype("int32")
SETTINGS = {
    "num_classes": CLASSES,
    "target_class_ids": [0],
    **dict.fromkeys(("recall", "precision", "sensitivity", "specificity"), 0.5),
}
# Of a function of one's own nothing is known; the others take no labels.
ABSTRACT = {"Loss", "Metric", "FunctionLoss", "CRFLoss", "MeanMetricWrapper", "Sum", "Mean"}


def of_kind(module: Any, base: type) -> Iterator[Any]:
    for name in module.__all__:
        cls = getattr(module, name)
        if isinstance(cls, type) and issubclass(cls, base) and name not in ABSTRACT:
            yield pytest.param(cls, id=f"{module.__name__.rpartition('.')[2]}.{name}")


MEASURES = [*of_kind(losses, Loss), *of_kind(metrics, Metric)]
# Of labels, and of predictions.
NO_ARRAYS: dict[str, Callable[[Any], Any]] = {
    "strings": lambda y: y.astype(str),
    "objects": lambda y: y.astype(object),
    "None": lambda y: None,
    "complex": lambda y: y.astype("complex64"),
    "dates": lambda y: np.zeros(y.shape, "M8[s]"),
    "a masked array": lambda y: np.ma.masked_array(y, np.zeros(y.shape, bool)),
    "over 32 bits": lambda y: y.astype("int64") + 2**32,
    "rows of different lengths": lambda y: [[1, 2], [1]],
    "fewer steps": lambda y: y[:, :2],
    "one row for all": lambda y: y[:1],
}
NO_WEIGHTS: dict[str, Any] = {
    "strings": np.array(["a", "b"]),
    "objects": np.array([None, None]),
    "complex": np.ones((BATCH, STEPS), "complex64"),
    "more steps": np.ones((BATCH, STEPS + 1)),
    "classes of their own": np.ones((BATCH, STEPS, CLASSES + 1)),
}


def labels_for(cls: Any) -> Any:
    return IDS if "Sparse" in cls.__name__ else np.eye(CLASSES, dtype="float32")[IDS]


def made(cls: Any) -> Any:
    return cls(**{name: SETTINGS[name] for name in cls.settings if name in SETTINGS})


def refusal(measure: Any, *given: Any, **weights: Any) -> str:
    """What is said of bad input, or what was wrongly done with it."""
    try:
        result = measure(*given, **weights)
    except EverystepError as error:
        return "" if f"'{measure.name}'" in str(error) else f"without a name: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return f"gave {result}"


@pytest.mark.parametrize("cls", MEASURES)
def test_what_cannot_be_compared_is_refused_by_name(cls: Any) -> None:
    measure, labels = made(cls), labels_for(cls)
    found = {f"labels: {k}": refusal(measure, f(labels), SHARES) for k, f in NO_ARRAYS.items()}
    found |= {
        f"predictions: {k}": refusal(measure, labels, f(SHARES)) for k, f in NO_ARRAYS.items()
    }
    for kind, weights in NO_WEIGHTS.items():
        found[f"weights: {kind}"] = refusal(measure, labels, SHARES, sample_weight=weights)
    assert not {kind: words for kind, words in found.items() if words}


@pytest.mark.parametrize("cls", MEASURES)
def test_nothing_to_compare_is_defined(cls: Any) -> None:
    labels = labels_for(cls)
    nothing = [(labels[:0], SHARES[:0], None), (labels[:, :0], SHARES[:, :0], None)]
    for *pair, weights in [*nothing, (labels, SHARES, np.zeros((BATCH, STEPS), "float32"))]:
        assert np.isfinite(made(cls)(*pair, sample_weight=weights)).all()


CLASS_NUMBERS = {
    "too large": np.array([[0, 1, CLASSES], [0, 1, 2]]),
    "negative": np.array([[0, 1, -1], [0, 1, 2]]),
    "between two": np.array([[0, 1, 1.5], [0, 1, 2]]),
    "not a number": np.array([[0, 1, np.nan], [0, 1, 2]]),
    "infinite": np.array([[0, 1, np.inf], [0, 1, 2]]),
}


@pytest.mark.parametrize("kind", CLASS_NUMBERS)
def test_a_class_that_does_not_exist_is_refused_wherever_it_is_known(kind: str) -> None:
    labels, loss = CLASS_NUMBERS[kind], losses.SparseCategoricalCrossentropy()
    by_hand = losses.sparse_categorical_crossentropy
    measures: list[Any] = [loss, by_hand, metrics.SparseCategoricalCrossentropy()]
    for measure in measures:
        with pytest.raises(DataError, match=f"from 0 to {CLASSES - 1}"):
            measure(labels, SHARES)
    # Where it is not known, the loss says that it is none.
    assert np.isnan(jax.jit(loss)(labels.astype("float32"), SHARES))
    mask = jnp.array([[True, True, False], [True, True, True]])
    assert np.isfinite(loss(labels, SHARES, mask=mask))
    model = es.Sequential([layers.Input((STEPS, 2)), layers.Dense(CLASSES)])
    model.compile("sgd", loss)
    x = np.zeros((BATCH, STEPS, 2), "float32")
    for method in (model.fit, model.evaluate):
        with pytest.raises(DataError, match=f"from 0 to {CLASSES - 1}"):
            method(x, labels, verbose=0)


@pytest.mark.parametrize("dtype", ["float32", ">f8", ">i4", "int64", "uint8"])
def test_class_numbers_may_be_of_any_type(dtype: str) -> None:
    for measure in (losses.SparseCategoricalCrossentropy(), metrics.MeanIoU(CLASSES)):
        predictions = SHARES if isinstance(measure, Loss) else IDS[::-1].astype(">i2")
        wanted = measure(IDS, np.asarray(predictions, predictions.dtype.newbyteorder("=")))
        np.testing.assert_array_equal(measure(IDS.astype(dtype), predictions), wanted)


def test_predictions_of_no_classes_are_refused() -> None:
    for measure in (losses.MeanSquaredError(), metrics.CategoricalAccuracy()):
        with pytest.raises(ShapeError, match=rf"'{measure.name}'.*no value on the last axis"):
            measure(SHARES[..., :0], SHARES[..., :0])
