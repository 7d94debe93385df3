"""The compiled programs of a model: one step of training, of evaluation and of prediction.

Each is a pure function of arrays: the weights go in and come out, and their memory is used again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from everystep.core.randomness import Noise
from everystep.core.scope import Scope
from everystep.core.variables import Variable
from everystep.errors import ShapeError, StateError
from everystep.layers.apply import Result, run
from everystep.layers.layer import Layer
from everystep.losses import Loss
from everystep.metrics import Mean, Metric
from everystep.sequences import Steps
from everystep.training.feeding import MiniBatch


@dataclass
class Measures:
    """What is measured in each step: the loss, plain metrics and weighted ones.

    Args:
        loss: the loss function, or None where there is nothing but losses that layers add.
        metrics: metrics in which each real step counts alike.
        weighted_metrics: metrics in which each step counts by its weight.
        classes: the size of the outputs' last axis, where it is known.
        masked: whether the outputs carry a mask.
        resolved: whether the metrics are chosen; without targets, as in predict, they cannot be.
    """

    loss: Loss | None
    metrics: list[Metric]
    weighted_metrics: list[Metric]
    classes: int | None = None
    masked: bool = False
    resolved: bool = True
    mean_loss: Mean = field(default_factory=lambda: Mean(name="loss"))

    @property
    def all(self) -> list[Metric]:
        """The mean loss and all metrics, in the order in which they are reported."""
        return [self.mean_loss, *self.metrics, *self.weighted_metrics]

    @property
    def variables(self) -> list[Variable]:
        """The states of all metrics."""
        return [variable for metric in self.all for variable in metric.variables]

    def named(self, results: Sequence[Any]) -> dict[str, Any]:
        """Return results by the names of the measures, in their order."""
        return {metric.name: value for metric, value in zip(self.all, results, strict=True)}

    def check_labels(self, labels: Any) -> None:
        """Raise a DataError if a label is a class that the outputs do not have."""
        if self.loss is not None and labels is not None and self.classes is not None:
            self.loss.check_labels(labels, self.classes)

    def reset(self) -> None:
        """Start all counts from zero."""
        for metric in self.all:
            metric.reset_state()

    def update(self, batch: MiniBatch, output: Output, loss: Any) -> None:
        """Count one batch."""
        self.mean_loss.update_state(loss, sample_weight=output.count)
        real = None if output.mask is None else output.mask.astype("float32")
        for metric in self.metrics:
            metric.update_state(batch.targets, output.values, sample_weight=real)
        for metric in self.weighted_metrics:
            weights = _both(batch.weights, real)
            metric.update_state(batch.targets, output.values, sample_weight=weights)


def _both(weights: Any, real: Any) -> Any:
    """Return the product of two weightings, one of which may be for whole samples."""
    if weights is None or real is None:
        return real if weights is None else weights
    rank = max(weights.ndim, real.ndim)
    first, second = (a.reshape(a.shape + (1,) * (rank - a.ndim)) for a in (weights, real))
    return first * second


@dataclass(frozen=True)
class Output:
    """A model's output as plain values, which of its steps are real, and how many there are."""

    values: Any
    mask: Any

    @classmethod
    def of(cls, outputs: Any, real: Any) -> Output:
        """Take segments off a model's output; it must be one array for a loss to make sense.

        Args:
            outputs: what the model gave.
            real: which rows hold a sample, for outputs that have no steps; None for all.
        """
        if isinstance(outputs, Steps):
            return cls(outputs.values, outputs.mask)
        if not isinstance(outputs, jax.Array):
            raise ShapeError(
                f"a loss needs a model with one output, but this one gives {len(outputs)}"
            )
        return cls(outputs, real)

    @property
    def count(self) -> Any:
        """The number of real steps, or of samples where there are no steps."""
        return self.values.shape[0] if self.mask is None else self.mask.sum()


