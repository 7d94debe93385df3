"""What a tagger of signals is made of and how it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from everystep.errors import SettingError
from everystep.tagging.ranges import Range, Ranged, number, one_of, setting, whole

_SIZE = whole(1, 65_536)
_FEW = whole(0, 64)
_STEPS = whole(1, 2**24)


def _are_names(value: Any) -> bool:
    if not isinstance(value, tuple):
        return False
    return all(isinstance(each, str) and each for each in value) and len(set(value)) == len(value)


_NAMES = Range("different names, of label 0, 1 and so on", _are_names)
_RATE = Range(
    "a number above 0 to 1e+09, or none",
    lambda value: value is None or number(0, 1e9).holds(value),
)


@dataclass(frozen=True)
class SignalSettings(Ranged):
    """The settings of a `SignalTagger`, all of them plain values that TOML and JSON can hold.

    Several steps that follow one another are folded into one, whose features are the values of all:
    the network then takes that many fewer, and gives a label for each of what is folded. The
    defaults were chosen on 160 of LUDB's records, those that the first of five folds learns from.

    Args:
        window: how many steps the network reads at once, where it reads in both directions, and in
            training. A multiple of `fold`.
        overlap: how many of them a window shares with the next. A step is labelled by the window in
            which it has at least half of this before and behind it. A multiple of `fold`.
        fold: how many steps are folded into one.
        convolutions: how many convolutions stand in front.
        filters: how many filters each has.
        kernel: how many folded steps each reads.
        cell: what reads on: `"lstm"` or `"gru"`.
        layers: how many of these are stacked.
        units: units in each direction.
        direction: `"both"`, or `"forward"` for a network that reads no step behind the one that it
            labels, so that a live signal is labelled without delay.
        dropout: the share of features that are left out in training, behind each layer.
        batch_size: about how many windows a step of training reads.
        epochs: how often training goes through all signals at most.
        learning_rate: the first rate of Adam, which falls to zero in a straight line.
        clip: the largest norm of all gradients together.
        patience: after how many epochs without a better accuracy on dev training ends.
        rate: steps a second, for errors in milliseconds; none if it is not known.
        ignore: the label of steps that have none: they count neither in training nor in scores.
        names: the names of labels 0, 1 and so on, of which the first is the background; if there
            are none, the numbers that training saw.
        seed: where all random numbers come from.

    Raises:
        SettingError: a value is out of its range; the message names all of them.

    Example:
        >>> SignalSettings(units=32).units
        32
        >>> SignalSettings(window=500, overlap=500)
        Traceback (most recent call last):
            ...
        everystep.errors.SettingError: overlap: expected less than the window, 500, got 500
    """

    window: int = setting(2000, _STEPS)
    overlap: int = setting(1000, whole(0, 2**24))
    fold: int = setting(8, whole(1, 1024))
    convolutions: int = setting(2, _FEW)
    filters: int = setting(64, _SIZE)
    kernel: int = setting(7, whole(1, 1024))
    cell: str = setting("lstm", one_of("lstm", "gru"))
    layers: int = setting(2, _FEW)
    units: int = setting(64, _SIZE)
    direction: str = setting("both", one_of("both", "forward"))
    dropout: float = setting(0.3, number(0, 0.95, including=True))
    batch_size: int = setting(16, _SIZE)
    epochs: int = setting(16, _SIZE)
    learning_rate: float = setting(4e-3, number(0, 10))
    clip: float = setting(5.0, number(0, 1e6))
    patience: int = setting(5, _SIZE)
    rate: float | None = setting(None, _RATE)
    ignore: int = setting(255, whole(0, 2**31 - 1))
    names: Sequence[str] = setting((), _NAMES)
    seed: int = setting(1, whole(0))

    def __post_init__(self) -> None:
        if isinstance(self.names, list):
            object.__setattr__(self, "names", tuple(self.names))
        super().__post_init__()
        if self.overlap >= self.window:
            raise SettingError(
                f"overlap: expected less than the window, {self.window}, got {self.overlap}"
            )
        for name in ("window", "overlap"):
            if getattr(self, name) % self.fold:
                raise SettingError(
                    f"{name}: expected a multiple of fold, {self.fold}, got {getattr(self, name)}"
                )
        if self.ignore < len(self.names):
            raise SettingError(
                f"ignore: expected no label that has a name, {self.names[self.ignore]!r}, "
                f"got {self.ignore}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain data, from which `from_dict` makes equal ones."""
        return {**super().to_dict(), "names": list(self.names)}
