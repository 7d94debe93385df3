"""Losses: Keras's numbers, sums over real steps only, no leak from padding, and clear errors."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep import losses
from everystep.errors import DataError, SettingError, ShapeError
from tests.tolerances import GRADIENTS, assert_close

keras = pytest.importorskip("keras", reason="Keras is the independent source of the numbers")

BATCH, STEPS, CLASSES = 4, 7, 5
DRAW = np.random.default_rng(8)
LOGITS = DRAW.normal(size=(BATCH, STEPS, CLASSES)).astype("float32") * 3
PROBABILITIES = np.array(jax.nn.softmax(LOGITS))
IDS = DRAW.integers(0, CLASSES, (BATCH, STEPS)).astype("int32")
ONE_HOT = np.eye(CLASSES, dtype="float32")[IDS]
YES_NO = DRAW.integers(0, 2, LOGITS.shape).astype("float32")
SHARES = DRAW.uniform(0.01, 0.99, LOGITS.shape).astype("float32")
REALS = DRAW.normal(size=LOGITS.shape).astype("float32")
MASK = np.arange(STEPS) < np.array([7, 3, 1, 0])[:, None]
WEIGHTS = DRAW.uniform(0.5, 2, (BATCH, STEPS)).astype("float32")
VALUE_NAMES = (
    "MeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "Huber",
    "LogCosh",
    "CosineSimilarity",
)
# Every loss with labels and predictions that suit it, and settings other than the default.
CASES: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("SparseCategoricalCrossentropy", {}, IDS, PROBABILITIES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, IDS, LOGITS),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, IDS[..., None], LOGITS),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}, IDS, LOGITS),
    ("SparseCategoricalCrossentropy", {"ignore_class": 0}, IDS, PROBABILITIES),
    ("CategoricalCrossentropy", {}, ONE_HOT, PROBABILITIES),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, ONE_HOT, LOGITS),
    ("BinaryCrossentropy", {}, YES_NO, SHARES),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, YES_NO, LOGITS),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 3.0}, YES_NO, SHARES),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, YES_NO, LOGITS),
    ("CategoricalFocalCrossentropy", {"alpha": [1, 2, 0.5, 1, 3]}, ONE_HOT, PROBABILITIES),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "gamma": 1.0}, ONE_HOT, LOGITS),
    *[(name, {}, SHARES, REALS) for name in VALUE_NAMES],
    ("Huber", {"delta": 0.3}, SHARES, REALS),
    ("CosineSimilarity", {"axis": 1}, SHARES, REALS),
    ("KLDivergence", {}, PROBABILITIES[::-1], PROBABILITIES),
    ("Poisson", {}, SHARES * 9, SHARES),
    ("Hinge", {}, YES_NO, REALS),
    ("Hinge", {}, 2 * YES_NO - 1, REALS),
    ("SquaredHinge", {}, YES_NO, REALS),
    ("CategoricalHinge", {}, ONE_HOT, REALS),
]
PER_STEP = [case for case in CASES if case[1] != {"axis": 1}]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]


def pair(name: str, settings: dict[str, Any]) -> tuple[Any, Any]:
    return getattr(losses, name)(**settings), getattr(keras.losses, name)(**settings)


@pytest.mark.parametrize(("name", "settings", "y_true", "y_pred"), CASES)
def test_values_and_gradients_are_those_of_keras(
    name: str, settings: dict[str, Any], y_true: Any, y_pred: Any
) -> None:
    ours, theirs = pair(name, settings)
    assert_close(ours(y_true, y_pred), theirs(y_true, y_pred))
    found, wanted = (jax.grad(lambda p, f=f: f(y_true, p))(y_pred) for f in (ours, theirs))
    assert_close(found, wanted, GRADIENTS)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "settings", "y_true", "y_pred"), PER_STEP[1:9:3])
def test_every_reduction_is_that_of_keras(
    reduction: str | None, name: str, settings: dict[str, Any], y_true: Any, y_pred: Any
) -> None:
    ours, theirs = pair(name, {**settings, "reduction": reduction})
    for weights in (None, WEIGHTS, WEIGHTS[..., None]):
        assert_close(ours(y_true, y_pred, weights), theirs(y_true, y_pred, weights))
    keras_predictions = keras.ops.convert_to_tensor(y_pred)
    keras.src.backend.set_keras_mask(keras_predictions, jnp.asarray(MASK))
    for weights in (None, WEIGHTS):
        found = ours(y_true, y_pred, weights, mask=MASK)
        assert_close(found, theirs(y_true, keras_predictions, weights))


@pytest.mark.parametrize(("name", "settings", "y_true", "y_pred"), PER_STEP)
@pytest.mark.parametrize("by", ["mask", "weights"])
def test_padding_reaches_neither_value_nor_gradient(
    name: str, settings: dict[str, Any], y_true: Any, y_pred: Any, by: str
) -> None:
    loss = pair(name, settings)[0]
    rubbish = np.nan if y_true.dtype.kind == "f" else -77
    labels, predictions = y_true.copy(), y_pred.copy()
    predictions[~MASK] = np.nan
    if by == "mask" or "ignore_class" not in settings:  # A label of weight 0 may still count.
        labels[~MASK] = rubbish
    given = {"mask": MASK} if by == "mask" else {"sample_weight": MASK.astype("float32")}
    clean, dirty = (
        jax.value_and_grad(lambda p, y=y: loss(y, p, **given))(jnp.asarray(p))
        for y, p in ((y_true, y_pred), (labels, predictions))
    )
    assert_close(dirty[0], clean[0])
    assert_close(dirty[1], clean[1], GRADIENTS)
    assert not np.asarray(dirty[1])[~MASK].any()


def test_the_mean_is_over_real_steps_and_weights_do_not_enter_its_denominator() -> None:
    loss = losses.MeanAbsoluteError()
    y_true, y_pred = np.zeros((2, 3, 1)), np.array([[[1.0], [2], [50]], [[4], [50], [50]]])
    mask, weights = np.array([[1, 1, 0], [1, 0, 0]], bool), np.array([[1.0, 0.5, 9], [2, 9, 9]])
    assert_close(loss(y_true, y_pred, mask=mask), np.float32(7 / 3))
    assert_close(loss(y_true, y_pred, weights, mask), np.float32((1 + 1 + 8) / 3))
    by_weight = losses.MeanAbsoluteError(reduction="mean_with_sample_weight")
    assert_close(by_weight(y_true, y_pred, weights, mask), np.float32(10 / 3.5))


@pytest.mark.parametrize(("name", "settings", "y_true", "y_pred"), PER_STEP)
def test_a_batch_without_any_real_step_costs_nothing(
    name: str, settings: dict[str, Any], y_true: Any, y_pred: Any
) -> None:
    loss = pair(name, settings)[0]
    value, gradient = jax.value_and_grad(lambda p: loss(y_true, p, mask=np.zeros_like(MASK)))(
        jnp.asarray(y_pred)
    )
    assert float(value) == 0
    assert not np.asarray(gradient).any()


def test_weights_that_sum_to_zero_cost_nothing() -> None:
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    cancelling = np.array([1.0, -1.0, 2.0, -2.0], "float32")
    for weights in (cancelling, 0 * cancelling):
        value, gradient = jax.value_and_grad(lambda p, w=weights: loss(SHARES, p, w))(REALS)
        assert float(value) == 0
        assert not np.asarray(gradient).any()


def test_a_weight_a_sample_counts_for_all_its_steps() -> None:
    loss, per_sample = losses.MeanSquaredError(), WEIGHTS[:, 0]
    spread = np.repeat(per_sample[:, None], STEPS, axis=1)
    assert_close(loss(SHARES, REALS, per_sample, MASK), loss(SHARES, REALS, spread, MASK))


def test_one_number_a_step_needs_no_axis_of_its_own() -> None:
    loss = losses.MeanSquaredError(reduction=None)
    wanted = (SHARES[..., 0] - REALS[..., 0]) ** 2 * MASK
    flat, column = REALS[..., 0], REALS[..., :1]
    assert_close(loss(SHARES[..., 0], column, mask=MASK), wanted)
    assert_close(loss(SHARES[..., :1], flat, mask=MASK), wanted)
    assert_close(loss(SHARES[..., 0], flat, mask=MASK), wanted)


@pytest.mark.parametrize("axis", [1, 2])
def test_classes_on_another_axis(axis: int) -> None:
    logits, one_hot = np.moveaxis(LOGITS, -1, axis), np.moveaxis(ONE_HOT, -1, axis)
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True, axis=axis)
    dense = losses.CategoricalCrossentropy(from_logits=True, axis=axis)
    plain = losses.SparseCategoricalCrossentropy(from_logits=True)
    for mask in (None, MASK):
        assert_close(sparse(IDS, logits, mask=mask), plain(IDS, LOGITS, mask=mask))
        assert_close(dense(one_hot, logits, mask=mask), plain(IDS, LOGITS, mask=mask))


def test_large_logits_lose_nothing() -> None:
    logits = np.array([[3e4, 3e4 + 1.5, 3e4 - 2]], "float32")
    wanted = np.log(np.exp([0, 1.5, -2]).sum())
    found = losses.sparse_categorical_crossentropy(np.array([0]), logits, from_logits=True)
    assert_close(found, np.array([wanted], "float32"))


def test_predictions_of_half_precision_are_summed_in_single() -> None:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    assert loss(IDS, jnp.asarray(LOGITS, jnp.bfloat16)).dtype == jnp.float32
    assert losses.MeanSquaredError(dtype="float16")(SHARES, REALS).dtype == jnp.float16


SHAPES: list[tuple[Any, tuple[int, ...], tuple[int, ...], str]] = [
    (losses.MeanSquaredError(), (4, 7, 3), (4, 7, 1), r"\(4, 7, 3\).*\(4, 7, 1\)"),
    (losses.MeanSquaredError(), (7, 4), (4, 7), r"\(7, 4\).*\(4, 7\)"),
    (losses.BinaryCrossentropy(), (4, 7), (4, 7, 2), r"\(4, 7\).*\(4, 7, 2\)"),
    (losses.CategoricalCrossentropy(), (4, 7), (4, 7, 5), r"\(4, 7\).*\(4, 7, 5\)"),
    (losses.SparseCategoricalCrossentropy(), (4, 6), (4, 7, 5), r"\(4, 7\).*\(4, 6\)"),
    (losses.SparseCategoricalCrossentropy(), (4, 7, 5), (4, 7, 5), "one-hot.*'sparse'"),
]


@pytest.mark.parametrize(("loss", "true_shape", "pred_shape", "words"), SHAPES)
def test_shapes_that_do_not_fit(
    loss: Any, true_shape: tuple[int, ...], pred_shape: tuple[int, ...], words: str
) -> None:
    y_true, y_pred = np.zeros(true_shape, "int32"), np.full(pred_shape, 0.3, "float32")
    for run in (loss, jax.jit(loss)):
        with pytest.raises(ShapeError, match=words):
            run(y_true, y_pred)


def test_weights_and_masks_that_do_not_fit() -> None:
    loss = losses.MeanSquaredError()
    with pytest.raises(ShapeError, match=r"sample_weight of shape \(4, 6\)"):
        loss(SHARES, REALS, WEIGHTS[:, :6])
    with pytest.raises(ShapeError, match=r"mask of shape \(4, 6\)"):
        loss(SHARES, REALS, mask=MASK[:, :6])


def test_a_class_number_that_does_not_exist() -> None:
    loss = losses.SparseCategoricalCrossentropy()
    for bad in (-1, CLASSES):
        ids = IDS.copy()
        ids[1, 2] = bad
        with pytest.raises(DataError, match="from 0 to 4"):
            loss(ids, PROBABILITIES)
        with pytest.raises(DataError, match="from 0 to 4"):
            loss.check_labels(ids, CLASSES)
        assert np.isnan(jax.jit(loss)(ids, PROBABILITIES))
        ignoring = losses.SparseCategoricalCrossentropy(ignore_class=bad)
        ignoring.check_labels(ids, CLASSES)
        assert np.isfinite(ignoring(ids, PROBABILITIES))


class Cubic(losses.Loss):
    """A loss as Keras's users write it."""

    def __init__(self, scale: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value a step."""
        return self.scale * jnp.mean(jnp.abs(y_true - y_pred) ** 3, axis=-1)


def test_a_loss_of_ones_own() -> None:
    loss = Cubic(scale=3.0, reduction="sum")
    steps = 3 * (np.abs(SHARES - REALS) ** 3).mean(-1)
    assert_close(loss(SHARES, REALS, mask=MASK), np.float32((steps * MASK).sum()))
    again = Cubic.from_config(loss.get_config())
    assert (again.scale, again.reduction, again.name) == (3.0, "sum", loss.name)


def test_names_and_functions() -> None:
    assert losses.get("mse") is losses.mean_squared_error
    assert losses.get("MSE") is losses.mean_squared_error
    named = losses.resolve("mse")
    assert isinstance(named, losses.MeanSquaredError)
    assert named.name == "mse"
    assert losses.resolve(losses.huber).name == "huber"

    def worst(y_true: Any, y_pred: Any) -> Any:
        return jnp.max(jnp.abs(y_true - y_pred), axis=-1)

    own = losses.resolve(worst)
    assert own.name == "worst"
    assert_close(own(SHARES, REALS), np.abs(SHARES - REALS).max(-1).mean())
    with pytest.raises(SettingError, match="did you mean 'mean_squared_error'"):
        losses.resolve("mean_squared_eror")
    with pytest.raises(SettingError, match="a loss is needed"):
        losses.resolve(None)
    for wrong in (3, ["mse"]):
        with pytest.raises(SettingError, match="must be a name or a callable"):
            losses.resolve(wrong)


@pytest.mark.parametrize(
    ("true_shape", "pred_shape", "name"),
    [
        ((None, 7), (None, 7, 17), "SparseCategoricalCrossentropy"),
        ((None, 7, 1), (None, 7, 17), "SparseCategoricalCrossentropy"),
        ((None, 7, 17), (None, 7, 17), "CategoricalCrossentropy"),
        ((None, 7), (None, 7, 1), "BinaryCrossentropy"),
    ],
)
def test_crossentropy_by_shapes(true_shape: Any, pred_shape: Any, name: str) -> None:
    assert type(losses.resolve("crossentropy", true_shape, pred_shape)).__name__ == name


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES}))
def test_configurations_are_interchangeable_with_keras(name: str) -> None:
    ours, theirs = pair(name, {"reduction": "sum"})
    written = losses.serialize(ours)
    assert written["config"].items() >= keras.losses.serialize(theirs)["config"].items()
    assert type(keras.losses.deserialize(written)) is type(theirs)
    assert type(losses.get(keras.losses.serialize(theirs))) is type(ours)


def test_functions_are_written_as_keras_writes_them() -> None:
    written = losses.serialize(losses.mean_squared_error)
    assert written == keras.losses.serialize(keras.losses.mean_squared_error)
    assert losses.get(written) is losses.mean_squared_error