class Programs:
    """The programs of one model with one optimizer and one set of measures.

    Args:
        model: the model, built.
        measures: what to measure.
        optimizer: the optimizer, or None where there is no training.
    """

    def __init__(self, model: Layer, measures: Measures, optimizer: Any) -> None:
        self.model = model
        self.measures = measures
        self.optimizer = optimizer
        self.variables = model.named_weights()
        self.owned = model.owned_variables()
        self.trainable = {p: v for p, v in self.variables.items() if self.owned[v]}
        self.rest = {p: v for p, v in self.variables.items() if not self.owned[v]}
        self._train = jax.jit(self._train_step, donate_argnums=(0, 1, 2, 3))
        self._evaluate = jax.jit(self._evaluate_step, donate_argnums=(2,))
        self._predict = jax.jit(self._predict_step)

    def fit_to(self, model: Layer, batch: MiniBatch) -> bool:
        """Whether the programs know the model's weights as they are, and how to measure a batch."""
        measurable = self.measures.resolved or batch.targets is None
        return measurable and model.owned_variables() == self.owned

    # The programs as the loop calls them: weights out of the variables, and back.

    def train(self, batch: MiniBatch, key: jax.Array, step: int) -> dict[str, Any]:
        """Do one step of training and return the measures so far."""
        if self.optimizer is None:
            raise StateError("the model has no optimizer: call compile first")
        self.optimizer.build(list(self.trainable.values()))
        slots, counts = self.optimizer.variables, self.measures.variables
        state = _own(self.trainable), _own(self.rest), _owns(slots), _owns(counts)
        trained, rest, kept, counted, results = self._train(*state, batch, key, step)
        _write(self.trainable, trained)
        _write(self.rest, rest)
        _writes(slots, kept)
        _writes(counts, counted)
        return self.measures.named(results)

    def evaluate(self, batch: MiniBatch) -> dict[str, Any]:
        """Measure one batch and return the measures so far."""
        counts = _owns(self.measures.variables)
        rest, counts, results = self._evaluate(
            _peek(self.trainable), _peek(self.rest), counts, batch
        )
        _write(self.rest, rest)
        _writes(self.measures.variables, counts)
        return self.measures.named(results)

    def predict(self, inputs: Any) -> Any:
        """Return the model's outputs for one batch."""
        outputs, rest = self._predict(_peek(self.trainable), _peek(self.rest), inputs)
        _write(self.rest, rest)
        return outputs

    # The programs as pure functions.

    def _run(self, weights: Any, inputs: Any, training: bool, noise: Noise | None) -> Result:
        return run(self.model, self.variables, weights, inputs, training=training, noise=noise)

    def _loss(self, trainable: Any, result: Result, batch: MiniBatch) -> tuple[Any, Output]:
        output = Output.of(result.outputs, batch.real)
        loss = sum(result.losses, jnp.zeros((), "float32"))
        if self.measures.loss is not None:
            loss += self.measures.loss(
                batch.targets, output.values, sample_weight=batch.weights, mask=output.mask
            )
        for path, variable in self.trainable.items():
            if variable.regularizer is not None:
                loss += variable.regularizer(trainable[path])
        return loss, output

    def _count(
        self, counts: Sequence[Any], batch: MiniBatch, output: Output, loss: Any
    ) -> tuple[list[Any], list[Any]]:
        variables = self.measures.variables
        scope = Scope(values={id(v): c for v, c in zip(variables, counts, strict=True)})
        with scope.active():
            self.measures.update(batch, output, loss)
            results = [metric.result() for metric in self.measures.all]
            return [scope.value_of(variable) for variable in variables], results

    def _train_step(
        self, trainable: Any, rest: Any, slots: Any, counts: Any, batch: Any, key: Any, step: Any
    ) -> Any:
        def objective(trainable: Any) -> Any:
            noise = Noise(key, step)
            result = self._run(trainable | rest, batch.inputs, training=True, noise=noise)
            loss, output = self._loss(trainable, result, batch)
            return self._scaled(loss, slots), (loss, result.state, output.values, output.mask)

        gradients, (loss, rest, values, mask) = jax.grad(objective, has_aux=True)(trainable)
        trainable, slots = self._moved(trainable, slots, gradients)
        counts, results = self._count(counts, batch, Output(values, mask), loss)
        return trainable, rest, slots, counts, results

    def _scaled(self, loss: Any, slots: Sequence[Any]) -> Any:
        """Return the loss as the optimizer wants it to be differentiated."""
        known = zip(self.optimizer.variables, slots, strict=True)
        with Scope(values={id(variable): value for variable, value in known}).active():
            return self.optimizer.scale_loss(loss)

    def _moved(self, trainable: Any, slots: Any, gradients: Any) -> tuple[dict[str, Any], Any]:
        """Return the weights and the optimizer's state after an update."""
        in_order = ([tree[path] for path in self.trainable] for tree in (gradients, trainable))
        moved, slots = self.optimizer.stateless_apply(slots, *in_order)
        return dict(zip(self.trainable, moved, strict=True)), slots

    def _evaluate_step(self, trainable: Any, rest: Any, counts: Any, batch: MiniBatch) -> Any:
        result = self._run(trainable | rest, batch.inputs, training=False, noise=None)
        loss, output = self._loss(trainable, result, batch)
        counts, results = self._count(counts, batch, output, loss)
        return result.state, counts, results

    def _predict_step(self, trainable: Any, rest: Any, inputs: Any) -> Any:
        result = self._run(trainable | rest, inputs, training=False, noise=None)
        return result.outputs, result.state


def _own(variables: dict[str, Variable]) -> dict[str, Any]:
    return {path: variable.own() for path, variable in variables.items()}


def _peek(variables: dict[str, Variable]) -> dict[str, Any]:
    return {path: variable.peek() for path, variable in variables.items()}


def _write(variables: dict[str, Variable], values: dict[str, Any]) -> None:
    for path, variable in variables.items():
        variable.set_own(values[path])


def _owns(variables: Sequence[Variable]) -> list[Any]:
    return [variable.own() for variable in variables]


def _writes(variables: Sequence[Variable], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.set_own(value)
