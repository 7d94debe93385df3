"""Callbacks decide as Keras's do on the same measures, and refuse what Keras only warns of."""

import inspect
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import keras
import numpy as np
import pytest
from hypothesis import given, settings

import everystep as es
from everystep.callbacks import (
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from everystep.callbacks.base import HOOKS
from everystep.callbacks.calling import BatchLogs
from everystep.callbacks.monitoring import direction_of
from everystep.errors import DataError, EverystepError, FormatError, SettingError

callbacks = keras.callbacks


class FakeModel:
    """What callbacks use of a model; its one weight is the number of the epoch."""

    def __init__(self, rate: float = 0.5) -> None:
        self.stop_training = False
        self.weights = [np.array(-1)]
        self.optimizer = SimpleNamespace(learning_rate=rate)
        self.saved: list[tuple[str, str]] = []

    def get_weights(self) -> list[Any]:
        return list(self.weights)

    def set_weights(self, weights: list[Any]) -> None:
        self.weights = weights

    def save(self, path: Any, overwrite: bool = False) -> None:
        self.saved.append(("model", str(Path(path).with_suffix(""))))

    def save_weights(self, path: Any, overwrite: bool = False) -> None:
        self.saved.append(("weights", str(Path(path).with_suffix("")).removesuffix(".weights")))


def run(callback: Any, epochs: Iterable[dict[str, float]], batches: int = 3) -> FakeModel:
    """Call the hooks as fit does, with these measures after each epoch."""
    model = FakeModel()
    callback.set_model(model)
    callback.set_params({"epochs": 99, "steps": batches})
    callback.on_train_begin()
    for epoch, logs in enumerate(epochs):
        callback.on_epoch_begin(epoch)
        for batch in range(batches):
            callback.on_train_batch_begin(batch)
            callback.on_train_batch_end(batch, {"loss": logs.get("loss", 0.0) + batch})
        model.weights = [np.array(epoch)]
        callback.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    callback.on_train_end()
    return model


def losses(values: Iterable[float], name: str = "val_loss") -> list[dict[str, float]]:
    return [{name: value} for value in values]


# Few values, so that ties and plateaus happen.
VALUES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 2.0]), min_size=1, max_size=12)
MODES = st.sampled_from([("val_loss", "auto"), ("val_loss", "min"), ("score", "max")])


@settings(max_examples=150, deadline=None)
@given(
    values=VALUES,
    monitored=MODES,
    min_delta=st.sampled_from([0.0, 0.25, -0.3]),
    patience=st.integers(0, 3),
    baseline=st.sampled_from([None, 0.5, 1.0]),
    restore=st.booleans(),
    start=st.integers(0, 3),
)
def test_early_stopping_decides_as_keras(
    values: list[float],
    monitored: tuple[str, str],
    min_delta: float,
    patience: int,
    baseline: float | None,
    restore: bool,
    start: int,
) -> None:
    monitor, mode = monitored
    given = (monitor, min_delta, patience, 0, mode, baseline, restore, start)
    ours, theirs = EarlyStopping(*given), callbacks.EarlyStopping(*given)
    found, wanted = run(ours, losses(values, monitor)), run(theirs, losses(values, monitor))
    assert found.stop_training == wanted.stop_training
    assert found.weights == wanted.weights
    assert (ours.stopped_epoch, ours.best_epoch, ours.wait) == (
        theirs.stopped_epoch,
        theirs.best_epoch,
        theirs.wait,
    )
    assert ours.best == theirs.best


