"""Training that is interrupted again and again ends with the bits of one that was left alone."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep import callbacks, layers
from everystep.callbacks.checkpoints import newest
from everystep.errors import FormatError, StateError
from everystep.formats import Contents, read_tensors, write_tensors
from tests.faults.training import Batches, Training, stateful_model

Fit = Callable[[Any, list[Any]], Any]


class KilledError(Exception):
    """What stands for the end of the process."""


class KilledAfter(callbacks.Callback):
    """Ends training as a fault would, in the last of so many groups of batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if not self.left:
            raise KilledError


def sequences(seed: int, lengths: tuple[int, ...]) -> tuple[list[Any], list[Any]]:
    random = np.random.default_rng(seed)
    x = [random.normal(size=(length, 3)).astype("float32") for length in lengths]
    return x, [(row.sum(-1) > 0).astype("int32") for row in x]


LENGTHS = (5, 2, 7, 4, 1, 6, 3, 8, 5, 2)
TRAIN, DEV = sequences(0, LENGTHS), sequences(1, (4, 3, 6))


def ragged(model: Any, also: list[Any]) -> Any:
    """Packed rows in random order, validation, a rate that falls, and early stopping."""
    watching = [
        callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.05),
    ]
    return model.fit(*TRAIN, 3, 5, callbacks=watching + also, validation_data=DEV)


def generated(model: Any, also: list[Any]) -> Any:
    """Batches that are drawn once, several to an epoch, and a rate that is halved each epoch."""

    def batches() -> Iterator[Any]:
        random = np.random.default_rng(3)
        while True:
            x = random.normal(size=(2, 4, 3)).astype("float32")
            yield x, (x.sum(-1) > 0).astype("int32")

    halved = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    return model.fit(batches(), epochs=3, steps_per_epoch=4, callbacks=[halved, *also])


def portions(model: Any, also: list[Any]) -> Any:
    """Arrays of which an epoch takes a part, the next one going on behind it."""
    x = np.stack([row[:1].repeat(4, 0) for row in TRAIN[0]])
    y = (x.sum(-1) > 0).astype("int32")
    return model.fit(x, y, 3, 4, steps_per_epoch=3, callbacks=also)


