"""The commands as people run them, where disks are full and processes are told to end."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

import everystep as es
from tests.faults.full import filled, may_mount, small_disk
from tests.faults.tally import Tally, expect

WORDS = [("the", "DET"), ("cat", "NOUN"), ("saw", "VERB"), ("me", "PRON")]
SETTINGS = """
epochs = 40
units = 4
embedding = 4
character_units = 4
character_embedding = 4
batch_size = 4
dropout = 0.3
"""
FULL = "No space left"
LONGEST = 0.6
"""Seconds behind the first epoch after which a training is told to end at the latest."""


def everystep(*arguments: Any, stdout: Any = subprocess.DEVNULL) -> tuple[int, str]:
    """Run a command; return its code and what it says on standard error."""
    command = [sys.executable, "-m", "everystep", *map(str, arguments)]
    ended = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    return ended.returncode, ended.stderr


class Work:
    """A corpus, a tagger that was trained on it without trouble, and the way to train another.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.corpus = folder, folder / "train.txt"
        draw = random.Random(1)
        rows = [draw.sample(WORDS, draw.randint(1, 4)) for _ in range(24)]
        blocks = ["".join(f"{word}\t{label}\n" for word, label in row) for row in rows]
        self.corpus.write_text("\n".join([*blocks, ""]))
        (folder / "small.toml").write_text(SETTINGS)
        self.tagger = folder / "alone.everystep"
        code, words = everystep(*self.training(self.tagger))
        expect(not code, words)

    def training(self, out: Path, *more: str) -> Sequence[Any]:
        """Return the command that trains a tagger."""
        settings = ("--config", self.folder / "small.toml", "--reader", "columns")
        return ["train", self.corpus, "--out", out, *settings, *more]

    def goes_on(self, out: Path) -> None:
        """See to it that an interrupted training ends with the weights of one left alone."""
        code, words = everystep(*self.training(out, "--resume"))
        expect(not code, words)
        self.is_whole(out)
        expect(not self.left(out), "what kept the training was left")

    def left(self, out: Path) -> list[Path]:
        """Return what keeps a training that has not come to its end."""
        return list(out.parent.glob(f"{out.stem}.*.resume"))

    def is_whole(self, out: Path) -> None:
        """See to it that a tagger has the weights of one that was left alone."""
        tokens = [[word for word, _ in WORDS], ["cat"]]
        found, wanted = (es.Tagger.load(each).probabilities(tokens) for each in (out, self.tagger))
        same = all(map(np.array_equal, found, wanted))
        expect(same, "the tagger is another one")


def _streams(work: Work) -> Tally:
    tally = Tally("full disk behind what a command prints")
    given = (work.tagger, work.corpus, "--reader", "columns")
    cases = {
        "predict": ["predict", *given],
        "predict --json": ["predict", *given, "--json"],
        "evaluate": ["evaluate", *given],
        "evaluate --json": ["evaluate", *given, "--json"],
        "info": ["info", work.tagger],
    }
    for name, arguments in cases.items():
        with tally.trying(name), open("/dev/full", "wb") as full:
            code, words = everystep(*arguments, stdout=full)
            expect(code == 1, f"the code is {code}")
            expect(len(words.splitlines()) == 1 and FULL in words, f"it says {words}")
    return tally


def _files(work: Work, disk: Path) -> Tally:
    tally = Tally("full disk under a file of a command")
    model = disk.parent / "model.everystep"
    es.Sequential([es.layers.Input((None, 2)), es.layers.GRU(3)]).save(model)
    cases = {
        "confusion.svg": [
            "evaluate",
            work.tagger,
            work.corpus,
            "--reader",
            "columns",
            "--confusion",
        ],
        "explained.svg": ["explain", model, "--svg"],
        "explained.html": ["explain", model, "--html"],
    }
    for name, arguments in cases.items():
        path = disk / name
        path.write_text("the old one")
        with tally.trying(name), filled(disk / "run", 1):
            code, words = everystep(*arguments, path)
            expect(code == 1 and FULL in words and str(path) in words, f"{code}: {words}")
            expect(path.read_text() == "the old one", "the old file is gone")
    return tally


def _trainings_on_a_full_disk(work: Work, disk: Path) -> Tally:
    tally = Tally("full disk under everystep train, which then goes on")
    for room in range(1, 30, 2):
        out = disk / f"room{room}.everystep"
        with tally.trying(f"{room} pages"):
            with filled(disk / "run", room):
                code, words = everystep(*work.training(out))
                if not code:
                    tally.tries -= 1
                    break
                expect(code == 1 and FULL in words and str(disk) in words, f"{code}: {words}")
                expect(not out.exists(), "a part of the tagger is there")
            if "--resume goes on" in words:
                work.goes_on(out)
        out.unlink(missing_ok=True)
        out.with_suffix(".json").unlink(missing_ok=True)
        for left in disk.glob("*.resume/*"):
            left.unlink()
        for left in disk.glob("*.resume"):
            left.rmdir()
    return tally


def _told_to_end(work: Work, times: int, seed: int = 1) -> list[Tally]:
    tallies = {
        number: Tally(f"{number.name} in everystep train")
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    moments = random.Random(seed)
    for number, tally in tallies.items():
        for count in range(times):
            out = work.folder / f"{number.name}{count}.everystep"
            with tally.trying(f"time {count}"):
                _tell(work, out, number, moments.uniform(0, LONGEST))
    return list(tallies.values())


def _tell(work: Work, out: Path, number: signal.Signals, seconds: float) -> None:
    command = [sys.executable, "-m", "everystep", *map(str, work.training(out))]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        os.kill(process.pid, number)
        _, words = process.communicate()
    code = process.returncode
    if out.exists():
        work.is_whole(out)
    if work.left(out) or not out.exists():
        expect(code == 128 + number, f"the code is {code}: {words}")
        expect("--resume goes on from what is in" in words, f"it says {words}")
        work.goes_on(out)
    # All was done when it came, perhaps while the interpreter ended.
    expect(code in (0, 128 + number, -number), f"the code is {code}: {words}")


def made(quick: bool) -> list[Tally]:
    """Run all of it; this takes some minutes."""
    with ExitStack() as stack:
        folder, disk = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        work = Work(folder)
        tallies = [_streams(work), *_told_to_end(work, 2 if quick else 10)]
        if not may_mount():
            return [*tallies, Tally("full disk under a command", skipped="no right to mount")]
        (disk / "small").mkdir()
        stack.enter_context(small_disk(disk / "small"))
        return [
            *tallies,
            _files(work, disk / "small"),
            _trainings_on_a_full_disk(work, disk / "small"),
        ]
