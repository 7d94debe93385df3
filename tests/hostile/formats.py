"""Every format that everystep reads: a good file of it, and its reader."""

from __future__ import annotations

import gzip
import io
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import everystep as es
from everystep import callbacks, layers
from everystep.cli.tasks import settings_of
from everystep.corpora import reader
from everystep.corpora.signals import read_csv_signals, read_numpy_signals
from everystep.corpora.vocabulary import Vocabulary
from everystep.corpora.word_vectors import read_word_vectors
from everystep.formats import Contents, read_tensors, write_tensors
from everystep.tagging import Settings, SignalSettings
from everystep.tagging.batches import Rows
from everystep.tagging.features import Features
from everystep.tagging.files import write_tagger
from everystep.tagging.model import TaggerModel
from everystep.tagging.signals.features import Scale
from everystep.tagging.signals.files import write_signal_tagger
from everystep.tagging.signals.model import SignalModel
from tests.corpora.readers.examples import EXAMPLES, LABELS, TOKENS

Write = Callable[[Any, Path], object]
Read = Callable[[Any, Path], object]


@dataclass(frozen=True)
class Format:
    """One format.

    Args:
        name: what it is called here.
        file: the name of a file of it.
        write: writes a good file, given a model whose training begins.
        read: reads a file, given such a model, and takes in all that it has.
    """

    name: str
    file: str
    write: Write
    read: Read


def put(content: bytes) -> Write:
    return lambda model, path: path.write_bytes(content)


def all_of(items: Iterable[object]) -> None:
    """Take one after the other and keep none."""
    deque(items, maxlen=0)


def corpus(name: str) -> Read:
    return lambda model, path: all_of(reader(name).read(path))


def checkpoint(model: Any, path: Path) -> None:
    contents: Contents = model.training_state()
    write_tensors(path, contents.tensors, contents.metadata)


SMALL = Settings(embedding=2, character_embedding=2, character_units=1, units=1)


def tagger(model: Any, path: Path) -> None:
    labels = Vocabulary(["X", "Y"], reserved=False)
    write_tagger(path, TaggerModel(SMALL, Features.of([["a"]], SMALL), labels, Rows(2, 9)), {})


def signal_tagger(model: Any, path: Path) -> None:
    settings = SignalSettings(units=1, layers=1, filters=2, kernel=2, fold=1)
    scale = Scale(np.array([0.5]), np.array([2.0]))
    write_signal_tagger(path, SignalModel(settings, scale, ("P", "QRS")), {})


def table(kind: str) -> Write:
    """Write the corpus of all readers as a table."""

    def write(model: Any, path: Path) -> None:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet

        found = pyarrow.table(
            {"tokens": list(map(list, TOKENS)), "labels": list(map(list, LABELS))}
        )
        if kind == "parquet":
            pyarrow.parquet.write_table(found, path)
        else:
            with pyarrow.ipc.new_stream(path, found.schema) as stream:
                stream.write_table(found)

    return write


def array(values: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


SIGNALS = np.arange(24, dtype="int16").reshape(2, 4, 3)
SIGNALS_FILE = "signals_of_the_labels.npy"
MARKS = np.arange(8, dtype="uint8").reshape(2, 4)


def labels(model: Any, path: Path) -> None:
    """Read labels beside the signals that they are of."""
    all_of(read_numpy_signals(path.with_name(SIGNALS_FILE), path))


def labels_beside(model: Any, path: Path) -> None:
    path.with_name(SIGNALS_FILE).write_bytes(array(SIGNALS))
    path.write_bytes(array(MARKS))


CSV = b"ii,v2,label\n0.5,1,1\n-1e3,2,\n\n3,4,2\n"
VECTORS = b"3 2\nthe 0.5 1\nof 0 1\ncat -1 0.25\n"
TOML = b"units = 3\nlearning_rate = 0.5\nencoder = 'lstm'\n"
SOURCE = 'import os\n\ndef f(a):\n    return os.path.join(a, "é")\n'.encode()
_TEXTS = {one.reader: one.text.encode() for one in EXAMPLES}

FORMATS = {
    each.name: each
    for each in (
        Format(
            "model",
            "m.everystep",
            lambda model, path: model.save(path),
            lambda model, path: es.load_model(path),
        ),
        Format(
            "weights",
            "m.safetensors",
            lambda model, path: model.save_weights(path),
            lambda model, path: model.load_weights(path),
        ),
        Format(
            "checkpoint",
            "0000000007.checkpoint",
            checkpoint,
            lambda model, path: model.set_training_state(read_tensors(path), str(path)),
        ),
        Format("tagger", "t.everystep", tagger, lambda model, path: es.Tagger.load(path)),
        Format(
            "signal tagger",
            "s.everystep",
            signal_tagger,
            lambda model, path: es.SignalTagger.load(path),
        ),
        Format(
            "keras",
            "m.keras",
            lambda model, path: model.save(path),
            lambda model, path: es.load_model(path),
        ),
        Format(
            "keras weights",
            "m.weights.h5",
            lambda model, path: model.save_weights(path),
            lambda model, path: model.load_weights(path),
        ),
        Format("conllu", "a.conllu", put(_TEXTS["conllu"]), corpus("conllu")),
        Format("columns", "a.conll", put(_TEXTS["columns"]), corpus("columns")),
        Format("jsonl", "a.jsonl", put(_TEXTS["jsonl"]), corpus("jsonl")),
        Format("tokens", "a.txt", put(_TEXTS["tokens"]), corpus("tokens")),
        Format("python", "a.py", put(SOURCE), corpus("python")),
        Format("parquet", "a.parquet", table("parquet"), corpus("parquet")),
        Format("arrow", "a.arrow", table("arrow"), corpus("parquet")),
        Format("csv", "a.csv", put(CSV), lambda model, path: all_of(read_csv_signals(path))),
        Format(
            "npy",
            "a.npy",
            put(array(SIGNALS)),
            lambda model, path: all_of(read_numpy_signals(path)),
        ),
        Format("npy labels", "marks.npy", labels_beside, labels),
        Format("vectors", "a.vec", put(VECTORS), lambda model, path: read_word_vectors(path)),
        Format(
            "settings", "a.toml", put(TOML), lambda model, path: settings_of(Settings, path, {})
        ),
    )
}

OWN = ("model", "weights", "checkpoint", "tagger", "signal tagger")
"""Those in the container of our own, with a checksum."""

TEXTS = ("conllu", "columns", "jsonl", "tokens", "python", "csv", "vectors")
"""Those of text, which gzip may have packed."""


def in_training(work: Callable[[Any], object]) -> None:
    """Do something with a model whose training begins, as `Checkpoints` does; no step is made."""
    model = es.Sequential([es.Input((2,)), layers.Dense(3), layers.Dense(1)])
    model.compile("adam", "mse")

    class Working(callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            work(model)
            model.stop_training = True

    watching = [
        callbacks.EarlyStopping("loss", restore_best_weights=True),
        callbacks.ReduceLROnPlateau("loss"),
        Working(),
    ]
    x = np.arange(12, dtype="float32").reshape(6, 2)
    model.fit(x, x[:, :1], batch_size=2, epochs=2, callbacks=watching, verbose=0)


def good_files(folder: Path) -> dict[str, bytes]:
    """Return a good file of each format."""
    found = {}

    def write(model: Any) -> None:
        for each in FORMATS.values():
            each.write(model, folder / each.file)
            found[each.name] = (folder / each.file).read_bytes()

    in_training(write)
    return found


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
