"""A fit that runs: its epochs and steps, how far it is, and what its next step depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from everystep.callbacks import CallbackList
from everystep.core.randomness import global_seed, path_number, seed_key
from everystep.core.variables import Variable
from everystep.training.feeding import Epoch, MiniBatch, Source
from everystep.training.preparation import floats, grouped, real_steps
from everystep.training.programs import Programs
from everystep.training.progress import progress_for

if TYPE_CHECKING:
    from everystep.training.trainer import Trainer


@dataclass
class Running:
    """The loop of `fit`, and where it stands.

    A callback that restores an earlier state sets `epoch` and `batch` when training begins; the
    loop then goes on from there.

    Args:
        model: the model that is trained.
        programs: its compiled steps.
        calls: the callbacks.
        source: the batches.
        first: the first of them, unshuffled.
        count: how many there are, or None where that is not known.
        validation: the batches to validate on, or None.
        epochs: the epoch to stop after.
        shuffle: whether each epoch goes through the samples in another random order.
        verbose: as for `fit`.
        validation_freq: validate every so many epochs.
        epoch: the epoch that runs, or comes next.
        batch: how many of its batches are done.
        given: the batches that were done last.
        closing: what is to be done when the training ends, however it does.
    """

    model: Trainer
    programs: Programs
    calls: CallbackList
    source: Source
    first: MiniBatch
    count: int | None
    validation: Source | None
    epochs: int
    shuffle: bool
    verbose: str | int
    validation_freq: int
    epoch: int
    batch: int = 0
    given: Sequence[MiniBatch] = ()
    closing: ExitStack = field(default_factory=ExitStack)

    def run(self) -> None:
        """Train until the last epoch, or until a callback ends it."""
        begin = self.epoch
        with self.closing:
            self.calls.on_train_begin()
            self._catch_up(begin)
            logs: dict[str, float] = {}
            while self.epoch < self.epochs and not self.model.stop_training:
                logs = self._one_epoch()
            self.model.optimizer.finalize_variable_values(list(self.programs.trainable.values()))
            self.calls.on_train_end(logs)

    @cached_property
    def fingerprint(self) -> str:
        """Return what is another one for other data: a digest of the first batch."""
        digest = hashlib.sha256(str(self.count).encode())
        for leaf in jax.tree.leaves(tuple(self.first)):
            array = np.ascontiguousarray(leaf)
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    @property
    def variables(self) -> dict[str, Variable]:
        """All arrays that the next step depends on: weights, optimizer's state, measures."""
        programs = self.programs
        programs.optimizer.build(list(programs.trainable.values()))
        numbered = {
            "optimizer": programs.optimizer.variables,
            "measures": programs.measures.variables,
        }
        found = {f"weights/{path}": each for path, each in programs.variables.items()}
        for name, variables in numbered.items():
            found |= {f"{name}/{number}": each for number, each in enumerate(variables)}
        return found

    def _catch_up(self, begin: int) -> None:
        """Bring what batches are drawn from to where it was, if epochs are left out."""
        if self.epoch >= self.epochs:  # Nothing is drawn any more.
            return
        for epoch in range(begin, self.epoch):
            self.source.pass_over(self._order(self.epoch - epoch))
            if self.validation is not None and self._is_validated(epoch):
                self.validation.pass_over(complete=True)

    def _one_epoch(self) -> dict[str, float]:
        if not self.batch:
            self.calls.on_epoch_begin(self.epoch)
        with progress_for(self.verbose, f"Epoch {self.epoch + 1}/{self.epochs}") as progress:
            logs = self._steps(self.source.epoch(self._order()), progress)
            if self.validation is not None and self._is_validated(self.epoch):
                batches = self.validation.epoch(complete=True)
                measured = self.model._evaluate_epoch(self.programs, batches, self.calls)
                logs |= {f"val_{name}": value for name, value in measured.items()}
            progress.finish(logs)
        self.model._epochs_done += 1
        self.epoch, self.batch = self.epoch + 1, 0
        self.calls.on_epoch_end(self.epoch - 1, logs)
        return logs

    def _is_validated(self, epoch: int) -> bool:
        return (epoch + 1) % self.validation_freq == 0

    def _order(self, back: int = 0) -> np.random.Generator | None:
        """Return where the order of an epoch comes from, so many epochs ago."""
        if not self.shuffle:
            return None
        place = (path_number("shuffle"), self.model._epochs_done - back)
        return np.random.default_rng(np.random.SeedSequence(global_seed(), spawn_key=place))

    def _steps(self, epoch: Epoch, progress: Any) -> dict[str, float]:
        if not self.batch:
            self.programs.measures.reset()
        key = seed_key(global_seed())
        progress.start(epoch.count or 0, epoch.filled)
        if self.batch:
            progress.advance({}, 0, self.batch)
        logs: dict[str, Any] = {}
        for batches in grouped(epoch.after(self.batch), self.model.steps_per_execution):
            self.calls.on_train_batch_begin(self.batch)
            logs = self.programs.train(batches, key, self.model._steps_done)
            self.model._steps_done += len(batches)
            self.batch, self.given = self.batch + len(batches), batches
            progress.advance(logs, sum(map(real_steps, batches)), len(batches))
            self.calls.on_train_batch_end(self.batch - 1, logs)
            if self.model.stop_training:
                break
        return floats(logs or self.programs.measured())
