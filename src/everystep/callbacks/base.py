"""What every callback is: hooks that do nothing until somebody defines them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from everystep.core.registry import unknown
from everystep.errors import FormatError, SettingError
from everystep.kinds import Kind, shown

Logs = Any  # A mapping from measure to float, or None: the subclass of a user need not say which.


class Callback:
    """Base of all callbacks: override the hooks that you need.

    `self.model` is the model and `self.params` a dict with `epochs` and `steps`, the number of
    batches. To end training early, set `self.model.stop_training = True`.

    In the hooks of a batch, `logs` holds numbers that are still being computed: reading one waits
    for the device, not reading them costs nothing.

    Example:
        >>> class Largest(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.loss = max(getattr(self, "loss", 0), logs["loss"])
        >>> callback = Largest()
        >>> for epoch, loss in enumerate([0.5, 0.75, 0.25]):
        ...     callback.on_epoch_end(epoch, {"loss": loss})
        >>> callback.loss
        0.75
    """

    model: Any = None
    params: Mapping[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Remember the model that is trained or used."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Remember how many epochs and batches there are."""
        self.params = params

    runs_last: ClassVar[bool] = False
    """Whether its hooks are called behind those of all other callbacks."""

    kept: ClassVar[Mapping[str, Any]] = {}
    """The attributes that a checkpoint of the training keeps, plain data and arrays, and what each
    may be: a type, or a `Kind` of setting."""

    def get_state(self) -> dict[str, Any]:
        """Return what a checkpoint of the training keeps: by default the attributes in `kept`."""
        return {name: getattr(self, name) for name in self.kept}

    def check_state(self, state: Mapping[str, Any]) -> None:
        """Refuse what `get_state` cannot have returned, before anything of a training is changed.

        Raises:
            FormatError: the state is that of another class, or says what none can.
        """
        if state.keys() != self.kept.keys():
            raise FormatError(
                f"the state kept of {type(self).__name__} has {', '.join(state) or 'nothing'}, "
                f"not {', '.join(self.kept) or 'nothing'}"
            )
        for name, kind in self.kept.items():
            if not _is_of(kind, state[name]):
                raise FormatError(
                    f"the state kept of {type(self).__name__} cannot have {state[name]!r:.40} as "
                    f"{name}"
                )

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `get_state` returned; called after all `on_train_begin`.

        Raises:
            FormatError: as of `check_state`.
        """
        self.check_state(state)
        for name in self.kept:
            setattr(self, name, state[name])

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called once before training."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Called once after training, with the measures of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called before each epoch; epochs count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called after each epoch with its measures, those of validation under `val_` names."""

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Another name for `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Another name for `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of training, with the measures of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Called once before evaluation or validation."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Called once after evaluation or validation, with its measures."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of evaluation, with the measures so far."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Called once before prediction."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Called once after prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of prediction."""


def _is_of(kind: Any, value: Any) -> bool:
    """Whether a value is of a type, or of a kind of setting."""
    if not isinstance(kind, Kind):
        # To Python, True is a whole number.
        return isinstance(value, bool) == (kind is bool) and isinstance(value, kind)
    try:
        kind.parse(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
"""The names of all hooks."""


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        **hooks: a function for each hook that you need, such as `on_epoch_end`; it takes what the
            hook takes: `(epoch, logs)`, `(batch, logs)` or `(logs)`.

    Raises:
        SettingError: there is no hook of that name, or what was given is not a function.

    Example:
        >>> losses = []
        >>> keep = LambdaCallback(on_epoch_end=lambda epoch, logs: losses.append(logs["loss"]))
        >>> keep.on_epoch_end(0, {"loss": 0.5})
        >>> losses
        [0.5]
    """

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        super().__init__()
        for name, function in hooks.items():
            if name not in HOOKS:
                raise SettingError(f"LambdaCallback: {unknown('hook', name, HOOKS)}")
            if function is None:
                continue
            if not callable(function):
                raise SettingError(
                    f"LambdaCallback: {name} must be a function, not {shown(function)}"
                )
            setattr(self, name, function)


def say(message: str) -> None:
    """Write a line to standard output, where `verbose` asks for it."""
    # A progress bar that is on the screen catches what goes to sys.stdout and puts it above itself.
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()
