"""Training that goes on after an interruption as if there had been none."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from everystep.callbacks import Callback, EarlyStopping
from everystep.callbacks.base import Logs
from everystep.core.variables import Variable
from everystep.corpora.sentences import Sentence
from everystep.errors import FormatError
from everystep.formats import parse_json, read_tensors, write_json, write_tensors
from everystep.models.keras_optimizer import optimizer_places_of
from everystep.models.matching import matched, places_of
from everystep.models.rebuilding import set_weights, values_of
from everystep.tagging.batches import TrainingBatches
from everystep.tagging.network import Network
from everystep.tagging.settings import Settings

_STATE, _BEST, _WEIGHTS = "training", "best/", "weights/"


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
        network: Network,
        batches: TrainingBatches,
        stopping: EarlyStopping | None,
        identity: str,
    ) -> None:
        super().__init__()
        self._path, self._network, self._batches = Path(path), network, batches
        self._stopping, self._identity = stopping, identity
        self._text: dict[str, Any] = {"identity": identity, "epoch": 0, "ended": False, "curve": {}}
        self._best: list[Any] | None = None

    @property
    def curve(self) -> dict[str, list[float]]:
        """The measures of all epochs, those before an interruption too."""
        found: dict[str, list[float]] = self._text["curve"]
        return found

    def go_on(self) -> int:
        """Set everything to what the file holds, and return the epoch to start at: 0 without one.

        Raises:
            FormatError: the file is damaged, or of other settings or data.
        """
        if not self._path.exists():
            return 0
        where = str(self._path)
        contents = read_tensors(self._path)
        text = parse_json(contents.metadata.get(_STATE, "null"), f"{where}: {_STATE}")
        if not isinstance(text, dict) or text.get("identity") != self._identity:
            raise FormatError(
                f"{where}: is not of a training with these settings and these sentences: give the "
                "same as before, or remove the file to start anew"
            )
        variables = self._variables()
        best = {name: array for name, array in contents.tensors.items() if name.startswith(_BEST)}
        state = {name: array for name, array in contents.tensors.items() if name not in best}
        set_weights(variables, matched(variables, state, where), where)
        self._best = [best[f"{_BEST}{number}"] for number in range(len(best))] or None
        self._text = text
        self._network.go_on(text["epoch"], text["steps"])
        self._batches.go_on(text["epoch"])
        # After early stopping no epoch is left; only the end of the training is.
        return 2**31 if text["ended"] else int(text["epoch"])

    def on_train_begin(self, logs: Logs = None) -> None:
        """Let what keeps the best weights remember them."""
        if self._stopping is not None and "stopping" in self._text:
            vars(self._stopping).update(self._text["stopping"], best_weights=self._best)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the file."""
        for name, value in (logs or {}).items():
            self.curve.setdefault(name, []).append(float(value))
        self._text |= {"epoch": epoch + 1, "steps": self._network.steps_done}
        tensors = values_of(self._variables())
        if self._stopping is not None:
            kept = ("wait", "stopped_epoch", "best_epoch", "best")
            self._text["stopping"] = {name: getattr(self._stopping, name) for name in kept}
            self._text["ended"] = self._network.stop_training
            best = self._stopping.best_weights or []
            tensors |= {f"{_BEST}{number}": np.asarray(each) for number, each in enumerate(best)}
        write_tensors(self._path, tensors, {_STATE: write_json(self._text)})

    def end(self) -> None:
        """Remove the file, as the training is over."""
        self._path.unlink(missing_ok=True)

    def _variables(self) -> dict[str, Variable]:
        weights = {f"{_WEIGHTS}{name}": each for name, each in places_of(self._network).items()}
        return weights | optimizer_places_of(self._network)


def identity_of(
    settings: Settings, sentences: Sequence[Sentence], dev: Sequence[Sentence] | None
) -> str:
    """Return what is the same only for the same settings, sentences and dev."""
    digest = hashlib.sha256()
    for part in (sentences, dev or ()):
        for sentence in part:
            digest.update(write_json([sentence.tokens, sentence.labels]).encode())
        digest.update(b"\0")
    return write_json([settings.to_dict(), digest.hexdigest()])
