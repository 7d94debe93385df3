"""All that everystep writes into files, as a table: a fault that meets one may meet any."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import h5py
import jax
import jax.export
import numpy as np

import everystep as es
from everystep import drawing, layers
from everystep.callbacks import CSVLogger
from everystep.cli import demo, train
from everystep.cli.showing import Drawn
from everystep.corpora.readers.parquet import write_table
from everystep.corpora.sentences import Sentence
from everystep.corpora.vocabulary import Vocabulary
from everystep.drawing.figures_picture import confusion_svg
from everystep.formats import write_tensors
from everystep.formats.atomic import write_text_atomically
from everystep.formats.keras_archive import read_archive
from everystep.tagging import SignalSettings
from everystep.tagging.batches import Rows
from everystep.tagging.features import Features
from everystep.tagging.files import write_tagger
from everystep.tagging.model import TaggerModel
from everystep.tagging.settings import Settings
from everystep.tagging.signals.features import Scale
from everystep.tagging.signals.files import write_signal_tagger
from everystep.tagging.signals.model import SignalModel
from tests.drawing.reports import small_report
from tests.tagging.signals.pulses import SMALL as SMALL_SIGNALS


@dataclass(frozen=True)
class Writer:
    """One thing that is written.

    Args:
        name: the file.
        write: writes it as it is at a time, a number.
        read: reads it, so that two whole files of one time are equal.
        also: another file that it writes beside it.
        grows: whether it is written behind what is there, in one move that closing may follow.
    """

    name: str
    write: Callable[[Path, int], object]
    read: Callable[[Path], Any] = Path.read_bytes
    also: str | None = None
    grows: bool = False

    def paths(self, folder: Path) -> list[Path]:
        """Return where its files are in a folder."""
        return [folder / name for name in (self.name, self.also) if name is not None]


def writers() -> tuple[Writer, ...]:
    """Return the table. To write something new, put it in here as well."""
    return (
        Writer("model.everystep", lambda path, time: _model(time).save(path)),
        Writer("model.keras", lambda path, time: _model(time).save(path), _read_keras),
        Writer("weights.safetensors", lambda path, time: _model(time).save_weights(path)),
        Writer("all.weights.h5", lambda path, time: _model(time).save_weights(path), _read_hdf5),
        Writer("program", _write_program),
        Writer("0000000007.checkpoint", _write_checkpoint),
        Writer("tagger.everystep", _write_tagger),
        Writer("signals.everystep", _write_signals),
        Writer("record.json", lambda path, time: train._write(path, {"seed": time})),
        Writer("curve.svg", _write_curve),
        Writer("confusion.svg", _write_confusion),
        Writer("explained.html", lambda path, time: Drawn([(str(path), f"<p>{time}")]).give()),
        Writer("index.html", _write_report, also="metrics.json"),
        Writer("log.csv", _write_log, grows=True),
        Writer("sentences.parquet", _write_sentences),
        Writer("restored.csv", _restore_log),
    )


@cache
def _model(time: int) -> Any:
    model = es.Sequential([layers.Input((4, 2)), layers.Dense(3, name="dense")], name="model")
    model.compile("sgd", "mse")
    model.set_weights([np.full(each.shape, time, "float32") for each in model.get_weights()])
    return model


def _write_program(path: Path, time: int) -> None:
    """What JAX makes of a model takes its time, so it is made once."""
    program = _program(time)
    with patch.object(jax.export, "export", lambda *_, **__: lambda *_: program):
        _model(time).export(path)


@cache
def _program(time: int) -> jax.export.Exported:
    return jax.export.export(jax.jit(lambda x: time * x))(np.zeros(3, "float32"))


def _read_keras(path: Path) -> tuple[bytes, dict[str, float]]:
    """All but the time at which it was written."""
    archive = read_archive(path)
    return archive.config, _read_hdf5(io.BytesIO(archive.weights))


def _read_hdf5(path: Path | io.BytesIO) -> dict[str, float]:
    found: dict[str, float] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, each: (
                found.update({name: float(each[()].sum())} if each.shape else {})
                if isinstance(each, h5py.Dataset)
                else None
            )
        )
    return found


def _write_checkpoint(path: Path, time: int) -> None:
    tensors = {"weights/a": np.full(5000, time), "weights/b": np.full((2, 3), time, "float32")}
    write_tensors(path, tensors, {"training": str(time)})


@cache
def _tagger() -> TaggerModel:
    settings = Settings(embedding=3, character_embedding=2, character_units=2, units=3)
    labels = Vocabulary(["X", "Y"], reserved=False)
    return TaggerModel(settings, Features.of([["a", "b"]], settings), labels, Rows(2, 9))


def _write_tagger(path: Path, time: int) -> None:
    write_tagger(path, _tagger(), {"time": time})


@cache
def _signals() -> SignalModel:
    scale = Scale(np.array([1.0, -2.0]), np.array([0.5, 3.0]))
    return SignalModel(SignalSettings.from_dict(SMALL_SIGNALS), scale, ("rest", "beat"))


def _write_signals(path: Path, time: int) -> None:
    write_signal_tagger(path, _signals(), {"time": time})


def _write_curve(path: Path, time: int) -> None:
    curve = {"loss": [3.0, 2.0 + time], "dev_accuracy": [0.5, 0.75]}
    write_text_atomically(path, train._curve({"curve": curve}))


def _write_confusion(path: Path, time: int) -> None:
    matrix: Any = {"labels": ["X", "Y"], "counts": [[3, time], [0, 2]]}
    write_text_atomically(path, confusion_svg(matrix))


def _write_report(path: Path, time: int) -> None:
    """The page takes its time to draw, so another one stands for it."""
    report = small_report()
    report["seconds"]["whole run"] = time
    with patch.object(drawing, "demonstration_page", lambda report: f"<p>{time}"):
        demo._write_results(report, path.parent)


def _write_sentences(path: Path, time: int) -> None:
    write_table(path, [Sentence((f"word{time}", "b"), ("X", "Y"))] * 3, "labels")


def _restore_log(path: Path, time: int) -> None:
    log = CSVLogger(str(path))
    log.set_state({"_names": ["loss"], "_needs_header": False, "text": f"epoch,loss\n0,{time}\n"})


def _write_log(path: Path, time: int) -> None:
    """One line more than at the time before."""
    log = CSVLogger(str(path), append=True)
    log.on_train_begin()
    log.on_epoch_end(time, {"loss": time / 2})