@settings(max_examples=150, deadline=None)
@given(
    values=VALUES,
    monitored=MODES,
    best_only=st.booleans(),
    weights_only=st.booleans(),
    save_freq=st.sampled_from(["epoch", 1, 2, 4, 5]),
    threshold=st.sampled_from([None, 0.5]),
)
def test_checkpoints_are_those_of_keras(
    values: list[float],
    monitored: tuple[str, str],
    best_only: bool,
    weights_only: bool,
    save_freq: str | int,
    threshold: float | None,
) -> None:
    if save_freq != "epoch":
        # Only the measures of training are there after a batch.
        monitored = ("loss", "min")
    monitor, mode = monitored
    stem = "{epoch:02d}-{loss:.3f}" if save_freq != "epoch" else "{epoch:02d}-{" + monitor + ":.2f}"
    options = {
        "monitor": monitor,
        "save_best_only": best_only,
        "save_weights_only": weights_only,
        "mode": mode,
        "save_freq": save_freq,
        "initial_value_threshold": threshold,
    }
    ours = ModelCheckpoint(stem + (".safetensors" if weights_only else ".everystep"), **options)
    theirs = callbacks.ModelCheckpoint(
        stem + (".weights.h5" if weights_only else ".keras"), **options
    )
    # Keras fails on its own where a batch comes before the first end of an epoch.
    theirs._set_monitor_op()
    logs = losses(values, monitor)
    assert run(ours, logs).saved == run(theirs, logs).saved
    assert ours.best == theirs.best


@settings(max_examples=150, deadline=None)
@given(
    values=VALUES,
    monitored=MODES,
    patience=st.integers(0, 3),
    cooldown=st.integers(0, 2),
    min_lr=st.sampled_from([0.0, 0.1, 0.2]),
    min_delta=st.sampled_from([1e-4, 0.3]),
)
def test_the_learning_rate_is_lowered_as_by_keras(
    values: list[float],
    monitored: tuple[str, str],
    patience: int,
    cooldown: int,
    min_lr: float,
    min_delta: float,
) -> None:
    given = (monitored[0], 0.5, patience, 0, monitored[1], min_delta, cooldown, min_lr)
    logs = losses(values, monitored[0])
    ours = run(ReduceLROnPlateau(*given), logs)
    theirs = run(callbacks.ReduceLROnPlateau(*given), logs)
    assert ours.optimizer.learning_rate == theirs.optimizer.learning_rate


@pytest.mark.parametrize(
    "schedule", [lambda epoch, rate: rate * 0.5, lambda epoch: 1.0 / (epoch + 1)]
)
def test_the_learning_rate_is_set_as_by_keras(schedule: Any) -> None:
    ours = run(LearningRateScheduler(schedule), losses([1.0, 1.0, 1.0]))
    theirs = run(callbacks.LearningRateScheduler(schedule), losses([1.0, 1.0, 1.0]))
    assert ours.optimizer.learning_rate == theirs.optimizer.learning_rate != 0.5


