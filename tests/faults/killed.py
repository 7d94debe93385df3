"""Trainings that are killed at random moments, and end with the bits of one that was left alone."""

import hashlib
import random
import signal
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import everystep as es
from everystep import callbacks, layers
from tests.faults.processes import forked
from tests.faults.tally import Tally, expect
from tests.faults.training import Batches, stateful_model

EPOCHS = 30
TIMES = 50
LONGEST = 0.8
"""Seconds from the first step on after which a process is killed at the latest."""


def _packed(also: list[Any]) -> Any:
    """Sequences in packed rows, in random order, with a rate that falls with the steps."""
    random = np.random.default_rng(0)
    x = [random.normal(size=(length, 3)).astype("float32") for length in (5, 2, 7, 4, 1, 6, 3, 8)]
    y = [(row.sum(-1) > 0).astype("int32") for row in x]
    es.utils.set_random_seed(11)
    model = es.Sequential(
        [layers.LSTM(4, return_sequences=True), layers.Dropout(0.3), layers.Dense(2)]
    )
    rate = es.optimizers.schedules.ExponentialDecay(0.05, 10, 0.9)
    loss = es.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(es.optimizers.Adam(rate), loss, metrics=["accuracy"])
    model.fit(x, y, 2, EPOCHS, callbacks=also, verbose=0)
    return model


def _stateful(also: list[Any]) -> Any:
    """All that has a state from one step to the next, with validation between epochs."""
    model = stateful_model()
    how: dict[str, Any] = {"epochs": EPOCHS, "verbose": 0, "validation_data": Batches()}
    model.fit(Batches(), callbacks=also, **how)
    return model


TRAININGS = {"packed rows": _packed, "stateful layers and optimizers": _stateful}


def _train(fit: Callable[[list[Any]], Any], folder: Path, say: Callable[[bytes], object]) -> None:
    """Train; say when the first step is done, and at the end a digest of all that came of it."""
    folder.mkdir(exist_ok=True)
    log, told = folder / "log.csv", iter([b"!"])
    model = fit(
        [
            callbacks.EarlyStopping("loss", patience=EPOCHS, restore_best_weights=True),
            callbacks.ModelCheckpoint(str(folder / "best.safetensors"), "loss", 0, True, True),
            callbacks.CSVLogger(str(log)),
            callbacks.Checkpoints(str(folder / "run"), save_freq=2, monitor="loss"),
            callbacks.LambdaCallback(on_train_batch_end=lambda *_: say(next(told, b""))),
        ]
    )
    digest = hashlib.sha256(repr(model.history.history).encode())
    for path in (log, folder / "best.safetensors", folder / "run" / "best.checkpoint"):
        digest.update(path.read_bytes())
    for variable in [*model.variables, *model.optimizer.variables]:
        digest.update(variable.numpy().tobytes())
    say(digest.hexdigest().encode())


def _life(fit: Callable[[list[Any]], Any], folder: Path, seconds: float | None) -> bytes:
    """Let a process live so long after its first step; return its digest, if it came to its end."""
    errors = folder.with_suffix(".err")
    process = forked(partial(_train, fit, folder), errors)
    # Where all steps were done before, the first that it says is its digest.
    first = process.read(1)
    if seconds is not None:
        time.sleep(seconds)
        process.tell(signal.SIGKILL)
    code, said = process.ended()
    expect(code in (0, -signal.SIGKILL), f"it ended with {code}: {errors.read_text()[-2000:]}")
    return (first + said).removeprefix(b"!") if code == 0 else b""


def survived(name: str, times: int, seed: int = 1) -> Tally:
    """Kill a training so many times; where one ends before, another begins."""
    tally = Tally(f"killed at random moments: {name}")
    moments, fit = random.Random(seed), TRAININGS[name]
    with tempfile.TemporaryDirectory() as temporary:
        wanted = _life(fit, Path(temporary, "alone"), None)
        expect(len(wanted) == 64, "a training that is left alone must end")
        runs, found = 0, b""
        while tally.tries < times or not found:
            # Once it was killed often enough, it may come to its end.
            longest = moments.uniform(0, LONGEST) if tally.tries < times else None
            found = _life(fit, Path(temporary, str(runs)), longest)
            tally.tries += not found
            runs += bool(found)
            if found not in (b"", wanted):
                tally.failures.append(f"training {runs}, kill {tally.tries}: the bits are others")
    return tally


def made(quick: bool) -> list[Tally]:
    """Kill each training fifty times, or one of them once."""
    names = list(TRAININGS)[-1:] if quick else TRAININGS
    return [survived(name, 1 if quick else TIMES) for name in names]
