"""Callbacks that change the learning rate from epoch to epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from everystep import kinds
from everystep.callbacks.base import Callback, Logs, say
from everystep.callbacks.monitoring import BEST_VALUE, MODE, Monitor
from everystep.core import Configurable, setting
from everystep.errors import SettingError
from everystep.kinds import Kind


def _callable(value: Any) -> Any:
    if not callable(value):
        kinds.reject(value)
    return value


def _factor(value: Any) -> float:
    number = float(kinds.FRACTION.parse(value))
    if number == 0:
        kinds.reject(value)
    return number


FUNCTION = Kind("a function of the epoch and the learning rate", _callable, refused=(3, "x"))
FACTOR = Kind("a number between 0 and 1", _factor, refused=(0.0, 1.0, 2, "0.5"))


class LearningRateScheduler(Callback, Configurable):
    """Sets the learning rate before each epoch.

    Args:
        schedule: a function of the epoch (from 0) and the learning rate, or of the epoch alone;
            gives the new learning rate.
        verbose: 1 to say what was set.

    Raises:
        SettingError: the function does not give a number.

    Example:
        >>> import everystep as es
        >>> model = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
        >>> model.compile(es.optimizers.Adam(0.5), "mse")
        >>> callback = LearningRateScheduler(lambda epoch, rate: rate / 2)
        >>> callback.set_model(model)
        >>> callback.on_epoch_begin(0)
        >>> float(model.optimizer.learning_rate)
        0.25
    """

    schedule: Callable[..., Any] = setting(FUNCTION)
    verbose: int = setting(kinds.WHOLE, default=0)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Set the learning rate of the epoch."""
        before = float(self.model.optimizer.learning_rate)
        given = (epoch, before) if _takes_two(self.schedule) else (epoch,)
        rate = self.schedule(*given)
        if np.ndim(rate) or isinstance(rate, str | bool) or not np.isreal(rate):
            raise SettingError(
                f"LearningRateScheduler: schedule must give a number, but gave {rate!r}"
            )
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose:
            say(f"Epoch {epoch + 1}: setting the learning rate to {float(rate)}")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Report the learning rate with the measures of the epoch."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # Some built-in functions do not tell.
        return True
    return True


class ReduceLROnPlateau(Monitor, Configurable, fills_settings=True):
    """Lowers the learning rate when a measure has stopped getting better.

    Args:
        monitor: the measure, by the name under which `fit` reports it.
        factor: what the learning rate is multiplied by.
        patience: after how many epochs without getting better.
        verbose: 1 to say so.
        mode: `"min"` where less is better, `"max"` where more is, `"auto"` to go by the name.
        min_delta: by how much it must get better to count.
        cooldown: how many epochs after a change do not count.
        min_lr: the learning rate is not made lower than this.

    Raises:
        SettingError: a setting has a value that it cannot take, or the measure is not measured.

    Example:
        >>> import everystep as es
        >>> model = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
        >>> model.compile(es.optimizers.Adam(0.5), "mse")
        >>> callback = ReduceLROnPlateau("loss", factor=0.5, patience=1)
        >>> callback.set_model(model)
        >>> callback.on_train_begin()
        >>> for epoch, loss in enumerate([2.0, 2.0]):
        ...     callback.on_epoch_end(epoch, {"loss": loss})
        >>> float(model.optimizer.learning_rate)
        0.25
    """

    monitor: str = setting(kinds.TEXT, default="val_loss")
    factor: float = setting(FACTOR, default=0.1)
    patience: int = setting(kinds.WHOLE, default=10)
    verbose: int = setting(kinds.WHOLE, default=0)
    mode: str = setting(MODE, default="auto")
    min_delta: float = setting(kinds.NUMBER, default=1e-4)
    cooldown: int = setting(kinds.WHOLE, default=0)
    min_lr: float = setting(kinds.NOT_NEGATIVE, default=0.0)

    kept: ClassVar[Mapping[str, Any]] = {
        "best": BEST_VALUE,
        "wait": kinds.WHOLE,
        "cooldown_counter": kinds.WHOLE,
        "_was_there": bool,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Forget an earlier training."""
        self.best = None
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare the epoch with the best one so far."""
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        current = self.current(epoch, logs)
        if current is None:
            return
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(current, self.best, abs(self.min_delta)):
            self.best = current
            self.wait = 0
        elif not self.cooldown_counter:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        before = float(self.model.optimizer.learning_rate)
        # The optimizer may keep its rate in single precision, so the bound is compared in that.
        if before <= np.float32(self.min_lr):
            return
        rate = max(before * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = rate
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose:
            say(f"Epoch {epoch + 1}: reducing the learning rate to {rate}")
