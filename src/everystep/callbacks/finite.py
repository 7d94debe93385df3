"""The callback that lets no step change the weights whose loss or gradients are no numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np

from everystep import kinds
from everystep.callbacks.base import Callback, Logs
from everystep.callbacks.recording import PATH
from everystep.core import Configurable, setting
from everystep.core.warning import warn_user
from everystep.errors import DataError
from everystep.formats import write_tensors
from everystep.formats.atomic import make_folder

_NAMED = 3
"""How many weights, and how many places in a batch, a message names."""


class FiniteGuard(Callback, Configurable, fills_settings=True):
    """Lets a step whose loss or gradients are NaN or infinite change nothing; stops or goes on.

    Weights, states of layers, the optimizer's state and the metrics are then those before the step,
    so that no checkpoint and no later step ever sees what is no number. The message names the step,
    the weights whose gradients are not finite, and where the batch itself is not.

    Looking waits for the device after each step, and `steps_per_execution` is as if it were 1.
    Gradients that a `LossScaleOptimizer` gets are its own affair; the loss is looked at as ever.

    Args:
        action: `"stop"` raises an error; `"skip"` warns, leaves the step out and goes on.
        folder: where the batch, and all that the step depended on, is kept for a look at it: a
            file `step-N.safetensors`, with the arrays of the batch under `batch/`, the weights
            under `weights/`. None keeps nothing.
        patience: with `"skip"`, how many steps in a row may be left out; one more raises the error.

    Raises:
        SettingError: a setting has a value that it cannot take.
        DataError: a step was not finite, and is not to be left out.
        OSError: the batch cannot be written.

    Example:
        >>> import everystep as es, numpy as np, warnings
        >>> model = es.Sequential([es.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile("sgd", "mse")
        >>> x, y = np.array([[1.0], [np.nan], [1.0]], "float32"), np.ones(3)
        >>> guard = FiniteGuard("skip")
        >>> with warnings.catch_warnings(action="ignore"):
        ...     _ = model.fit(x, y, batch_size=1, shuffle=False, callbacks=[guard])
        >>> guard.skipped, bool(np.isfinite(model.get_weights()[0]).all())
        (1, True)
    """

    action: str = setting(kinds.one_of("stop", "skip"), default="stop")
    folder: str | None = setting(kinds.optional(PATH), default=None)
    patience: int = setting(kinds.WHOLE, default=10)

    skipped: int = 0
    """How many steps of the training were left out."""

    kept: ClassVar[Mapping[str, Any]] = {"skipped": kinds.WHOLE, "_in_a_row": kinds.WHOLE}
    _in_a_row: int = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Have every step looked at."""
        self.skipped = self._in_a_row = 0
        self.model.running.closing.enter_context(_watched(self.model.running.programs))

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Look at the step that was done."""
        soundness = jax.device_get(self.model.running.programs.soundness)
        if np.isfinite(soundness.loss) and all(soundness.gradients.values()):
            self._in_a_row = 0
            return
        self.skipped, self._in_a_row = self.skipped + 1, self._in_a_row + 1
        goes_on = self.action == "skip" and self._in_a_row <= self.patience
        running, step = self.model.running, self.model._steps_done
        message = (
            f"step {step} (epoch {running.epoch + 1}, batch {batch + 1}) "
            f"{'is left out' if goes_on else 'changed nothing, and training ends'}: "
            f"{_told(soundness)}{_places(running.given[0])}{self._keep(step)}"
        )
        if not goes_on:
            raise DataError(
                f"{message}. Lower the learning rate, clip the gradients, or look for what is no "
                "number in the data"
            )
        warn_user(message)

    def _keep(self, step: int) -> str:
        """Write what the step depended on, and say where."""
        if self.folder is None:
            return ""
        make_folder(self.folder)
        path = Path(self.folder, f"step-{step}.safetensors")
        contents = self.model.training_state()
        batch = {f"batch/{name}": array for name, array in _named(self.model.running.given[0])}
        write_tensors(path, contents.tensors | batch, contents.metadata)
        return f". {path} holds the batch and the weights"


@contextmanager
def _watched(programs: Any) -> Iterator[None]:
    """Let programs watch their steps."""
    programs.watched = True
    try:
        yield
    finally:
        programs.watched = False


def _named(batch: Any) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Give the arrays of a batch with their names."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(batch):
        yield jax.tree_util.keystr(path, simple=True, separator="/"), np.asarray(leaf)


def _told(soundness: Any) -> str:
    """Say what is not finite."""
    wrong = [path for path, finite in soundness.gradients.items() if not finite]
    more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    names = f"the gradients of {', '.join(wrong[:_NAMED])}{more}"
    if np.isfinite(soundness.loss):
        return f"its loss is {soundness.loss:.6g}, but not finite are {names}"
    return f"its loss is {soundness.loss}" + (f", as are {names}" if wrong else "")


def _places(batch: Any) -> str:
    """Say where a batch itself is not finite."""
    places = []
    for name, array in _named(batch):
        if np.issubdtype(array.dtype, np.inexact):
            wrong = np.argwhere(~np.isfinite(array))
            places += [f"{name}{place.tolist()} is {array[tuple(place)]}" for place in wrong[:1]]
    return f". In the batch {', '.join(places[:_NAMED])}" if places else ""
