"""Several steps in one program: the numbers of single steps, and callbacks called as Keras does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.callbacks import Callback, ModelCheckpoint

ROWS, BATCH, FEATURES, LABELS = 23, 3, 4, 2  # Eight batches, the last one smaller.


class Numbers(Callback):
    """Notes which batches were begun and ended, and the loss that was read after each."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int]] = []
        self.losses: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.seen.append(("begin", batch))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append(("end", batch))
        self.losses.append(float((logs or {})["loss"]))

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append(("tested", batch))


def compiled(together: int, **kwargs: Any) -> Any:
    """A model with noise, a running state, a schedule and a metric."""
    es.utils.set_random_seed(3)
    model = es.Sequential(
        [
            es.layers.Dense(5, activation="tanh", name="one"),
            es.layers.Dropout(0.5, name="noise"),
            es.layers.BatchNormalization(name="normal"),
            es.layers.Dense(LABELS, name="two"),
        ]
    )
    rate = es.optimizers.schedules.ExponentialDecay(0.05, 2, 0.7)
    loss = es.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = es.optimizers.Adam(rate)
    model.compile(optimizer, loss, metrics=["accuracy"], steps_per_execution=together, **kwargs)
    return model


def data() -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS, FEATURES)).astype("float32")
    return x, (x[:, 0] > 0).astype("int32")


def fitted(together: int, **kwargs: Any) -> tuple[Any, Any, Numbers]:
    model, numbers = compiled(together, **kwargs), Numbers()
    history = model.fit(*data(), BATCH, epochs=2, callbacks=[numbers], validation_data=data())
    return model, history, numbers


def test_the_numbers_are_those_of_single_steps() -> None:
    one, history, single = fitted(1)
    several, found, together = fitted(3)
    for name, values in history.history.items():
        np.testing.assert_allclose(found.history[name], values, rtol=1e-5, err_msg=name)
    for own, other in zip(one.get_weights(), several.get_weights(), strict=True):
        np.testing.assert_allclose(other, own, rtol=1e-5, atol=1e-6)
    assert int(several.optimizer.iterations) == 16
    # Groups of three, three and two: each reads what its last batch leaves.
    expected = [single.losses[i] for i in (2, 5, 7, 10, 13, 15)]
    np.testing.assert_allclose(together.losses, expected, rtol=1e-5)


def test_callbacks_are_called_as_in_keras() -> None:
    import keras

    class Same(keras.callbacks.Callback):  # type: ignore[misc]
        on_train_batch_begin = Numbers.on_train_batch_begin
        on_train_batch_end = Numbers.on_train_batch_end
        on_test_batch_end = Numbers.on_test_batch_end

    theirs = Same()
    theirs.seen, theirs.losses = [], []
    model = keras.Sequential([keras.layers.Dense(LABELS)])
    model.compile("sgd", "mse", steps_per_execution=2)
    x, y = data()
    target = np.eye(LABELS, dtype="float32")[y]
    model.fit(x, target, BATCH, callbacks=[theirs], validation_data=(x, target), verbose=0)
    ours = Numbers()
    own = es.Sequential([es.layers.Dense(LABELS)])
    own.compile("sgd", "mse", steps_per_execution=2)
    own.fit(x, target, BATCH, callbacks=[ours], validation_data=(x, target))
    assert ours.seen == theirs.seen


def test_the_last_of_a_short_group_is_the_batch_that_was_run() -> None:
    seen = fitted(3)[2].seen
    assert [number for what, number in seen if what == "end"] == [2, 5, 7, 2, 5, 7]
    assert [number for what, number in seen if what == "tested"] == [2, 5, 7, 2, 5, 7]


def test_batches_of_one_shape_are_one_program() -> None:
    model = fitted(2)[0]
    programs = model._programs
    # The last group holds a smaller batch, so its two steps run one by one.
    assert programs._train_all._cache_size() == 1
    assert programs._train._cache_size() == 2


def test_uncompiled_steps_run_one_by_one() -> None:
    model, numbers = compiled(4, run_eagerly=True), Numbers()
    model.fit(*data(), 8, callbacks=[numbers])
    assert numbers.seen == [("begin", 0), ("end", 2)]
    assert int(model.optimizer.iterations) == 3


def test_lists_of_sequences_are_packed_and_run_together() -> None:
    random = np.random.default_rng(1)
    x = [random.normal(size=(n, 3)).astype("float32") for n in random.integers(1, 6, 40)]
    y = [each[:, 0] for each in x]
    weights = []
    for together in (1, 3):
        es.utils.set_random_seed(5)
        model = es.Sequential([es.layers.LSTM(2, return_sequences=True), es.layers.Dense(1)])
        model.compile("adam", "mse", steps_per_execution=together)
        model.fit(x, y, batch_size=4)
        weights.append(model.get_weights())
    for own, other in zip(*weights, strict=True):
        np.testing.assert_allclose(other, own, rtol=1e-5, atol=1e-6)


def test_training_stops_after_the_group_in_which_it_is_told_to() -> None:
    class Stop(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = True

    model = compiled(3)
    model.fit(*data(), BATCH, callbacks=[Stop()])
    assert int(model.optimizer.iterations) == 3


@pytest.mark.parametrize("frequency", [2, 4])
def test_files_are_written_after_so_many_batches(tmp_path: Path, frequency: int) -> None:
    path = str(tmp_path / "{batch}.safetensors")
    keep = ModelCheckpoint(path, save_weights_only=True, save_freq=frequency)
    compiled(3).fit(*data(), BATCH, callbacks=[keep])
    # As in Keras: whenever at least so many batches have gone by since the last file.
    expected = {2: {"3", "6", "8"}, 4: {"6"}}[frequency]
    assert {file.stem for file in tmp_path.iterdir()} == expected
