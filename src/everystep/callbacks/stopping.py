"""Callbacks that end training: when it no longer helps, or when it has gone wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from everystep import kinds
from everystep.callbacks.base import Callback, Logs, say
from everystep.callbacks.monitoring import BEST_VALUE, MODE, Monitor
from everystep.core import Configurable, setting
from everystep.errors import DataError, FormatError


class EarlyStopping(Monitor, Configurable, fills_settings=True):
    """Ends training when a measure has stopped getting better.

    Args:
        monitor: the measure, by the name under which `fit` reports it.
        min_delta: by how much it must get better to count.
        patience: after how many epochs without that training ends.
        verbose: 1 to say so.
        mode: `"min"` where less is better, `"max"` where more is, `"auto"` to go by the name.
        baseline: a value that must be beaten as well.
        restore_best_weights: whether to go back to the weights of the best epoch at the end.
        start_from_epoch: the first epoch that counts.

    Raises:
        SettingError: a setting has a value that it cannot take, or the measure is not measured.

    Example:
        >>> import everystep as es
        >>> model = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
        >>> callback = EarlyStopping("loss", patience=2)
        >>> callback.set_model(model)
        >>> callback.on_train_begin()
        >>> for epoch, loss in enumerate([3.0, 2.0, 2.0, 2.5]):
        ...     callback.on_epoch_end(epoch, {"loss": loss})
        >>> model.stop_training, callback.best_epoch, callback.stopped_epoch
        (True, 1, 3)
    """

    monitor: str = setting(kinds.TEXT, default="val_loss")
    min_delta: float = setting(kinds.NUMBER, default=0.0)
    patience: int = setting(kinds.WHOLE, default=0)
    verbose: int = setting(kinds.WHOLE, default=0)
    mode: str = setting(MODE, default="auto")
    baseline: float | None = setting(kinds.optional(kinds.NUMBER), default=None)
    restore_best_weights: bool = setting(kinds.BOOLEAN, default=False)
    start_from_epoch: int = setting(kinds.WHOLE, default=0)

    kept: ClassVar[Mapping[str, Any]] = {
        "wait": kinds.WHOLE,
        "stopped_epoch": kinds.WHOLE,
        "best_epoch": kinds.WHOLE,
        "best": BEST_VALUE,
        "best_weights": list | None,
        "_was_there": bool,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._forget()

    def _forget(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: list[Any] | None = None

    def check_state(self, state: Mapping[str, Any]) -> None:
        """Refuse best weights that are not those of the model."""
        super().check_state(state)
        kept = state["best_weights"]
        if kept is None or self.model is None:
            return
        wanted = [(each.shape, str(each.dtype)) for each in self.model.weights]
        if [(getattr(e, "shape", None), str(getattr(e, "dtype", None))) for e in kept] != wanted:
            raise FormatError("the state kept of EarlyStopping has best_weights of another model")

    def on_train_begin(self, logs: Logs = None) -> None:
        """Forget an earlier training."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare the epoch with the best one so far."""
        current = self.current(epoch, logs or {})
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)
        self.wait += 1
        if self.is_better(current, self.best, abs(self.min_delta)):
            self.best = current
            self._keep(epoch)
            if self.baseline is None or self.is_better(current, self.baseline, abs(self.min_delta)):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs: Logs = None) -> None:
        """Go back to the best weights, if that is wanted."""
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                say(f"Restoring model weights from the best epoch: {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback, Configurable):
    """Ends training when the loss becomes NaN or infinite.

    It reads the loss after every batch, which waits for the device each time.

    Args:
        raise_error: whether to raise an error instead of ending training as if it were done.

    Raises:
        DataError: the loss is NaN or infinite, and `raise_error` is set.

    Example:
        >>> import everystep as es
        >>> model = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
        >>> callback = TerminateOnNaN()
        >>> callback.set_model(model)
        >>> callback.on_train_batch_end(7, {"loss": float("nan")})
        Batch 7: the loss is nan, training ends
        >>> model.stop_training
        True
    """

    raise_error: bool = setting(kinds.BOOLEAN, default=False)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise DataError(
                f"the loss is {loss} after batch {batch}: lower the learning rate, clip the "
                "gradients, or look for NaN in the data"
            )
        say(f"Batch {batch}: the loss is {loss}, training ends")
        self.model.stop_training = True