TABLES: dict[str, list[dict[str, Any]]] = {
    "plain": losses([0.5, 0.25], "loss"),
    "with validation": [{"loss": 0.5, "val_loss": 0.75, "acc": 0.125}] * 2,
    "validation in the second epoch": [{"loss": 0.5}, {"loss": 0.25, "val_loss": 0.5}],
    "a measure is missing": [{"loss": 0.5, "acc": 1.0}, {"loss": 0.25}],
    "arrays": [{"loss": np.float32(0.5), "each": np.array([1.5, 2.5])}],
    "a word": [{"loss": 0.5, "note": 'a,"b'}],
    "no epochs": [],
}


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("case", TABLES)
def test_a_csv_file_is_that_of_keras(tmp_path: Path, case: str, separator: str) -> None:
    for name, kind in (("ours", CSVLogger), ("theirs", callbacks.CSVLogger)):
        for append in (False, True, True):
            run(kind(str(tmp_path / name), separator=separator, append=append), TABLES[case])
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_a_csv_file_is_started_anew_without_append(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    run(CSVLogger(path), losses([0.5], "loss"))
    assert path.read_text().split() == ["epoch,loss,val_loss", "0,0.5,NA"]


def test_a_nan_is_never_an_improvement() -> None:
    callback = EarlyStopping(patience=2, restore_best_weights=True)
    model = run(callback, losses([np.nan, 0.5, np.nan, 0.75]))
    assert callback.best == 0.5
    assert callback.stopped_epoch == 3
    assert model.weights == [1]


def test_the_first_epoch_never_stops_training() -> None:
    callback = EarlyStopping(patience=0)
    assert run(callback, losses([np.nan, 0.5, 0.75])).stop_training
    assert callback.stopped_epoch == 2


def test_a_callback_can_be_used_again() -> None:
    callback = EarlyStopping(patience=1)
    for _ in range(2):
        assert run(callback, losses([0.5, 0.75, 0.25])).stop_training
        assert callback.stopped_epoch == 1


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_broken_loss_ends_training(loss: float, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(TerminateOnNaN(), losses([0.5, loss, 0.5], "loss")).stop_training
    assert f"Batch 0: the loss is {loss}" in capsys.readouterr().out
    with pytest.raises(DataError, match="after batch 0"):
        run(TerminateOnNaN(raise_error=True), losses([0.5, loss], "loss"))
    assert not run(TerminateOnNaN(), losses([0.5, 0.25], "loss")).stop_training


# What Keras only warns of.


@pytest.mark.parametrize(
    "callback",
    [
        EarlyStopping("val_los"),
        ModelCheckpoint("a.everystep", monitor="val_los", save_best_only=True),
        ReduceLROnPlateau("val_los"),
    ],
)
def test_an_unknown_measure_is_an_error_at_the_first_epoch(callback: Any) -> None:
    epochs = iter([{"loss": 0.5, "val_loss": 0.75}, {}])
    with pytest.raises(SettingError, match=r"'val_los', which is not measured: .*loss, val_loss"):
        run(callback, epochs)
    assert next(epochs) == {}


def test_the_cure_for_a_missing_validation_is_named() -> None:
    with pytest.raises(SettingError, match="Give fit validation_data"):
        run(EarlyStopping(), [{"loss": 0.5}])


def test_epochs_without_validation_do_not_count() -> None:
    callback = EarlyStopping(patience=1)
    callback.set_params({"validation_freq": 2})
    for epoch, logs in enumerate([{}, {"val_loss": 0.5}, {}, {"val_loss": 0.25}]):
        callback.on_epoch_end(epoch, logs)
    assert (callback.best, callback.best_epoch, callback.wait) == (0.25, 3, 0)


def test_a_measure_of_unknown_direction_asks_for_the_mode() -> None:
    with pytest.raises(SettingError, match="mode='min' or mode='max'"):
        run(EarlyStopping("speed"), losses([1.0], "speed"))
    assert direction_of("speed") is None


def made_of_nothing(metric: Any) -> bool:
    """Whether a class is a metric of Keras that needs no arguments."""
    if not issubclass(metric, keras.metrics.Metric) or metric is keras.metrics.Metric:
        return False
    parameters = inspect.signature(metric.__init__).parameters.values()
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    needed = [each for each in parameters if each.kind is plain and each.default is each.empty]
    return [each.name for each in needed] == ["self"]


def test_directions_are_those_of_keras_metrics() -> None:
    names = {"up": "max", "down": "min", None: None}
    classes = [each for each in vars(keras.metrics).values() if isinstance(each, type)]
    checked = 0
    for make in filter(made_of_nothing, classes):
        metric = make()
        wanted = names.get(getattr(metric, "_direction", "none"), "none")
        if wanted in ("min", "max"):
            checked += 1
            assert direction_of(f"val_{metric.name}") in (wanted, None), metric.name
    assert checked > 20


def test_placeholders_that_do_not_exist_are_named() -> None:
    with pytest.raises(SettingError, match="may name epoch, loss"):
        run(ModelCheckpoint("{val_los:.2f}.everystep"), losses([0.5], "loss"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: EarlyStopping(mode="most"),
        lambda: EarlyStopping(patience=-1),
        lambda: EarlyStopping(patient=3),
        lambda: ModelCheckpoint("a.everystep", save_freq="batch"),
        lambda: ModelCheckpoint("a.everystep", save_freq=0),
        lambda: ModelCheckpoint("a.h5"),
        lambda: ModelCheckpoint("a.everystep", save_weights_only=True),
        lambda: ReduceLROnPlateau(factor=1.0),
        lambda: LearningRateScheduler(0.1),
        lambda: LambdaCallback(on_epoch_start=print),
        lambda: LambdaCallback(on_epoch_end="print"),  # type: ignore[arg-type]
        lambda: CallbackList([EarlyStopping], None, {}),
        lambda: CallbackList(["early"], None, {}),
    ],
)
def test_wrong_settings_are_errors(make: Any) -> None:
    with pytest.raises((SettingError, FormatError)):
        make()


def test_a_schedule_that_gives_no_number_is_an_error() -> None:
    with pytest.raises(SettingError, match="must give a number"):
        run(LearningRateScheduler(lambda epoch: "fast"), losses([1.0]))


# Calling.


def test_all_hooks_are_those_of_keras() -> None:
    assert set(HOOKS) == {name for name in vars(callbacks.Callback) if name.startswith("on_")}


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if not hook.startswith("on_batch")])
def test_every_hook_reaches_every_callback(hook: str) -> None:
    seen: list[tuple[int, Any]] = []

    def keep(number: int) -> Any:
        return lambda *given: seen.append((number, given))

    both = [LambdaCallback(**{hook: keep(number)}) for number in (1, 2)]
    logs = {"loss": 0.5}
    numbered = "batch" in hook or "epoch" in hook
    given = (3, logs) if numbered else (logs,)
    getattr(CallbackList(both, None, {}), hook)(*given)
    assert [number for number, _ in seen] == [1, 2]
    assert [(*given[:-1], dict(given[-1])) for _, given in seen] == [(*given[:-1], logs)] * 2


