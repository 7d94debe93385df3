"""Training that goes on after an interruption as if there had been none."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from everystep.callbacks import Callback, EarlyStopping
from everystep.callbacks.base import Logs
from everystep.core.variables import Variable
from everystep.errors import FormatError
from everystep.formats import parse_json, read_tensors, write_json, write_tensors
from everystep.models import Model
from everystep.models.keras_optimizer import optimizer_places_of
from everystep.models.matching import matched, places_of
from everystep.models.rebuilding import set_weights, values_of
from everystep.tagging.ranges import Ranged

_STATE, _BEST, _WEIGHTS = "training", "best/", "weights/"
_STOPPING: dict[str, Any] = {
    "wait": int,
    "stopped_epoch": int,
    "best_epoch": int,
    "best": int | float | None,
}
_TEXT: dict[str, Any] = {
    "identity": str,
    "epoch": int,
    "steps": int,
    "seconds": int | float,
    "ended": bool,
    "curve": dict,
    "stopping": dict,
}


class Counted(Model):
    """A network whose training goes on where another one was interrupted."""

    @property
    def steps_done(self) -> int:
        """How many steps it was trained."""
        return self._steps_done

    def go_on(self, epochs: int, steps: int) -> None:
        """Let training go on as if so many epochs and steps were done."""
        self._epochs_done, self._steps_done = epochs, steps


class Batches(Protocol):
    """The batches of an epoch by number, others in each epoch."""

    @property
    def fill(self) -> float:
        """The share of cells that are real steps."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> Any: ...

    def on_epoch_end(self) -> None:
        """Make the batches of the next epoch."""
        ...

    def go_on(self, epoch: int) -> None:
        """Make the batches of an epoch, as if all before it were done."""
        ...


class Resumable(Callback):
    """Keeps in a file after each epoch all that the next ones need.

    Args:
        path: the file; replaced in one move after each epoch.
        network: the network, compiled.
        batches: what it is trained on.
        stopping: what keeps the best weights, if anything does.
        identity: what settings and data must be the same, as text.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        network: Counted,
        batches: Batches,
        stopping: EarlyStopping | None,
        identity: str,
    ) -> None:
        super().__init__()
        self._path, self._network, self._batches = Path(path), network, batches
        self._stopping, self._identity = stopping, identity
        self._text: dict[str, Any] = {
            "identity": identity,
            "ended": False,
            "curve": {},
            "stopping": {},
        }
        self._best: list[Any] | None = None
        self._began, self._before = time.monotonic(), 0.0

    @property
    def curve(self) -> dict[str, list[float]]:
        """The measures of all epochs, those before an interruption too."""
        found: dict[str, list[float]] = self._text["curve"]
        return found

    @property
    def seconds(self) -> float:
        """How long training has taken, without what an interruption lost."""
        return self._before + time.monotonic() - self._began

    def go_on(self) -> int:
        """Set everything to what the file holds, and return the epoch to start at: 0 without one.

        Raises:
            FormatError: the file is damaged, or of other settings or data; nothing is set then.
        """
        if not self._path.exists():
            return 0
        where = str(self._path)
        contents = read_tensors(self._path)
        text = parse_json(contents.metadata.get(_STATE, "null"), f"{where}: {_STATE}")
        if not isinstance(text, dict) or text.get("identity") != self._identity:
            raise FormatError(
                f"{where}: is not of a training with these settings and these data: give the "
                "same as before, or remove the file to start anew"
            )
        if not self._is_whole(text, contents.tensors):
            raise FormatError(
                f"{where}: {_STATE} is not text that everystep writes; remove the file to start "
                "anew"
            )
        variables = self._variables()
        state = {n: array for n, array in contents.tensors.items() if not n.startswith(_BEST)}
        set_weights(variables, matched(variables, state, where), where)
        count = len(contents.tensors) - len(state)
        self._best = [contents.tensors[f"{_BEST}{number}"] for number in range(count)] or None
        self._text, self._before = text, float(text["seconds"])
        self._network.go_on(text["epoch"], text["steps"])
        self._batches.go_on(text["epoch"])
        # After early stopping no epoch is left; only the end of the training is.
        return 2**31 if text["ended"] else int(text["epoch"])

    def on_train_begin(self, logs: Logs = None) -> None:
        """Let what keeps the best weights remember them."""
        if self._stopping is not None:
            vars(self._stopping).update(self._text["stopping"], best_weights=self._best)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the file."""
        for name, value in (logs or {}).items():
            self.curve.setdefault(name, []).append(float(value))
        steps = self._network.steps_done
        self._text |= {"epoch": epoch + 1, "steps": steps, "seconds": self.seconds}
        tensors = values_of(self._variables())
        if self._stopping is not None:
            self._text["stopping"] = {name: getattr(self._stopping, name) for name in _STOPPING}
            self._text["ended"] = self._network.stop_training
            best = self._stopping.best_weights or []
            tensors |= {f"{_BEST}{number}": np.asarray(each) for number, each in enumerate(best)}
        write_tensors(self._path, tensors, {_STATE: write_json(self._text)})

    def _is_whole(self, text: Mapping[str, Any], tensors: Mapping[str, Any]) -> bool:
        """Whether text and best weights have the form in which `on_epoch_end` writes them."""
        best = {name: array.shape for name, array in tensors.items() if name.startswith(_BEST)}
        right = {f"{_BEST}{n}": each.shape for n, each in enumerate(self._network.weights)}
        if not _fits(text, _TEXT) or text["epoch"] < 1 or best not in ({}, right):
            return False
        curve = list(text["curve"].values())
        return (
            "loss" in text["curve"]
            and all(isinstance(each, list) and len(each) <= text["epoch"] for each in curve)
            and all(type(value) in (int, float) for each in curve for value in each)
            and _fits(text["stopping"], _STOPPING if self._stopping else {})
        )

    def _variables(self) -> dict[str, Variable]:
        weights = {f"{_WEIGHTS}{name}": each for name, each in places_of(self._network).items()}
        return weights | optimizer_places_of(self._network)


def _fits(found: Mapping[str, Any], kinds: Mapping[str, Any]) -> bool:
    """Whether a mapping has exactly these keys, its values the right types, and none negative."""
    return found.keys() == kinds.keys() and all(
        isinstance(value, kinds[name])
        and isinstance(value, bool) == (kinds[name] is bool)
        and not (isinstance(value, int | float) and value < 0)
        for name, value in found.items()
    )


def identity_of(settings: Ranged, *parts: Iterable[bytes]) -> str:
    """Return what is the same only for the same settings and the same data in each part."""
    digest = hashlib.sha256()
    for part in parts:
        for each in part:
            digest.update(each)
        digest.update(b"\0")
    return write_json([settings.to_dict(), digest.hexdigest()])
