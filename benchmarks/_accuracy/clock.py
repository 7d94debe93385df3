"""How long training takes to be good enough, from the start of its process."""

import time
from typing import Any

import numpy as np

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
        self._steps: list[tuple[float, float]] = []
        self._curve: list[tuple[float, float, float]] = []

    def step(self) -> None:
        """Hear of a step of training.

        Raises:
            EnoughError: the time is up.
        """
        self._steps.append((self._now, time.process_time()))
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
        count = len(self._steps)
        first, *_ = self._steps or [(self._now, time.process_time())]
        took = np.diff(np.array(self._steps[count // 2 :] or [first]), axis=0)
        later = np.median(took, axis=0) if len(took) else np.zeros(2)
        best = max((accuracy for *_, accuracy in self._curve), default=0.0)
        return {
            "reached": best >= self._target,
            "accuracy": best,
            "epochs": len(self._curve),
            "steps": count,
            "CPU s": time.process_time(),
            "first step s": first[0],
            "first step CPU s": first[1],
            "later step ms": 1e3 * float(later[0]),
            "later step CPU ms": 1e3 * float(later[1]),
            "curve": self._curve,
        }
