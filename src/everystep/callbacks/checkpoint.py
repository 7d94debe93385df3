"""The callback that saves the model while it is trained."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from everystep import kinds
from everystep.callbacks.base import Logs, say
from everystep.callbacks.monitoring import BEST_VALUE, MODE, Monitor
from everystep.callbacks.recording import PATH
from everystep.core import Configurable, setting
from everystep.errors import SettingError
from everystep.formats import MODEL_SUFFIXES, WEIGHTS_SUFFIXES, suffix_of
from everystep.kinds import Kind


def _frequency(value: Any) -> Any:
    return value if value == "epoch" else kinds.POSITIVE.parse(operator.index(value))


FREQUENCY = Kind(
    "'epoch' or a positive number of batches", _frequency, refused=("batch", 0, -1, 2.5)
)


class ModelCheckpoint(Monitor, Configurable, fills_settings=True):
    """Saves the model, or its weights, after each epoch or after so many batches.

    Args:
        filepath: where to save; may name the epoch and measures, as in
            `"run/{epoch:02d}-{val_loss:.2f}.everystep"`, where epochs count from 1.
        monitor: the measure that says which epoch is best.
        verbose: 1 to say what was saved.
        save_best_only: whether to save only when the measure is the best one so far.
        save_weights_only: whether to save the weights alone.
        mode: `"min"` where less is better, `"max"` where more is, `"auto"` to go by the name.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: a value of the measure that must be beaten to be saved at all.

    Raises:
        SettingError: a setting has a value that it cannot take, or the measure is not measured.
        FormatError: no format that this version writes has the suffix of the path.

    Example:
        >>> import everystep as es, tempfile
        >>> model = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     callback = ModelCheckpoint(f"{folder}/best-{{epoch:02d}}.everystep", "loss",
        ...                                save_best_only=True)
        ...     callback.set_model(model)
        ...     for epoch, loss in enumerate([3.0, 4.0, 2.0]):
        ...         callback.on_epoch_begin(epoch)
        ...         callback.on_epoch_end(epoch, {"loss": loss})
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['best-01.everystep', 'best-03.everystep']
    """

    filepath: str = setting(PATH)
    monitor: str = setting(kinds.TEXT, default="val_loss")
    verbose: int = setting(kinds.WHOLE, default=0)
    save_best_only: bool = setting(kinds.BOOLEAN, default=False)
    save_weights_only: bool = setting(kinds.BOOLEAN, default=False)
    mode: str = setting(MODE, default="auto")
    save_freq: str | int = setting(FREQUENCY, default="epoch")
    initial_value_threshold: float | None = setting(kinds.optional(kinds.NUMBER), default=None)

    kept: ClassVar[Mapping[str, Any]] = {
        "best": BEST_VALUE,
        "_was_there": bool,
        "_epoch": kinds.WHOLE,
        "_batches": kinds.WHOLE,
        "_latest": kinds.INTEGER,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # At once, and not only when the first epoch is over.
        suffix_of(self.filepath, WEIGHTS_SUFFIXES if self.save_weights_only else MODEL_SUFFIXES)
        self.best = self.initial_value_threshold
        self._epoch = self._batches = 0
        self._latest = -1

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note which epoch it is."""
        self._epoch, self._latest = epoch, -1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save, if enough batches have gone by."""
        if self.save_freq == "epoch":
            return
        # Several batches may have run together.
        self._batches += batch - self._latest
        self._latest = batch
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._consider(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save, if the epoch is worth it."""
        if self.save_freq == "epoch":
            self._consider(epoch, logs or {})

    def _consider(self, epoch: int, logs: Mapping[str, Any]) -> None:
        path = self._path(epoch, logs)
        if self.save_best_only and not self._is_best(epoch, logs):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose:
            say(f"Epoch {epoch + 1}: saved to {path}")

    def _is_best(self, epoch: int, logs: Mapping[str, Any]) -> bool:
        current = self.current(epoch, logs)
        if current is None:
            return False
        before = "none" if self.best is None else f"{self.best:.5f}"
        if self.is_better(current, self.best):
            if self.verbose:
                say(f"Epoch {epoch + 1}: {self.monitor} from {before} to {current:.5f}")
            self.best = current
            return True
        if self.verbose:
            say(f"Epoch {epoch + 1}: {self.monitor} is not better than {before}")
        return False

    def _path(self, epoch: int, logs: Mapping[str, Any]) -> Path:
        try:
            return Path(os.fspath(self.filepath).format(epoch=epoch + 1, **logs))
        except (KeyError, IndexError, ValueError) as error:
            raise SettingError(
                f"ModelCheckpoint: the file path '{self.filepath}' cannot be filled in ({error}): "
                f"it may name epoch, {', '.join(logs)}"
            ) from None
