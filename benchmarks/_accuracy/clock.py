"""How long training takes to be good enough, from the start of its process."""

import statistics
import time
from itertools import pairwise
from typing import Any

from benchmarks._question import Sizes


class EnoughError(Exception):
    """The target is reached, or the time is up: a way out of any library's loop."""


class Clock:
    """Watches the training of a peer, which tells it of each step and of its accuracy on dev.

    Args:
        began: when the process was started, in seconds since 1970.
        sizes: the accuracy that is wanted, and how many minutes there are.
    """

    def __init__(self, began: float, sizes: Sizes) -> None:
        self._began = began
        self._target, self._limit = float(sizes["target"]), 60.0 * int(sizes["minutes"])
        self._steps: list[float] = []
        self._curve: list[tuple[float, float, float]] = []

    def step(self) -> None:
        """Hear of a step of training.

        Raises:
            EnoughError: the time is up.
        """
        self._steps.append(self._now)
        if self._now > self._limit:
            raise EnoughError

    def epoch(self, accuracy: float) -> None:
        """Hear how good the model is on dev.

        Raises:
            EnoughError: it is good enough.
        """
        self._curve.append((self._now, time.process_time(), accuracy))
        if accuracy >= self._target:
            raise EnoughError

    @property
    def _now(self) -> float:
        return time.time() - self._began

    def facts(self) -> dict[str, Any]:
        """What happened: numbers, and the curve as seconds, seconds of all cores and accuracy."""
        later = self._steps[len(self._steps) // 2 :]
        took = [end - start for start, end in pairwise(later)]
        best = max((accuracy for *_, accuracy in self._curve), default=0.0)
        return {
            "reached": best >= self._target,
            "accuracy": best,
            "epochs": len(self._curve),
            "steps": len(self._steps),
            "CPU s": time.process_time(),
            "first step s": self._steps[0] if self._steps else self._now,
            "later step ms": 1e3 * statistics.median(took) if took else 0.0,
            "curve": self._curve,
        }
