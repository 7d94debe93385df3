"""What is done again and again leaves nothing behind: neither memory nor objects.

python -m tests.faults.flat_memory [--times 10000] [--json]
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import everystep as es
from everystep import callbacks, layers
from everystep.corpora.readers import reader
from tests.faults.tally import say
from tests.tagging.languages import sentences

MIB = 2**20


class Held(NamedTuple):
    """What a process holds, or how much more than before.

    Args:
        bytes: of the machine's memory.
        objects: that Python's collector of cycles knows.
        arrays: of JAX.
    """

    bytes: int
    objects: int
    arrays: int

    @classmethod
    def now(cls) -> "Held":
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        objects, arrays = len(gc.get_objects()), len(jax.live_arrays())  # type: ignore[no-untyped-call]
        return cls(pages * os.sysconf("SC_PAGE_SIZE"), objects, arrays)

    def since(self, before: "Held") -> "Held":
        return Held(*(now - then for now, then in zip(self, before, strict=True)))


MOST = Held(bytes=4 * MIB, objects=30, arrays=0)
"""How much more may be there in the end, however often it was done."""


class Times:
    """Counts how often something has been done, and looks at what is held after a warm-up.

    Args:
        warming: how often it is done first.
        times: how often it is done then.
    """

    def __init__(self, warming: int, times: int) -> None:
        self.warming, self.all = warming, warming + times
        self._done = 0
        self._seen: list[Held] = []

    def __iter__(self) -> Iterator[int]:
        while self._done < self.all:
            yield self._done
            self.one_more()

    def one_more(self, *_: Any) -> None:
        """Count one."""
        self._done += 1
        if self._done in (self.warming, self.all):
            self._seen.append(Held.now())

    @property
    def growth(self) -> Held:
        """What has come since the warm-up."""
        before, after = self._seen
        return after.since(before)


X = np.random.default_rng(0).normal(size=(8, 5, 3)).astype("float32")
IDS = np.arange(40, dtype="int32").reshape(8, 5)
LISTS = [ids[:length] for ids, length in zip(IDS, (5, 1, 3, 2, 5, 4, 1, 2), strict=True)]


def numbers() -> Any:
    recurrent = layers.GRU(4, return_sequences=True)
    inner = [recurrent, layers.Dropout(0.2), layers.BatchNormalization(), layers.Dense(2)]
    model = es.Sequential([es.Input((None, 3)), *inner])
    loss = es.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def words() -> Any:
    inner = [layers.Embedding(40, 3), layers.LSTM(4, return_sequences=True), layers.Dense(2)]
    model = es.Sequential([es.Input((None,), dtype="int32"), *inner])
    model.compile("sgd", es.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def fit_in_one_call(times: Times) -> None:
    counted = callbacks.LambdaCallback(on_train_batch_end=times.one_more)
    x = np.tile(X, (50, 1, 1))
    numbers().fit(x, x[..., 0] > 0, 4, -(-times.all // 100), verbose=0, callbacks=[counted])


def fit(times: Times) -> None:
    model = numbers()
    for _ in times:
        model.fit(X, IDS % 2, 4, verbose=0, validation_data=(X, IDS % 2))


def fit_lists(times: Times) -> None:
    model = words()
    for _ in times:
        model.fit(LISTS, [ids % 2 for ids in LISTS], 4, verbose=0)


def fit_with_checkpoints(times: Times) -> None:
    counted = callbacks.LambdaCallback(on_train_batch_end=times.one_more)
    x = np.tile(X, (3, 1, 1))
    with tempfile.TemporaryDirectory() as folder:
        kept = callbacks.Checkpoints(folder, save_freq=3, monitor="loss")
        calls = [counted, kept]
        numbers().fit(x, x[..., 0] > 0, 4, -(-times.all // 6), verbose=0, callbacks=calls)


def train_on_batch(times: Times) -> None:
    model = numbers()
    for _ in times:
        model.train_on_batch(X, IDS % 2)


def evaluate(times: Times) -> None:
    model = words()
    for _ in times:
        model.evaluate(LISTS, [ids % 2 for ids in LISTS], verbose=0)


def predict(times: Times) -> None:
    model = numbers()
    for _ in times:
        model.predict(X, verbose=0)


def predict_lists(times: Times) -> None:
    model = words()
    for number in times:
        model.predict(LISTS[: number % 8 + 1], verbose=0)


def predict_on_batch(times: Times) -> None:
    model = numbers()
    for _ in times:
        model.predict_on_batch(X)


def call_layers(times: Times) -> None:
    both = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    chain = layers.CRF(8)
    for _ in times:
        chain(both(X, mask=IDS > 3))


def stream_steps(times: Times) -> None:
    stream = words().stream(8)
    for number in times:
        stream.step(IDS[:, number % 5])


def stream_chunks(times: Times) -> None:
    """Of a model that the native stepper does not know."""
    model = es.Sequential([es.Input((None, 3)), layers.Conv1D(2, 3, padding="causal")])
    for number in times:
        stream = model.stream(8)
        stream.push(X[:, : number % 5 + 1])


def save_and_load(times: Times) -> None:
    model = numbers()
    with tempfile.TemporaryDirectory() as folder:
        for _ in times:
            model.save(Path(folder, "model.everystep"))
            es.load_model(Path(folder, "model.everystep"))


def explain(times: Times) -> None:
    """A new model each time."""
    for number in times:
        es.explain(es.Sequential([layers.LSTM(2), layers.Dense(1)]), (None, number % 3 + 2, 3))


def make_and_fit(times: Times) -> None:
    """A new model each time, whose programs are compiled for it."""
    for _ in times:
        es.utils.clear_session()
        model = es.Sequential([layers.Dense(2)])
        model.compile("sgd", "mse")
        model.fit(X[:, 0], X[:, 0, :2], verbose=0)


def tag_a_stream(times: Times) -> None:
    known = sentences(8, 1)
    settings = {"units": 3, "characters": "none", "epochs": 1, "embedding": 4}
    tagger = es.Tagger.train(known, None, settings, 0)
    tokens = (known[number % 8][0] for number in times)
    for _ in tagger.predict_stream(tokens, chunk=16):
        pass


def read(times: Times) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "words.conllu")
        line = "1\twörd\t_\tNOUN\t_\t_\t_\t_\t_\t_\n\n"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(line for _ in range(times.all))
        for _ in reader("conllu").read(path):
            times.one_more()


class Pace(NamedTuple):
    """How many times less often something is done than what takes no time, and what it may keep.

    Args:
        short: where time is short; 0 for not at all.
        long: where it is not.
        kept: containers that JAX keeps of every new model, in caches of a bounded size.
        passing: containers that may be there at one moment, as of a file that is being written.
    """

    short: int = 20
    long: int = 1
    kept: int = 0
    passing: int = 0


WORKS: dict[Callable[[Times], None], Pace] = {
    fit_in_one_call: Pace(0),
    fit: Pace(0),
    fit_lists: Pace(0),
    fit_with_checkpoints: Pace(passing=100),
    train_on_batch: Pace(),
    evaluate: Pace(0),
    predict: Pace(0),
    predict_lists: Pace(),
    predict_on_batch: Pace(0),
    call_layers: Pace(),
    stream_steps: Pace(1),
    stream_chunks: Pace(0),
    save_and_load: Pace(0, 20, kept=2),
    explain: Pace(50, 20),
    make_and_fit: Pace(0, 20, kept=25),
    tag_a_stream: Pace(0),
    read: Pace(1),
}


def grown(times: int, short: bool = False) -> Iterator[tuple[str, int, Held, bool]]:
    """Do everything so many times.

    Yields:
        Its name, how often it was done, what has come, and whether that is little enough.
    """
    for work, pace in WORKS.items():
        rarer = pace.short if short else pace.long
        if rarer:
            count = Times(times // 4 // rarer, times // rarer)
            work(count)
            objects = MOST.objects + pace.kept * count.all + pace.passing
            most = MOST._replace(objects=objects)
            flat = all(more <= limit for more, limit in zip(count.growth, most, strict=True))
            yield work.__name__, count.all - count.warming, count.growth, flat


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10_000)
    parser.add_argument("--short", action="store_true", help="do what takes long less often")
    parser.add_argument("--json", action="store_true", help="print what came of each as JSON")
    given = parser.parse_args(arguments)
    told, begin = [], time.perf_counter()
    for name, times, growth, flat in grown(given.times, given.short):
        told.append({"fault": f"{name} {times} times", "tries": 1, "survived": int(flat)})
        if not given.json:
            seconds, begin = time.perf_counter() - begin, time.perf_counter()
            more = f"{growth.bytes / MIB:+.1f} MiB, {growth.objects:+} objects, {growth.arrays:+}"
            say(f"{'' if flat else 'GROWS: '}{name}, {times} times: {more} arrays; {seconds:.1f} s")
    if given.json:
        say(json.dumps(told))
    return 0 if all(each["survived"] for each in told) else 1


if __name__ == "__main__":
    sys.exit(main())
