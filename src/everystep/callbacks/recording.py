"""Callbacks that keep the measures of each epoch: in memory, or in a file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from everystep import kinds
from everystep.callbacks.base import Callback, Logs
from everystep.core import Configurable, setting
from everystep.errors import FormatError
from everystep.formats.atomic import append, write_atomically
from everystep.kinds import Kind

PATH = Kind(
    kinds.PATH.wanted, lambda value: os.fspath(kinds.PATH.parse(value)), refused=(3, None, b"file")
)


class History(Callback):
    """What `fit` returns: the measures of each epoch.

    `history` is a dict with a list for each measure, `epoch` the list of the epochs.

    Example:
        >>> history = History()
        >>> history.on_train_begin()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.on_epoch_end(1, {"loss": 0.25})
        >>> history.epoch, history.history
        ([0, 1], {'loss': [0.5, 0.25]})
    """

    kept: ClassVar[Mapping[str, Any]] = {"epoch": list, "history": dict}

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def check_state(self, state: Mapping[str, Any]) -> None:
        """Refuse what are no measures of epochs."""
        super().check_state(state)
        epochs, columns = state["epoch"], state["history"].values()
        if not all(isinstance(each, list) and len(each) <= len(epochs) for each in columns):
            raise FormatError("the state kept of History has no list of values for each measure")
        if not all(map(_is_measure, [*epochs, *chain(*columns)])):
            raise FormatError("the state kept of History has measures that are no numbers")

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start the list of epochs anew."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Keep the measures of the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


def _is_measure(value: Any) -> bool:
    """Whether a value is a number, or an array of some."""
    try:
        return np.asarray(value).dtype.kind in "iuf"
    except ValueError:  # Lists of lists that differ in length.
        return False


class CSVLogger(Callback, Configurable, fills_settings=True):
    """Writes a line for each epoch into a table file: the epoch, then the measures by name.

    Args:
        filename: the file.
        separator: what stands between two values.
        append: whether to go on with a file that is there, instead of starting it anew.

    Raises:
        SettingError: a setting has a value that it cannot take.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     callback = CSVLogger(f"{folder}/training.csv")
        ...     callback.on_train_begin()
        ...     callback.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.75})
        ...     print(Path(folder, "training.csv").read_text().split())
        ['epoch,loss,val_loss', '0,0.5,0.75']
    """

    filename: str = setting(PATH)
    separator: str = setting(kinds.TEXT, default=",")
    append: bool = setting(kinds.BOOLEAN, default=False)

    kept: ClassVar[Mapping[str, Any]] = {"_names": list | None, "_needs_header": bool}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names: list[str] | None = None
        self._needs_header = True

    def get_state(self) -> dict[str, Any]:
        """Return the lines so far, beside the names of the columns."""
        text = Path(self.filename).read_bytes().decode("utf-8")
        return {**super().get_state(), "text": text}

    def check_state(self, state: Mapping[str, Any]) -> None:
        """Refuse what are no lines of a table."""
        super().check_state({name: value for name, value in state.items() if name != "text"})
        names, text = state["_names"] or [], state.get("text")
        if not all(isinstance(each, str) and _is_written(each) for each in [*names, text]):
            raise FormatError("the state kept of CSVLogger has no text of a table")

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on behind the lines that there were: later ones will come again."""
        super().set_state(state)
        text = state["text"].encode("utf-8")
        write_atomically(self.filename, lambda file: file.write(text))

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start the file, or look whether it has its header already."""
        path = Path(self.filename)
        there = self.append and path.exists()
        self._needs_header = not (there and path.stat().st_size)
        self._names = None
        if not there:
            path.write_bytes(b"")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the line of the epoch."""
        logs = logs or {}
        if self._names is None:
            self._names = _columns(logs)
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, delimiter=self.separator)
        if self._needs_header:
            writer.writerow(["epoch", *self._names])
        writer.writerow([epoch, *(_cell(logs.get(name, "NA")) for name in self._names)])
        append(self.filename, lines.getvalue().encode("utf-8"))
        self._needs_header = False


def _is_written(text: str) -> bool:
    """Whether a text can be written: half of a pair of surrogates cannot."""
    return not any("\ud800" <= each <= "\udfff" for each in text)


def _columns(logs: Iterable[str]) -> list[str]:
    """Return the names of the columns, with places for a validation that comes in a later epoch."""
    names = sorted(logs)
    if not any(name.startswith("val_") for name in names):
        names += [f"val_{name}" for name in names]
    return names


def _cell(value: Any) -> Any:
    if isinstance(value, str) or not np.ndim(value):
        return value
    return f'"[{", ".join(map(str, value))}]"'
