"""The compiled programs of a model: one step of training, of evaluation and of prediction.

Each is a pure function of arrays: the weights go in and come out, and their memory is used again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from everystep.core.randomness import Noise
from everystep.core.scope import Scope
from everystep.core.variables import Variable
from everystep.errors import DataError, StateError
from everystep.layers.apply import Result, run
from everystep.layers.layer import Layer
from everystep.training.feeding import MiniBatch, opened
from everystep.training.measures import Measures, Output


class Programs:
    """The programs of one model with one optimizer and one set of measures.

    Args:
        model: the model, built.
        measures: what to measure.
        optimizer: the optimizer, or None where there is no training.
        eager: whether to run step by step in Python, uncompiled, so that one can look inside.
    """

    def __init__(
        self, model: Layer, measures: Measures, optimizer: Any, eager: bool = False
    ) -> None:
        self.model = model
        self.measures = measures
        self.optimizer = optimizer
        self.variables = model.named_weights()
        self.owned = model.owned_variables()
        self.trainable = {p: v for p, v in self.variables.items() if self.owned[v]}
        self.rest = {p: v for p, v in self.variables.items() if not self.owned[v]}
        self._train: Any = self._train_step
        self._evaluate: Any = self._evaluate_step
        self._predict: Any = self._predict_step
        if not eager:
            self._train = jax.jit(self._train, donate_argnums=(0, 1, 2, 3))
            self._evaluate = jax.jit(self._evaluate, donate_argnums=(2,))
            self._predict = jax.jit(self._predict)

    def fit_to(self, model: Layer, batch: MiniBatch) -> bool:
        """Whether the programs know the model's weights as they are, and how to measure a batch."""
        measurable = self.measures.resolved or batch.targets is None
        return measurable and model.owned_variables() == self.owned

    # The programs as the loop calls them: weights out of the variables, and back.

    def train(self, batch: MiniBatch, key: jax.Array, step: int) -> dict[str, Any]:
        """Do one step of training and return the measures so far."""
        if self.optimizer is None:
            raise StateError("the model has no optimizer: call compile first")
        self._refuse_unmeasured()
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
        self._refuse_unmeasured()
        counts = _owns(self.measures.variables)
        rest, counts, results = self._evaluate(
            _peek(self.trainable), _peek(self.rest), counts, batch
        )
        _write(self.rest, rest)
        _writes(self.measures.variables, counts)
        return self.measures.named(results)

    def predict(self, batch: MiniBatch) -> Any:
        """Return the model's outputs for one batch."""
        given = MiniBatch(batch.inputs, real=batch.real)
        outputs, rest = self._predict(_peek(self.trainable), _peek(self.rest), given)
        _write(self.rest, rest)
        return outputs

    def _refuse_unmeasured(self) -> None:
        if self.measures.needs_targets:
            raise DataError("the loss compares the model's outputs with targets: give y")

    # The programs as pure functions.

    def _run(
        self, weights: Any, batch: MiniBatch, training: bool, noise: Noise | None = None
    ) -> Result:
        inputs, real = opened(batch.inputs), batch.real
        return run(
            self.model,
            self.variables,
            weights,
            inputs,
            training=training,
            noise=noise,
            real_rows=real,
        )

    def _loss(
        self, trainable: Any, result: Result, batch: MiniBatch
    ) -> tuple[Any, list[Any], list[Output]]:
        """Return the loss that is trained, that of each output, and the outputs."""
        outputs = Output.all_of(result.outputs, batch.real)
        losses = self.measures.losses(batch, outputs)
        total = sum(result.losses, jnp.zeros((), "float32")) + self.measures.total(losses)
        for path, variable in self.trainable.items():
            if variable.regularizer is not None:
                total += variable.regularizer(trainable[path])
        return total, losses, outputs

    def _count(self, counts: Sequence[Any], batch: MiniBatch, *found: Any) -> tuple[Any, list[Any]]:
        variables = self.measures.variables
        scope = Scope(values={id(v): c for v, c in zip(variables, counts, strict=True)})
        with scope.active():
            total, losses, outputs = found
            self.measures.update(batch, outputs, losses, total)
            results = [metric.result() for metric in self.measures.all]
            return [scope.value_of(variable) for variable in variables], results

    def _train_step(
        self, trainable: Any, rest: Any, slots: Any, counts: Any, batch: Any, key: Any, step: Any
    ) -> Any:
        def objective(trainable: Any) -> Any:
            noise = Noise(key, step)
            result = self._run(trainable | rest, batch, training=True, noise=noise)
            found = self._loss(trainable, result, batch)
            return self._scaled(found[0], slots), (found, result.state)

        gradients, (found, rest) = jax.grad(objective, has_aux=True)(trainable)
        trainable, slots = self._moved(trainable, slots, gradients)
        counts, results = self._count(counts, batch, *found)
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
        result = self._run(trainable | rest, batch, training=False)
        counts, results = self._count(counts, batch, *self._loss(trainable, result, batch))
        return result.state, counts, results

    def _predict_step(self, trainable: Any, rest: Any, batch: MiniBatch) -> Any:
        result = self._run(trainable | rest, batch, training=False)
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