def test_the_short_names_of_batch_hooks_are_called() -> None:
    seen = []
    callback = LambdaCallback(
        on_batch_begin=lambda batch, logs: seen.append(("begin", batch)),
        on_batch_end=lambda batch, logs: seen.append(("end", batch)),
    )
    calls = CallbackList([callback], None, {})
    calls.on_train_batch_begin(4)
    calls.on_train_batch_end(4, {})
    assert seen == [("begin", 4), ("end", 4)]


class Slow:
    """A number on the device: counts how often somebody waits for it."""

    def __init__(self) -> None:
        self.waits = 0

    def __float__(self) -> float:
        self.waits += 1
        return 0.5


def test_measures_are_read_only_when_looked_at() -> None:
    value = Slow()
    idle = [
        History(),
        EarlyStopping(),
        CSVLogger("a.csv"),
        ModelCheckpoint("a.everystep"),
        LambdaCallback(on_train_batch_end=lambda batch, logs: None),
    ]
    CallbackList(idle, FakeModel(), {}).on_train_batch_end(0, {"loss": value})
    assert value.waits == 0
    CallbackList([*idle, TerminateOnNaN(), TerminateOnNaN()], FakeModel(), {}).on_train_batch_end(
        0, {"loss": value}
    )
    assert value.waits == 1


def test_logs_of_a_batch_behave_like_a_dict() -> None:
    logs = BatchLogs({"loss": np.float32(0.5), "acc": 0.25})
    assert dict(logs) == {**logs} == {"loss": 0.5, "acc": 0.25}
    assert (logs.get("loss"), logs.get("other"), "acc" in logs, len(logs)) == (0.5, None, True, 2)
    assert type(logs["loss"]) is float


# In a real fit.


def trained(*given: Any, epochs: int = 3, **options: Any) -> tuple[Any, History]:
    es.utils.set_random_seed(5)
    draw = np.random.default_rng(5)
    x = draw.normal(size=(24, 3)).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5]], "float32")
    model = es.Sequential([es.layers.Dense(1, input_shape=(3,))])
    model.compile(es.optimizers.SGD(0.05), "mse", metrics=["mae"])
    history = model.fit(
        x,
        y,
        batch_size=8,
        epochs=epochs,
        callbacks=list(given),
        verbose=0,
        validation_data=(x[:6], y[:6]),
        **options,
    )
    return model, history


def test_fit_calls_the_hooks_in_order() -> None:
    seen: list[str] = []
    hooks = {hook: (lambda name: lambda *_: seen.append(name))(hook) for hook in HOOKS}
    for hook in list(hooks):
        if hook.startswith(("on_batch", "on_test", "on_predict")):
            del hooks[hook]
    trained(LambdaCallback(**hooks), epochs=2)
    batch = ["on_train_batch_begin", "on_train_batch_end"]
    epoch = ["on_epoch_begin", *batch * 3, "on_epoch_end"]
    assert seen == ["on_train_begin", *epoch * 2, "on_train_end"]


