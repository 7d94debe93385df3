"""Training that is killed at random moments and called again ends with the bits of one left alone.

python -m tests.faults.killed --times 50 [--seed 1]
"""

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import everystep as es
from everystep import callbacks, layers

EPOCHS = 30
LONGEST = 0.8
"""Seconds from the first step on after which a process is killed at the latest."""


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def train(folder: str) -> str:
    """Train with all that has a state; return a digest of weights, optimizer and history."""
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
    watching: list[Any] = [
        callbacks.EarlyStopping("loss", patience=EPOCHS, restore_best_weights=True),
        callbacks.CSVLogger(f"{folder}/log.csv"),
        callbacks.Checkpoints(f"{folder}/run", save_freq=2),
        callbacks.LambdaCallback(on_train_batch_end=lambda *_: say("step")),
    ]
    Path(folder).mkdir(exist_ok=True)
    history = model.fit(x, y, 2, EPOCHS, callbacks=watching).history
    digest = hashlib.sha256(repr(history).encode() + Path(folder, "log.csv").read_bytes())
    for variable in [*model.variables, *model.optimizer.variables]:
        digest.update(variable.numpy().tobytes())
    return digest.hexdigest()


def life(folder: str, seconds: float | None) -> str:
    """Run a process for so long after its first step; return its digest, or "" if it was killed."""
    command = [sys.executable, "-m", "tests.faults.killed", "--train", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        if seconds is not None and told == "step\n":
            time.sleep(seconds)
            process.kill()
        lines = [told, *process.stdout]
    return lines[-1].strip() if process.returncode == 0 else ""


def survived(times: int, seed: int) -> tuple[int, bool]:
    """Kill a training so many times; return how often it was, and whether it ended as it should."""
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        wanted = life(f"{folder}/alone", None)
        assert len(wanted) == 64, "a training that is left alone must end"
        killed, runs = 0, 0
        while killed < times:
            # Where a training ended before it was killed, another one begins.
            if life(f"{folder}/{runs}", moments.uniform(0, LONGEST)):
                runs += 1
            else:
                killed += 1
        return killed, life(f"{folder}/{runs}", None) == wanted


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--train", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.train:
        say(train(given.train))
        return 0
    killed, same = survived(given.times, given.seed)
    say(f"killed {killed} times; the bits at the end are {'the same' if same else 'OTHERS'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
