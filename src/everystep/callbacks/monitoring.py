"""What callbacks share that watch one measure: finding it, and knowing when it got better."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from everystep import kinds
from everystep.callbacks.base import Callback
from everystep.errors import SettingError

MODE = kinds.one_of("auto", "min", "max")

# Parts of the names of measures; `val_` and a number at the end say nothing of the direction.
_LESS_IS_BETTER = (
    "loss",
    "error",
    "entropy",
    "hinge",
    "divergence",
    "poisson",
    "perplexity",
    "log_cosh",
    "logcosh",
)
_MORE_IS_BETTER = ("acc", "auc", "precision", "recall", "f1", "fbeta", "iou", "r2", "similarity")
_SHORT = {"mse", "mae", "mape", "msle", "rmse", "kld", "kl"}


def direction_of(measure: str) -> str | None:
    """Return whether less or more of a measure is better, by its name; None if that is unknown.

    >>> direction_of("val_accuracy"), direction_of("mean_squared_error_1"), direction_of("speed")
    ('max', 'min', None)
    """
    name = re.sub(r"_\d+$", "", measure.removeprefix("val_")).lower()
    if name in _SHORT or any(part in name for part in _LESS_IS_BETTER):
        return "min"
    if any(part in name for part in _MORE_IS_BETTER):
        return "max"
    return None


BEST_VALUE = kinds.optional(kinds.NUMBER)
"""What a checkpoint may hold as the best value so far."""


class Monitor(Callback):
    """A callback that watches one measure; its settings are declared by each class of its own."""

    monitor: str
    """The measure, by the name under which `fit` reports it."""

    mode: str
    """`"min"` where less is better, `"max"` where more is, `"auto"` to go by the name."""

    best: float | None = None
    """The best value so far."""

    _was_there: bool = False

    def current(self, epoch: int, logs: Mapping[str, Any]) -> float | None:
        """Return the measure's value, or None in an epoch in which it is not due.

        Raises:
            SettingError: the measure is not measured.
        """
        if self.monitor in logs:
            self._was_there = True
            return float(logs[self.monitor])
        if self._was_there or self._not_due(epoch):
            return None
        there = ", ".join(logs) or "no measures"
        cure = (
            "Give fit validation_data or validation_split"
            if self.monitor.startswith("val_") and not any(n.startswith("val_") for n in logs)
            else "Watch one of these, or give compile the metric"
        )
        raise SettingError(
            f"{type(self).__name__} watches '{self.monitor}', which is not measured: there are "
            f"{there}. {cure}"
        )

    def _not_due(self, epoch: int) -> bool:
        """Whether the measure is one of validation, and this epoch goes without."""
        every = self.params.get("validation_freq") or 1
        return self.monitor.startswith("val_") and (epoch + 1) % every != 0

    def is_better(self, value: float, than: float | None, by: float = 0.0) -> bool:
        """Whether a value is better than another one, by more than a difference.

        NaN is never better. Anything else is better than None.
        """
        direction = self.direction()
        if value != value or than is None:
            return value == value
        return value + by < than if direction == "min" else value - by > than

    def direction(self) -> str:
        """Return whether less or more is better: `"min"` or `"max"`.

        Raises:
            SettingError: the mode is `"auto"`, and the name does not tell.
        """
        found = direction_of(self.monitor) if self.mode == "auto" else self.mode
        if found is None:
            raise SettingError(
                f"{type(self).__name__} cannot tell whether less or more of '{self.monitor}' is "
                "better: give it mode='min' or mode='max'"
            )
        return found