def test_fit_gives_floats_to_every_hook() -> None:
    kinds: set[type] = set()

    def look(_: int, logs: Any) -> None:
        kinds.update(type(value) for value in logs.values())

    trained(LambdaCallback(on_train_batch_end=look, on_epoch_end=look))
    assert kinds == {float}


def test_fit_stops_early_and_goes_back_to_the_best_weights() -> None:
    weights: list[Any] = []

    def get_worse(epoch: int, logs: Any) -> None:
        weights.append(model.get_weights())
        logs["val_loss"] = [3.0, 1.0, 2.0, 4.0, 5.0][epoch]

    es.utils.set_random_seed(5)
    x = np.random.default_rng(5).normal(size=(24, 3)).astype("float32")
    model = es.Sequential([es.layers.Dense(1, input_shape=(3,))])
    model.compile(es.optimizers.SGD(0.05), "mse")
    stop = EarlyStopping(patience=2, restore_best_weights=True)
    history = model.fit(
        x, x[:, :1], epochs=5, callbacks=[LambdaCallback(on_epoch_end=get_worse), stop], verbose=0
    )
    assert history.epoch == [0, 1, 2, 3]
    assert history.history["val_loss"] == [3.0, 1.0, 2.0, 4.0]
    assert not np.array_equal(weights[1][0], weights[3][0])
    np.testing.assert_array_equal(model.get_weights()[0], weights[1][0])


def test_fit_saves_checkpoints_that_load(tmp_path: Path) -> None:
    best = ModelCheckpoint(tmp_path / "new" / "{epoch:02d}-{val_mae:.2f}.everystep")
    last = ModelCheckpoint(tmp_path / "last.safetensors", save_weights_only=True)
    model, history = trained(best, last)
    names = [f"{e + 1:02d}-{mae:.2f}.everystep" for e, mae in enumerate(history.history["val_mae"])]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    again = es.load_model(tmp_path / "new" / names[-1])
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    earlier = es.load_model(tmp_path / "new" / names[0])
    assert not np.array_equal(earlier.get_weights()[0], model.get_weights()[0])
    earlier.load_weights(tmp_path / "last.safetensors")
    np.testing.assert_array_equal(earlier.get_weights()[0], model.get_weights()[0])


def test_fit_writes_its_history_as_a_table(tmp_path: Path) -> None:
    _, history = trained(CSVLogger(tmp_path / "a.csv"))
    header, *lines = (tmp_path / "a.csv").read_text().splitlines()
    names = header.split(",")
    assert names == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    table = [[float(cell) for cell in line.split(",")] for line in lines]
    assert [row[0] for row in table] == history.epoch
    for place, name in enumerate(names[1:], 1):
        assert [row[place] for row in table] == history.history[name]


def test_fit_uses_the_learning_rate_that_a_callback_set() -> None:
    frozen, history = trained(LearningRateScheduler(lambda epoch: 0.0))
    assert history.history["learning_rate"] == [0.0, 0.0, 0.0]
    assert len(set(history.history["val_loss"])) == 1
    moving, _ = trained()
    assert not np.array_equal(frozen.get_weights()[0], moving.get_weights()[0])


def test_fit_takes_callbacks_of_keras() -> None:
    class Mine(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.losses: list[float] = []

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.losses.append(logs["loss"])

    mine = Mine()
    _, history = trained(mine)
    assert mine.losses == history.history["loss"]


def test_fit_refuses_an_unknown_measure_after_one_epoch() -> None:
    epochs: list[int] = []
    count = LambdaCallback(on_epoch_begin=lambda epoch, logs: epochs.append(epoch))
    with pytest.raises(EverystepError, match="there are loss, mae, val_loss, val_mae"):
        trained(count, EarlyStopping("val_accuracy"))
    assert epochs == [0]
