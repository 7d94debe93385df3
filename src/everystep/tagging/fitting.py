"""The training of any tagger: epochs, dev, the best weights, resuming, and the record of it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, Protocol

import jax
import numpy as np

import everystep
from everystep import losses, optimizers
from everystep.callbacks import Callback, Checkpoints, EarlyStopping, FiniteGuard
from everystep.models import Model
from everystep.tagging.measuring import DevScores
from everystep.tagging.resuming import Known

SAVED_AFTER = 200
"""After how many batches a training is kept, beside the ends of epochs."""
MOST_SHAPES = 64
"""How many shapes of batches may come without a warning: few, but of two kinds, each of a list."""


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


class Schedule(Protocol):
    """The settings that say how any tagger is trained."""

    @property
    def epochs(self) -> int:
        """How often training goes through all data at most."""
        ...

    @property
    def learning_rate(self) -> float:
        """The first rate."""
        ...

    @property
    def clip(self) -> float:
        """The largest norm of all gradients together."""
        ...

    @property
    def patience(self) -> int:
        """After how many epochs without a better score on dev training ends."""
        ...

    @property
    def seed(self) -> int:
        """Where all random numbers come from."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain data."""
        ...


@dataclass(frozen=True)
class Lesson:
    """What is to be learned by which network.

    Args:
        settings: how it is trained.
        network: the network, compiled.
        batches: what it is trained on.
        measure: what gives the figures on dev as the network is now; None where there is no dev.
        monitor: the figure that says which epoch is best; a higher one is better.
        identity: what is the same only for the same settings and data, as text.
    """

    settings: Schedule
    network: Model
    batches: Batches
    measure: Callable[[], Mapping[str, Any]] | None
    monitor: str
    identity: str

    def learn(
        self,
        verbose: str | int,
        further: Sequence[Callback] = (),
        resume: str | PathLike[str] | None = None,
    ) -> dict[str, Any]:
        """Train the network to its best weights; see `Tagger.train` for the arguments.

        Returns:
            The record of the training.
        """
        stopping = self._watching(verbose)
        known = Known(self.identity)
        kept = [] if resume is None else [Checkpoints(resume, save_freq=SAVED_AFTER, keep=2)]
        curve = self.network.fit(
            self.batches,
            epochs=self.settings.epochs,
            callbacks=[FiniteGuard(), *stopping, known, *kept, *further],
            verbose=verbose,
        ).history
        best = stopping[-1].best_epoch if stopping else len(curve["loss"]) - 1
        return {
            "settings": self.settings.to_dict(),
            "seed": self.settings.seed,
            "versions": versions(),
            "fill": self.batches.fill,
            "curve": {name: [float(value) for value in values] for name, values in curve.items()},
            "best_epoch": best + 1,
            "dev": None if self.measure is None else dict(self.measure()),
            "seconds": known.seconds,
        }

    def _watching(self, verbose: str | int) -> list[Any]:
        """Return what measures dev, and what keeps the best weights."""
        if self.measure is None:
            return []
        told = verbose in (1, 2) or (verbose == "auto" and sys.stdout.isatty())
        stopping = EarlyStopping(
            f"dev_{self.monitor}",
            patience=self.settings.patience,
            mode="max",
            restore_best_weights=True,
        )
        return [DevScores(self.measure, told), stopping]


def compile_network(
    network: Model,
    settings: Schedule,
    batches: int,
    loss: losses.Loss,
    metrics: Sequence[str] = (),
) -> None:
    """Give a network its loss, and Adam with a rate that falls to zero over all epochs.

    Args:
        network: the network.
        settings: how it is trained.
        batches: how many batches an epoch has.
        loss: the loss.
        metrics: what else is measured in training.
    """
    rate = optimizers.schedules.PolynomialDecay(
        settings.learning_rate, batches * settings.epochs, end_learning_rate=0.0
    )
    network.compile(
        optimizers.Adam(rate, global_clipnorm=settings.clip),
        loss,
        metrics=list(metrics),
        max_shapes=MOST_SHAPES,
    )


def versions() -> dict[str, str]:
    """Return the versions of what a result depends on."""
    return {
        "everystep": everystep.__version__,
        "jax": jax.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
