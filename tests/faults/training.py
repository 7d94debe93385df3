"""A training that a fault may meet: small, but with all that has a state."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import everystep as es
from everystep import callbacks, layers
from everystep.callbacks.checkpoints import newest
from tests.faults.tally import expect

EPOCHS, BATCHES = 3, 4
Batch = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


class Noise(layers.Layer):
    """Noise of a seed generator, whose state goes on from draw to draw."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = es.random.SeedGenerator(3)

    def call(self, x: Any, training: bool = False) -> Any:
        """Add noise in training."""
        return x + es.random.normal(x.shape, seed=self.generator) if training else x


def stateful_model() -> Any:
    """States of layers and of seeds, of metrics, and of an optimizer inside another one."""
    es.utils.set_random_seed(11)
    model = es.Sequential(
        [
            layers.Input(batch_shape=(2, 4, 3)),
            layers.LSTM(4, return_sequences=True, stateful=True),
            layers.Dropout(0.3, seed=5),
            Noise(),
            layers.BatchNormalization(),
            layers.SpectralNormalization(layers.Dense(2)),
        ]
    )
    rate = es.optimizers.schedules.ExponentialDecay(0.05, 10, 0.9)
    adam = es.optimizers.Adam(rate, use_ema=True, gradient_accumulation_steps=3)
    loss = es.losses.SparseCategoricalCrossentropy(from_logits=True)
    metrics = [es.metrics.SparseCategoricalAccuracy(), es.metrics.MeanMetricWrapper(loss)]
    model.compile(es.optimizers.LossScaleOptimizer(adam, 8.0, 2), loss, metrics=metrics)
    return model


def plain_model() -> Any:
    """Noise and an optimizer's state, and little to compile."""
    es.utils.set_random_seed(11)
    model = es.Sequential(
        [layers.Input((4, 3)), layers.Dense(200), layers.Dropout(0.3), layers.Dense(2)]
    )
    loss = es.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(es.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    return model


class Batches:
    """Batches by number, which `fit` goes through in another order in each epoch."""

    def __init__(self) -> None:
        self.x = np.random.default_rng(3).normal(size=(BATCHES, 2, 4, 3)).astype("float32")

    def __len__(self) -> int:
        return BATCHES

    def __getitem__(self, number: int) -> Batch:
        return self.x[number], (self.x[number].sum(-1) > 0).astype("int32")


class Training:
    """A training that can be begun again as often as wanted, compiled once.

    Args:
        make: makes the model.
    """

    def __init__(self, make: Callable[[], Any] = plain_model) -> None:
        self.model = make()
        self.model.optimizer.build(self.model.trainable_variables)
        self._first = [each.numpy() for each in self._variables]
        self.wanted = self.run(None)

    @property
    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]

    @property
    def bits(self) -> list[bytes]:
        """All that was learned, byte for byte."""
        return [each.numpy().tobytes() for each in self._variables]

    def run(
        self,
        folder: Path | None,
        also: Sequence[Any] = (),
        data: Any = None,
        kept: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> list[bytes]:
        """Train as a new process would: from the first state, or from what a folder keeps.

        Args:
            folder: where checkpoints are kept, or None.
            also: further callbacks.
            data: other batches than the usual ones.
            kept: settings of `Checkpoints`.
            **how: other arguments of `fit`.

        Returns:
            All that was learned, byte for byte.
        """
        for variable, value in zip(self._variables, self._first, strict=True):
            variable.assign(value)
        self.model._steps_done = self.model._epochs_done = 0
        es.utils.set_random_seed(11)
        settings = {"save_freq": 1} | dict(kept or {})
        last = [] if folder is None else [callbacks.Checkpoints(str(folder), **settings)]
        data = Batches() if data is None else data
        how = {"epochs": EPOCHS, "verbose": 0} | how
        self.model.fit(data, callbacks=[*also, *last], **how)
        return self.bits

    def goes_on(self, folder: Path, **how: Any) -> None:
        """See to it that what a folder keeps ends with the bits of a training left alone."""
        expect(not list(folder.glob(".*.part")), f"left beside: {list(folder.glob('.*.part'))}")
        expect(self.run(folder, **how) == self.wanted, "the bits at the end are others")


def steps_kept(folder: Path) -> int:
    """Return how many steps the newest checkpoint has behind it; 0 where there is none."""
    found = newest(folder)
    return 0 if found is None else int(found[0].stem)