class Numbered:
    """Batches that are shuffled by hand when an epoch has ended."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(8)
        self.order = list(range(4))

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, number: int) -> Any:
        x = np.full((2, 3, 3), self.order[number] - 1.5, "float32")
        return x, np.full((2, 3), self.order[number] % 2, "int32")

    def on_epoch_end(self) -> None:
        self.random.shuffle(self.order)


def numbered(model: Any, also: list[Any]) -> Any:
    """Batches by number, in an order of their own."""
    return model.fit(Numbered(), epochs=3, callbacks=also)


def together(model: Any, also: list[Any]) -> Any:
    """Two batches in one program."""
    return ragged(model, also)


def stateful(model: Any, also: list[Any]) -> Any:
    """States of layers, of seeds, and of an optimizer inside another one."""
    watching = callbacks.EarlyStopping("loss", patience=2, min_delta=0.5, restore_best_weights=True)
    how: dict[str, Any] = {"epochs": 5, "validation_data": Batches()}
    return model.fit(Batches(), callbacks=[watching, *also], **how)


FITS: tuple[Fit, ...] = (ragged, generated, portions, numbered, together, stateful)


def made(fit: Fit) -> Any:
    es.utils.set_random_seed(11)
    if fit is stateful:
        return stateful_model()
    model = es.Sequential(
        [
            layers.GRU(4, return_sequences=True),
            layers.Dropout(0.3),
            layers.BatchNormalization(),
            layers.Dense(2),
        ]
    )
    loss = es.losses.SparseCategoricalCrossentropy(from_logits=True)
    steps = 2 if fit is together else 1
    model.compile(es.optimizers.Adam(0.05), loss, metrics=["accuracy"], steps_per_execution=steps)
    return model


def forget(model: Any) -> None:
    """What a new process would not know either."""
    for variable in [*model.variables, *model.optimizer.variables]:
        variable.assign(np.full(variable.shape, 3, variable.dtype))
    model._steps_done = model._epochs_done = 77
    es.utils.set_random_seed(99)


def bits(model: Any) -> list[bytes]:
    return [each.numpy().tobytes() for each in [*model.variables, *model.optimizer.variables]]


@pytest.mark.parametrize("fit", FITS, ids=lambda fit: fit.__name__)
def test_interrupted_after_any_batch_it_ends_with_the_same_bits(fit: Fit, tmp_path: Path) -> None:
    alone = made(fit)
    wanted = fit(alone, [])

    for every in (1, 3):
        model, deaths = made(fit), 0
        while True:
            kept = callbacks.Checkpoints(str(tmp_path / str(every)), save_freq=every)
            try:
                history = fit(model, [kept, KilledAfter(every + 1 + deaths % 3)])
            except KilledError:
                deaths += 1
                forget(model)
                continue
            break
        assert deaths > 1
        assert bits(model) == bits(alone)
        assert history.history == wanted.history
        assert history.epoch == wanted.epoch


def test_what_has_ended_is_not_done_again_and_more_epochs_go_on(tmp_path: Path) -> None:
    x, y = np.eye(6, 4, dtype="float32"), np.arange(6.0, dtype="float32")

    def train(epochs: int, folder: Path) -> tuple[Any, int]:
        es.utils.set_random_seed(5)
        model = es.Sequential([layers.Dense(1)])
        model.compile("adam", "mse")
        steps = []
        count = callbacks.LambdaCallback(on_train_batch_end=lambda *_: steps.append(1))
        kept = callbacks.Checkpoints(str(folder), monitor="loss")
        history = model.fit(x, y, 2, epochs, callbacks=[kept, count])
        return (bits(model), history.history), len(steps)

    first, steps = train(2, tmp_path / "a")
    again, none = train(2, tmp_path / "a")
    assert (steps, none) == (6, 0)
    assert again == first
    more, others = train(4, tmp_path / "a")
    whole, _ = train(4, tmp_path / "b")
    assert others == 6
    assert more == whole
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [".lock", *(f"{n:010d}.checkpoint" for n in (6, 9, 12)), "best.checkpoint"]
    assert (tmp_path / "a" / "best.checkpoint").read_bytes() == (
        tmp_path / "a" / names[3]
    ).read_bytes()


def test_lines_of_a_table_come_once(tmp_path: Path) -> None:
    def fit(model: Any, also: list[Any], path: Path) -> None:
        model.fit(*TRAIN, 3, 4, callbacks=[callbacks.CSVLogger(str(path)), *also])

    fit(made(fit), [], tmp_path / "whole.csv")  # type: ignore[arg-type]
    model = made(fit)  # type: ignore[arg-type]
    kept = callbacks.Checkpoints(str(tmp_path / "run"), save_freq=2)
    for batches in (9, 3, 100):
        with contextlib.suppress(KilledError):
            fit(model, [kept, KilledAfter(batches)], tmp_path / "torn.csv")
            break
        forget(model)
    assert (tmp_path / "torn.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    numbered(made(numbered), [callbacks.Checkpoints(str(folder), keep=2)])
    return folder


def copied(folder: Path, to: Path) -> list[Path]:
    for path in folder.glob("*.checkpoint"):
        (to / path.name).write_bytes(path.read_bytes())
    return sorted(to.glob("*.checkpoint"))


def test_a_checkpoint_torn_anywhere_is_put_aside_for_the_one_before(
    trained: Path, tmp_path: Path
) -> None:
    older, torn = copied(trained, tmp_path)
    contents = torn.read_bytes()
    places = sorted({0, 1, 7, 8, 9, len(contents) - 1, *range(0, len(contents), 997)})
    for cut in places:
        torn.write_bytes(contents[:cut])
        with pytest.warns(UserWarning, match="the one before is taken"):
            found = newest(tmp_path)
        assert found is not None
        assert found[0] == older
        aside = tmp_path / f"{torn.name}.damaged"
        assert aside.read_bytes() == contents[:cut]
    for place in places[1:]:
        damaged = bytearray(contents)
        damaged[place - 1] ^= 0x10
        torn.write_bytes(damaged)
        with pytest.warns(UserWarning, match="the one before is taken"):
            assert newest(tmp_path)[0] == older  # type: ignore[index]
    older.write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="the one before is taken"),
        pytest.raises(FormatError, match=r"no checkpoint is whole, of 1.*Give another folder"),
    ):
        newest(tmp_path)


def test_another_model_other_data_or_a_newer_version_is_refused(
    trained: Path, tmp_path: Path
) -> None:
    newest_one = copied(trained, tmp_path)[-1]
    kept = callbacks.Checkpoints(str(tmp_path))
    with pytest.raises(FormatError, match=r"other data.*another folder"):
        portions(made(portions), [kept])

    other = es.Sequential([layers.Dense(2)])
    other.compile("sgd", es.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(FormatError, match="are not those of the model"):
        numbered(other, [kept])
    model = made(numbered)
    model.compile("sgd", es.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(FormatError, match="Compile the model as before"):
        numbered(model, [kept])

    contents = read_tensors(newest_one)
    record = json.loads(contents.metadata["training"])

    def written(**changes: Any) -> None:
        text = json.dumps(record | changes)
        write_tensors(newest_one, contents.tensors, {"training": text})

    wrong: dict[str, dict[str, Any]] = {
        "newer version": {"version": 2},
        "no state of a training": {"more": 1},
        "epoch, seed of the training": {"epoch": -1, "seed": "5"},
        "callbacks of the training": {"callbacks": [["History 1"]]},
        "has no array 'callbacks/9'": {"callbacks": [["A 1", {"x": {"$array": "callbacks/9"}}]]},
        "kept of History has epochs, not epoch, history": {
            "callbacks": [["History 1", {"epochs": []}]]
        },
        "kept of History cannot have True as epoch": {
            "callbacks": [["History 1", {"epoch": True, "history": {}}]]
        },
        "no list of values for each measure": {
            "callbacks": [["History 1", {"epoch": [0], "history": {"loss": 3}}]]
        },
    }
    for words, changes in wrong.items():
        written(**changes)
        with pytest.raises(FormatError, match=words):
            numbered(made(numbered), [kept])
    written(callbacks=[["EarlyStopping 1", {"wait": 1}]])
    with pytest.warns(UserWarning, match="no callback any more for the state of EarlyStopping 1"):
        numbered(made(numbered), [kept])


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    held = callbacks.Checkpoints(str(tmp_path))

    class Second(callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            numbered(made(numbered), [callbacks.Checkpoints(str(tmp_path))])

    Second.runs_last = True
    with pytest.raises(StateError, match="another training writes its checkpoints to"):
        numbered(made(numbered), [held, Second()])
    numbered(made(numbered), [held])


def test_the_state_is_that_of_a_fit() -> None:
    model = made(numbered)
    with pytest.raises(StateError, match="is not being trained"):
        model.training_state()
    with pytest.raises(StateError, match="is not being trained"):
        model.set_training_state(Contents({}, {}))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "sigterm"])
def test_a_signal_ends_behind_the_step_and_nothing_is_lost(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert threading.current_thread() is threading.main_thread()
    alone = made(numbered)
    numbered(alone, [])
    model = made(numbered)
    before = signal.getsignal(number)

    def ask(batch: int, logs: Any) -> None:
        if model._steps_done == 6:
            os.kill(os.getpid(), number)

    asking = callbacks.LambdaCallback(on_train_batch_begin=ask)
    ended = KeyboardInterrupt if number == signal.SIGINT else SystemExit
    with pytest.raises(ended) as raised:
        numbered(model, [asking, callbacks.Checkpoints(str(tmp_path))])
    if number == signal.SIGTERM:
        assert getattr(raised.value, "code", None) == 143
    words = capsys.readouterr().err + str(raised.value)
    assert "keeps all of it up to step 7, and the same call goes on from there" in words
    assert signal.getsignal(number) is before
    forget(model)
    numbered(model, [callbacks.Checkpoints(str(tmp_path))])
    assert bits(model) == bits(alone)


def test_a_disk_that_fails_keeps_what_was_there_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        numbered(made(numbered), [callbacks.Checkpoints(str(tmp_path))])
    assert [path.name for path in tmp_path.glob("*.checkpoint")] == ["0000000004.checkpoint"]
    assert not list(tmp_path.glob("*.part"))
    monkeypatch.undo()
    alone = made(numbered)
    numbered(alone, [])
    model = made(numbered)
    numbered(model, [callbacks.Checkpoints(str(tmp_path))])
    assert bits(model) == bits(alone)


OF_THE_CALL = {"model", "params", "filename", "filepath"}
"""What callbacks have that is no state of the training."""


class Damaged(Batches):
    """Two batches are no numbers, so that their steps are left out."""

    def __getitem__(self, number: int) -> Any:
        x, y = super().__getitem__(number)
        return x * (np.nan if number > 1 else 1.0), y


@pytest.mark.filterwarnings("ignore:.* is left out")
def test_every_callback_goes_on_with_its_state(tmp_path: Path) -> None:
    """All that they know of the training at its end, when it was interrupted again and again."""

    def every(folder: Path) -> list[Any]:
        folder.mkdir(exist_ok=True)
        loss = {"monitor": "loss", "min_delta": 0.2}
        return [
            callbacks.EarlyStopping(**loss, patience=10, restore_best_weights=True),
            callbacks.ReduceLROnPlateau(**loss, factor=0.5, patience=2, cooldown=3),
            callbacks.FiniteGuard("skip"),
            callbacks.TerminateOnNaN(),
            callbacks.CSVLogger(str(folder / "log.csv")),
            callbacks.ModelCheckpoint(str(folder / "best.everystep"), "loss", 0, True),
            callbacks.ModelCheckpoint(
                str(folder / "{batch}.safetensors"), save_freq=3, save_weights_only=True
            ),
        ]

    classes = {getattr(callbacks, name) for name in callbacks.__all__}
    stateful = {each for each in classes if getattr(each, "kept", None)}
    apart = {callbacks.History, callbacks.Checkpoints}
    assert stateful - apart <= {type(each) for each in every(tmp_path)}

    training = Training()
    how: dict[str, Any] = {"data": Damaged(), "epochs": 16}
    alone = every(tmp_path / "alone")
    wanted = training.run(None, alone, **how)
    assert training.model.stop_training, "else some states were never in use"
    folder, ended = tmp_path / "killed", 0
    # Of four batches an epoch, so that every place in it is met; and once more when all is done.
    while ended < 2:
        given = every(folder)
        try:
            found = training.run(folder / "run", [*given, KilledAfter(3)], **how)
        except KilledError:
            continue
        ended += 1
        assert found == wanted
        for one, other in zip(given, alone, strict=True):
            for name in (vars(one) | vars(other)).keys() - OF_THE_CALL:
                np.testing.assert_equal(getattr(one, name), getattr(other, name), err_msg=name)
        for path in (tmp_path / "alone").iterdir():
            assert (folder / path.name).read_bytes() == path.read_bytes(), path.name
