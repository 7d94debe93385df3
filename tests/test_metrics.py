"""Metrics: Keras's numbers over batches, weights, the compiled step, and the rule of names."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep import losses, metrics
from everystep.core import Scope
from everystep.errors import SettingError, ShapeError
from tests.tolerances import assert_close

keras = pytest.importorskip("keras", reason="Keras is the independent source of the numbers")

BATCH, STEPS, CLASSES = 4, 7, 6
Pair = tuple[Any, Any]


def sparse(draw: np.random.Generator) -> Pair:
    scores = np.asarray(jax.nn.softmax(draw.normal(size=(BATCH, STEPS, CLASSES))), "float32")
    return draw.integers(0, CLASSES, (BATCH, STEPS)).astype("int32"), scores


def dense(draw: np.random.Generator) -> Pair:
    ids, scores = sparse(draw)
    return np.eye(CLASSES, dtype="float32")[ids], scores


def shares(draw: np.random.Generator) -> Pair:
    values = draw.uniform(0.01, 0.99, (2, BATCH, STEPS, CLASSES)).astype("float32")
    return values[0].round(), values[1]


def equal(draw: np.random.Generator) -> Pair:
    values = draw.integers(0, 3, (2, BATCH, STEPS)).astype("int32")
    return values[0], values[1]


def ranked(draw: np.random.Generator) -> Pair:
    ids, scores = sparse(draw)
    return ids, np.argsort(-scores).astype("float32")


CASES: list[tuple[str, dict[str, Any], Callable[[np.random.Generator], Pair]]] = [
    ("Accuracy", {}, equal),
    ("BinaryAccuracy", {}, shares),
    ("BinaryAccuracy", {"threshold": 0.2}, shares),
    ("CategoricalAccuracy", {}, dense),
    ("SparseCategoricalAccuracy", {}, sparse),
    ("TopKCategoricalAccuracy", {"k": 2}, dense),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, sparse),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, ranked),
    ("MeanSquaredError", {}, shares),
    ("RootMeanSquaredError", {}, shares),
    ("MeanAbsoluteError", {}, shares),
    ("MeanAbsolutePercentageError", {}, shares),
    ("MeanSquaredLogarithmicError", {}, shares),
    ("LogCoshError", {}, shares),
    ("CosineSimilarity", {}, shares),
    ("KLDivergence", {}, dense),
    ("Poisson", {}, shares),
    ("Hinge", {}, shares),
    ("SquaredHinge", {}, shares),
    ("CategoricalHinge", {}, dense),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, shares),
    ("CategoricalCrossentropy", {"from_logits": True}, dense),
    ("SparseCategoricalCrossentropy", {}, sparse),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "settings", "make"), CASES)
def test_results_over_batches_are_those_of_keras(
    name: str, settings: dict[str, Any], make: Callable[[Any], Pair], weighted: bool
) -> None:
    draw = np.random.default_rng(6)
    ours = getattr(metrics, name)(**settings)
    theirs = getattr(keras.metrics, name)(**settings)
    for _ in range(3):
        y_true, y_pred = make(draw)
        weights = draw.integers(0, 3, (BATCH, STEPS)).astype("float32") if weighted else None
        ours.update_state(y_true, y_pred, weights)
        theirs.update_state(y_true, y_pred, weights)
    assert_close(ours.result(), theirs.result())
    ours.reset_state()
    assert float(ours.result()) == 0


def test_a_class_to_ignore_does_not_count_with_or_without_weights() -> None:
    y_true, y_pred = sparse(np.random.default_rng(5))
    weights = np.random.default_rng(6).uniform(0.5, 2, y_true.shape).astype("float32")
    settings = {"ignore_class": 1}
    ours, theirs = (f.SparseCategoricalCrossentropy(**settings) for f in (metrics, keras.metrics))
    assert_close(ours(y_true[..., None], y_pred, weights), theirs(y_true, y_pred, weights))
    alone = metrics.SparseCategoricalCrossentropy(ignore_class=1)
    real = y_true != 1
    wanted = keras.metrics.SparseCategoricalCrossentropy()(y_true[real], y_pred[real])
    assert_close(alone(y_true, y_pred), wanted)


def test_every_metric_is_compared_or_has_its_own_test() -> None:
    alone = {"Mean", "Sum", "MeanMetricWrapper"}
    compared = {case[0] for case in [*CASES, *COUNTING]}
    assert compared | alone == set(metrics.CATALOGUE.classes)


def test_mean_and_sum_with_weights() -> None:
    for ours, theirs in (
        (metrics.Mean(), keras.metrics.Mean()),
        (metrics.Sum(), keras.metrics.Sum()),
    ):
        for _ in range(2):
            for weights in (None, [1.0, 0.0, 2.0]):
                values = [[1.0, 2.0], [7.0, 9.0], [4.0, 5.0]]
                ours.update_state(values, weights)
                theirs.update_state(values, weights)
        assert_close(ours.result(), theirs.result())


def test_a_long_sequence_counts_more_than_a_short_one() -> None:
    metric = metrics.Mean()
    metric.update_state(np.ones((1, 9)))
    metric.update_state(np.zeros((1, 1)))
    assert_close(metric.result(), np.float32(0.9))


def test_what_has_no_weight_does_not_count_whatever_it_is() -> None:
    y_true, y_pred = shares(np.random.default_rng(1))
    real = np.arange(STEPS) < np.array([7, 3, 1, 0])[:, None]
    broken = y_pred.copy()
    broken[~real] = np.nan
    for name in ("mae", "binary_accuracy", "root_mean_squared_error"):
        clean, dirty = metrics.get(name), metrics.get(name)
        clean.update_state(y_true, y_pred, real.astype("float32"))
        dirty.update_state(y_true, broken, real.astype("float32"))
        assert_close(dirty.result(), clean.result())
    hits = ((y_true > 0.5) == (y_pred > 0.5))[real].mean()
    metric = metrics.BinaryAccuracy()
    assert_close(metric(y_true, y_pred, real), np.float32(hits))


def test_the_compiled_step_carries_a_metric_as_values() -> None:
    """As the training step does it: values in by a scope, updates out of it, nothing kept."""
    metric, by_hand = metrics.SparseCategoricalAccuracy(), metrics.SparseCategoricalAccuracy()

    @jax.jit
    def step(values: list[Any], y_true: Any, y_pred: Any) -> list[Any]:
        given = {id(v): value for v, value in zip(metric.variables, values, strict=True)}
        with Scope(values=given).active() as scope:
            metric.update_state(y_true, y_pred)
            return [scope.value_of(variable) for variable in metric.variables]

    draw = np.random.default_rng(2)
    values = [variable.value for variable in metric.variables]
    for _ in range(3):
        y_true, y_pred = sparse(draw)
        values = step(values, y_true, y_pred)
        by_hand.update_state(y_true, y_pred)
    assert float(metric.result()) == 0
    with Scope(values={id(v): x for v, x in zip(metric.variables, values, strict=True)}).active():
        assert_close(metric.result(), by_hand.result())


RULE: list[tuple[str, tuple[Any, ...], tuple[Any, ...], str]] = [
    ("accuracy", (None, 7), (None, 7, 1), "BinaryAccuracy"),
    ("acc", (None, 7, 1), (None, 7, 1), "BinaryAccuracy"),
    ("accuracy", (None, 7), (None, 7, 5), "SparseCategoricalAccuracy"),
    ("ACC", (None, 7, 1), (None, 7, 5), "SparseCategoricalAccuracy"),
    ("accuracy", (None, 7, 5), (None, 7, 5), "CategoricalAccuracy"),
    ("crossentropy", (None, 7), (None, 7, 5), "SparseCategoricalCrossentropy"),
    ("ce", (None, 7, 5), (None, 7, 5), "CategoricalCrossentropy"),
]


@pytest.mark.parametrize(("name", "true_shape", "pred_shape", "wanted"), RULE)
def test_names_that_choose_by_shapes(
    name: str, true_shape: tuple[Any, ...], pred_shape: tuple[Any, ...], wanted: str
) -> None:
    metric = metrics.resolve(name, true_shape, pred_shape)
    assert (type(metric).__name__, metric.name) == (wanted, name)
    if "acc" in name.lower():
        from keras.src.trainers.compile_utils import get_metric

        y_true, y_pred = (np.zeros([size or 2 for size in s]) for s in (true_shape, pred_shape))
        assert type(get_metric(name, y_true, y_pred)).__name__ == wanted


def test_losses_and_functions_as_metrics() -> None:
    y_true, y_pred = sparse(np.random.default_rng(3))
    real = np.arange(STEPS) < np.array([7, 3, 1, 0])[:, None]
    loss = losses.SparseCategoricalCrossentropy(name="cost")
    metric = metrics.resolve(loss, y_true.shape, y_pred.shape)
    assert metric.name == "cost"
    assert_close(metric(y_true, y_pred, real), loss(y_true, y_pred, mask=real))

    def top(y_true: Any, y_pred: Any) -> Any:
        return jnp.max(y_pred, axis=-1)

    assert metrics.resolve(top, y_true.shape, y_pred.shape).name == "top"
    assert metrics.resolve("mse", (2, 3), (2, 3)).name == "mse"


def chances(draw: np.random.Generator) -> Pair:
    """Labels of yes and no, and chances."""
    values = draw.uniform(0.001, 0.999, (2, BATCH, STEPS)).astype("float32")
    return values[0].round(), values[1]


def pairs_of(draw: np.random.Generator) -> Pair:
    """The same for several labels, without an axis of steps, which Keras does not take here."""
    values = draw.uniform(0.001, 0.999, (2, 9, CLASSES)).astype("float32")
    return values[0].round(), values[1]


def one_hot(draw: np.random.Generator) -> Pair:
    """One label a row, and scores."""
    ids = draw.integers(0, CLASSES, 9)
    return np.eye(CLASSES, dtype="float32")[ids], draw.uniform(0, 1, (9, CLASSES)).astype("float32")


def numbered(draw: np.random.Generator) -> Pair:
    """Class numbers."""
    values = draw.integers(0, 3, (2, BATCH, STEPS)).astype("int32")
    return values[0], values[1]


def logits(draw: np.random.Generator) -> Pair:
    """The chances before the sigmoid."""
    y_true, y_pred = chances(draw)
    return y_true, np.log(y_pred / (1 - y_pred))


# Those whose sums are counts, with what suits them.
COUNTING: list[tuple[str, dict[str, Any], Callable[[np.random.Generator], Pair]]] = [
    ("TruePositives", {}, chances),
    ("TrueNegatives", {"thresholds": 0.3}, chances),
    ("FalsePositives", {"thresholds": [0.7, 0.2]}, chances),
    ("FalseNegatives", {}, chances),
    ("Precision", {}, chances),
    ("Precision", {"thresholds": [0.2, 0.8, 0.4]}, chances),
    ("Precision", {"top_k": 2}, pairs_of),
    ("Recall", {"class_id": 1}, pairs_of),
    ("Recall", {"top_k": 3, "class_id": 2}, one_hot),
    ("SensitivityAtSpecificity", {"specificity": 0.4, "num_thresholds": 7}, chances),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6}, chances),
    ("PrecisionAtRecall", {"recall": 0.7, "class_id": 1}, pairs_of),
    ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 1}, chances),
    ("AUC", {}, chances),
    ("AUC", {"num_thresholds": 9, "curve": "PR"}, chances),
    ("AUC", {"curve": "PR", "summation_method": "minoring"}, chances),
    ("AUC", {"curve": "PRGAIN", "summation_method": "majoring"}, chances),
    ("AUC", {"thresholds": [0.6, 0.1, 0.35], "from_logits": True}, logits),
    ("AUC", {"multi_label": True}, pairs_of),
    (
        "AUC",
        {"multi_label": True, "num_labels": CLASSES, "label_weights": [1, 2, 0, 1, 1, 3]},
        one_hot,
    ),
    ("AUC", {"label_weights": [1, 2, 0, 1, 1, 3], "curve": "PR"}, pairs_of),
    ("FBetaScore", {"beta": 2.0, "threshold": 0.4}, pairs_of),
    ("FBetaScore", {"average": "micro"}, one_hot),
    ("F1Score", {"average": "weighted"}, one_hot),
    ("F1Score", {"average": "macro", "threshold": 0.6}, pairs_of),
    ("R2Score", {}, pairs_of),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, pairs_of),
    ("R2Score", {"class_aggregation": None}, pairs_of),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, numbered),
    ("IoU", {"num_classes": 2, "target_class_ids": [1], "ignore_class": 0}, numbered),
    ("BinaryIoU", {"threshold": 0.3}, chances),
    ("MeanIoU", {"num_classes": 4}, numbered),
    ("OneHotIoU", {"num_classes": CLASSES, "target_class_ids": [1, 4]}, one_hot),
    ("OneHotMeanIoU", {"num_classes": CLASSES}, one_hot),
    ("PearsonCorrelation", {}, shares),
    ("ConcordanceCorrelation", {"axis": -1}, shares),
]


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "settings", "make"), COUNTING)
def test_counts_and_what_is_made_of_them_are_those_of_keras(
    name: str, settings: dict[str, Any], make: Callable[[Any], Pair], weighted: bool
) -> None:
    draw = np.random.default_rng(7)
    ours = getattr(metrics, name)(**settings)
    # Keras counts overlaps in integers, and so loses weights, unless it is told not to.
    settings = {**settings, "dtype": "float32"} if "IoU" in name else settings
    theirs = getattr(keras.metrics, name)(**settings)
    for _ in range(2):
        y_true, y_pred = make(draw)
        whole = y_true.shape if make in (chances, numbered, logits) else y_true.shape[:-1]
        # Keras counts the samples of weight 0 in the adjusted score.
        lowest = int("num_regressors" in settings)
        weights = draw.integers(lowest, 3, whole).astype("float32") if weighted else None
        ours.update_state(y_true, y_pred, weights)
        # Keras takes such weights for one a sample only where there is an axis of labels as well.
        keras_makes = {chances, logits} if "IoU" not in name else set()
        if make in keras_makes:
            y_true, y_pred = y_true[..., None], y_pred[..., None]
        theirs.update_state(y_true, y_pred, weights)
    assert_close(ours.result(), np.asarray(theirs.result()))
    assert {tuple(v.shape) for v in ours.variables} == {tuple(v.shape) for v in theirs.variables}
    assert {v.name for v in ours.variables} == {v.name for v in theirs.variables}
    written, wanted = metrics.serialize(ours), keras.metrics.serialize(theirs)
    assert written["config"].keys() >= wanted["config"].keys()
    assert type(keras.metrics.deserialize(written)) is type(theirs)
    assert type(metrics.get(wanted)) is type(ours)


@pytest.mark.parametrize(("name", "settings", "make"), COUNTING[:-2])
def test_what_has_no_weight_may_be_anything(
    name: str, settings: dict[str, Any], make: Callable[[Any], Pair]
) -> None:
    y_true, y_pred = make(np.random.default_rng(8))
    weights = (np.arange(len(y_true)) % 2).astype("float32")
    broken = y_pred.copy()
    broken[::2] = np.nan if y_pred.dtype.kind == "f" else -77
    clean, dirty = (getattr(metrics, name)(**settings) for _ in range(2))
    assert_close(dirty(y_true, broken, weights), clean(y_true, y_pred, weights))
    alone = getattr(metrics, name)(**settings)
    assert_close(alone(y_true[1::2], y_pred[1::2]), clean.result())


def test_steps_count_like_samples_in_scores_for_each_class() -> None:
    y_true, y_pred = dense(np.random.default_rng(3))
    for metric in (metrics.F1Score(), metrics.R2Score(class_aggregation=None)):
        flat = type(metric).from_config(metric.get_config())
        rows = (each.reshape(-1, CLASSES) for each in (y_true, y_pred))
        assert_close(metric(y_true, y_pred), flat(*rows))


def test_what_depends_on_the_shape_of_the_data_is_there_before_training() -> None:
    for name in ("F1Score", "R2Score"):
        metric = metrics.resolve(getattr(metrics, name)(), (None, 7, 3), (None, 7, 3))
        assert (3,) in [variable.shape for variable in metric.variables]
    assert float(metrics.F1Score().result()) == float(metrics.R2Score().result()) == 0
    with pytest.raises(SettingError, match="`num_labels` is needed only when `multi_label`"):
        metrics.AUC(num_labels=3)


def test_errors() -> None:
    y_true, y_pred = sparse(np.random.default_rng(3))
    with pytest.raises(ShapeError, match=r"metric 'sparse_categorical_accuracy'.*\(4, 6\)"):
        metrics.SparseCategoricalAccuracy()(y_true[:, :6], y_pred)
    with pytest.raises(ShapeError, match=r"sample_weight of shape \(4, 6\)"):
        metrics.SparseCategoricalAccuracy()(y_true, y_pred, np.ones((4, 6)))
    with pytest.raises(SettingError, match="did you mean 'accuracy'"):
        metrics.resolve("accuracyy", (2,), (2, 3))
    with pytest.raises(SettingError, match="a metric is needed"):
        metrics.resolve(None, (2,), (2, 3))
    for wrong in (3, ["mse"]):
        with pytest.raises(SettingError, match="must be a name or a callable"):
            metrics.resolve(wrong, (2,), (2, 3))


class Errors(metrics.Metric):
    """A metric as Keras's users write it, with another one inside."""

    def __init__(self, name: str = "errors", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.wrong = self.add_variable((), "zeros", name="wrong")
        self.start = self.add_weight((2,), "ones")
        self.inner = metrics.Mean()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the labels that were missed."""
        missed = jnp.sum(jnp.asarray(y_true) != jnp.asarray(y_pred))
        self.wrong.assign(self.wrong.value + missed)
        self.start.assign(self.start.value + 1)
        self.inner.update_state(missed)

    def result(self) -> Any:
        """Return the count."""
        return self.wrong.value


def test_a_metric_of_ones_own() -> None:
    metric = Errors()
    assert [variable.name for variable in metric.variables] == [
        "wrong",
        "variable_1",
        "total",
        "count",
    ]
    assert float(metric([1, 2, 3], [1, 5, 4])) == 2
    assert float(metric.inner.result()) == 2
    metric.reset_state()
    assert [np.asarray(v).tolist() for v in metric.variables] == [0.0, [1.0, 1.0], 0.0, 0.0]


@pytest.mark.parametrize(("name", "settings", "make"), CASES)
def test_configurations_are_interchangeable_with_keras(
    name: str, settings: dict[str, Any], make: Any
) -> None:
    ours = getattr(metrics, name)(**settings)
    theirs = getattr(keras.metrics, name)(**settings)
    written, wanted = metrics.serialize(ours), keras.metrics.serialize(theirs)
    assert written["config"].items() >= wanted["config"].items()
    assert type(keras.metrics.deserialize(written)) is type(theirs)
    assert type(metrics.get(wanted)) is type(ours)
