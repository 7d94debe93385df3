"""Calling the hooks of several callbacks, with measures that are read only when somebody looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from everystep.callbacks.base import Callback, Logs
from everystep.errors import SettingError
from everystep.kinds import LISTED, checked, shown


class BatchLogs(Mapping[str, Any]):
    """The measures of a batch as floats, each read from the device when it is looked at.

    A measure of several numbers, such as a score for each class, is a list of floats.

    The device computes ahead of Python. A `float` of the last result waits until the device has
    caught up, so it is put off until a callback asks for it.

    Args:
        measures: the measures, numbers or scalars on the device.

    Example:
        >>> import jax.numpy as jnp
        >>> logs = BatchLogs({"loss": jnp.float32(0.5)})
        >>> logs["loss"], logs
        (0.5, {'loss': 0.5})
    """

    def __init__(self, measures: Mapping[str, Any]) -> None:
        self._measures = dict(measures)

    def __getitem__(self, name: str) -> Any:
        value = self._measures[name]
        if not isinstance(value, float | list):
            value = self._measures[name] = np.asarray(value, np.float64).tolist()
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._measures)

    def __len__(self) -> int:
        return len(self._measures)

    def __repr__(self) -> str:
        return repr(dict(self))


class CallbackList:
    """Several callbacks that are called as one, in their order.

    Args:
        callbacks: the callbacks.
        model: the model that they get.
        params: what they are told: `epochs` and `steps`.

    Raises:
        SettingError: something in the list is not a callback.

    Example:
        >>> from everystep.callbacks import History
        >>> history = History()
        >>> CallbackList([history], None, {}).on_epoch_end(0, {"loss": 0.5})
        >>> history.history
        {'loss': [0.5]}
    """

    @checked(callbacks=LISTED)
    def __init__(self, callbacks: Iterable[Any], model: Any, params: Mapping[str, Any]) -> None:
        self.callbacks: list[Callback] = []
        for callback in callbacks:
            # Keras's own callbacks have the same hooks and work as they are.
            if isinstance(callback, type) or not callable(getattr(callback, "set_model", None)):
                raise SettingError(
                    "callbacks must be a list of objects such as EarlyStopping(patience=2), but "
                    f"{shown(callback)} is in it"
                )
            callback.set_model(model)
            callback.set_params(params)
            self.callbacks.append(callback)
        self.callbacks.sort(key=lambda callback: getattr(callback, "runs_last", False))

    def on_train_begin(self, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_train_begin(logs)

    def on_train_end(self, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_train_end(logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Call the hook of each callback; what one adds to `logs` the next ones see."""
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Call the hook of each callback, with measures that are read when looked at."""
        logs = BatchLogs(logs or {})
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_test_begin(logs)

    def on_test_end(self, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_test_end(logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_test_batch_begin(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Call the hook of each callback, with measures that are read when looked at."""
        logs = BatchLogs(logs or {})
        for callback in self.callbacks:
            callback.on_test_batch_end(batch, logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_predict_begin(logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_predict_end(logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_predict_batch_begin(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Call the hook of each callback."""
        for callback in self.callbacks:
            callback.on_predict_batch_end(batch, logs)
