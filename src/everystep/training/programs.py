"""The compiled programs of a model: one step of training, of evaluation and of prediction.

Each is a pure function of arrays: the weights go in and come out, and their memory is used again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core.randomness import Noise
from everystep.core.scope import Scope
from everystep.core.shape_count import ShapeCount
from everystep.core.tables import RowGradient, Tables
from everystep.core.variables import Variable
from everystep.errors import DataError, StateError
from everystep.layers.apply import Result, run
from everystep.layers.layer import Layer
from everystep.training.feeding import MiniBatch, opened
from everystep.training.measures import Measures, Output
from everystep.training.shapes import CURES
from everystep.training.soundness import Soundness

LARGE_TABLE = 2**18
"""From how many elements on a table gets a gradient of the rows that were read alone."""
ROWS_A_READ = 2
"""So many times more rows than reads a table must have for that; both were measured."""


class Programs:
    """The programs of one model with one optimizer and one set of measures.

    Args:
        model: the model, built.
        measures: what to measure.
        optimizer: the optimizer, or None where there is no training.
        eager: whether to run step by step in Python, uncompiled, so that one can look inside.
        max_shapes: how many shapes of batches a program may be compiled for without a warning.

    Several batches of one shape are handed over together and run in one program, a loop over them:
    Python is asked once for all, and memory that steps work in is taken once. The loop keeps the
    weights, so the numbers are those of one step after the other.

    While `watched` is set, steps run one by one, one whose loss or gradients are not finite changes
    nothing, and `soundness` says of the last one how it was.
    """

    watched: bool = False
    soundness: Soundness | None = None

    def __init__(
        self,
        model: Layer,
        measures: Measures,
        optimizer: Any,
        eager: bool = False,
        max_shapes: int = 8,
    ) -> None:
        self.model = model
        self.measures = measures
        self.optimizer = optimizer
        self.variables = model.named_weights()
        self.owned = model.owned_variables()
        self.trainable = {p: v for p, v in self.variables.items() if self.owned[v]}
        self.rest = {p: v for p, v in self.variables.items() if not self.owned[v]}
        self.eager = eager
        self._shapes = ShapeCount(max_shapes, CURES)
        self._train: Any = self._train_step
        self._evaluate: Any = self._evaluate_step
        self._predict: Any = self._predict_step
        if not eager:
            self._train = jax.jit(
                self._train, donate_argnums=(0, 1, 2, 3), static_argnames="watched"
            )
            self._evaluate = jax.jit(self._evaluate, donate_argnums=(2,))
            self._predict = jax.jit(self._predict)
            self._train_all = jax.jit(self._train_steps, donate_argnums=(0, 1, 2, 3))
            self._evaluate_all = jax.jit(self._evaluate_steps, donate_argnums=(2,))

    def fit_to(self, model: Layer, batch: MiniBatch) -> bool:
        """Whether the programs know the model's weights as they are, and how to measure a batch."""
        measurable = self.measures.resolved or batch.targets is None
        return measurable and model.owned_variables() == self.owned

    # The programs as the loop calls them: weights out of the variables, and back.

    def train(self, batches: Sequence[MiniBatch], key: jax.Array, step: int) -> dict[str, Any]:
        """Do a step of training for each batch, and return the measures so far."""
        if len(batches) > 1 and not self._alike(batches):
            for number, batch in enumerate(batches, step):
                logs = self.train([batch], key, number)
            return logs
        if self.optimizer is None:
            raise StateError("the model has no optimizer: call compile first")
        self._refuse_unmeasured()
        self.optimizer.build(list(self.trainable.values()))
        slots, counts = self.optimizer.variables, self.measures.variables
        state = _own(self.trainable), _own(self.rest), _owns(slots), _owns(counts)
        self._note("fit", batches[0])
        if len(batches) > 1:
            found = self._train_all(*state, _stacked(batches), key, step)
        else:
            found = self._train(*state, batches[0], key, step, watched=self.watched)
        (trained, rest, kept, counted), self.soundness, results = found
        _write(self.trainable, trained)
        _write(self.rest, rest)
        _writes(slots, kept)
        _writes(counts, counted)
        return self.measures.named(results)

    def measured(self) -> dict[str, Any]:
        """Return the measures so far."""
        return self.measures.named(self._results(_owns(self.measures.variables)))

    def evaluate(self, batches: Sequence[MiniBatch]) -> dict[str, Any]:
        """Measure each batch, and return the measures so far."""
        if len(batches) > 1 and not self._alike(batches):
            for batch in batches:
                logs = self.evaluate([batch])
            return logs
        self._refuse_unmeasured()
        self._note("evaluate", batches[0])
        evaluate, batch = self._evaluate, batches[0]
        if len(batches) > 1:
            evaluate, batch = self._evaluate_all, _stacked(batches)
        counts = _owns(self.measures.variables)
        rest, counts, results = evaluate(_peek(self.trainable), _peek(self.rest), counts, batch)
        _write(self.rest, rest)
        _writes(self.measures.variables, counts)
        return self.measures.named(results)

    def predict(self, batch: MiniBatch) -> Any:
        """Return the model's outputs for one batch."""
        self._note("predict", batch)
        given = MiniBatch(batch.inputs, real=batch.real)
        outputs, rest = self._predict(_peek(self.trainable), _peek(self.rest), given)
        _write(self.rest, rest)
        return outputs

    def _note(self, program: str, batch: MiniBatch) -> None:
        """Warn where a program is compiled for ever more shapes."""
        if not self.eager:
            self._shapes.note(program, batch.inputs)

    def _alike(self, batches: Sequence[MiniBatch]) -> bool:
        """Whether batches can run in one program: compiled, not watched, and all of one shape."""
        return not (self.eager or self.watched) and len({_form(each) for each in batches}) == 1

    def _refuse_unmeasured(self) -> None:
        if self.measures.needs_targets:
            raise DataError("the loss compares the model's outputs with targets: give y")

    # The programs as pure functions.

    def _run(
        self,
        weights: Any,
        batch: MiniBatch,
        training: bool,
        noise: Noise | None = None,
        tables: Tables | None = None,
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
            tables=tables,
        )

    def _loss(
        self, trainable: Any, result: Result, batch: MiniBatch
    ) -> tuple[Any, list[Any], list[Output]]:
        """Return the loss that is trained, that of each output, and the outputs."""
        outputs = Output.all_of(result.outputs, batch.real)
        losses = self.measures.losses(batch, outputs, result.left)
        total = sum(result.losses, jnp.zeros((), "float32")) + self.measures.total(losses)
        for path, variable in self.trainable.items():
            if variable.regularizer is not None:
                total += variable.regularizer(trainable[path])
        return total, losses, outputs

    def _count(self, counts: Sequence[Any], batch: MiniBatch, *found: Any) -> list[Any]:
        """Return the states of the metrics after one more batch."""
        variables = self.measures.variables
        with self._counting(counts) as scope:
            total, losses, outputs = found
            self.measures.update(batch, outputs, losses, total)
            return [scope.value_of(variable) for variable in variables]

    def _results(self, counts: Sequence[Any]) -> list[Any]:
        """Return what the states of the metrics come to."""
        with self._counting(counts):
            return [metric.result() for metric in self.measures.all]

    def _counting(self, counts: Sequence[Any]) -> AbstractContextManager[Scope]:
        known = zip(self.measures.variables, counts, strict=True)
        return Scope(values={id(variable): count for variable, count in known}).active()

    def _train_step(self, *given: Any, watched: bool = False) -> Any:
        state, soundness = self._trained(*given, watched=watched)
        return state, soundness, self._results(state[-1])

    def _train_steps(
        self, trainable: Any, rest: Any, slots: Any, counts: Any, batches: Any, key: Any, step: Any
    ) -> Any:
        """Train on batches that are stacked along a new first axis, one after the other."""

        def one(carried: Any, batch: Any) -> Any:
            state, step = carried
            return (self._trained(*state, batch, key, step)[0], step + 1), None

        state: Any = trainable, rest, slots, counts
        (state, _), _ = jax.lax.scan(one, (state, step), batches)
        return state, None, self._results(state[-1])

    def _trained(
        self,
        trainable: Any,
        rest: Any,
        slots: Any,
        counts: Any,
        *given: Any,
        watched: bool = False,
    ) -> tuple[Any, Soundness | None]:
        """Return weights, states, the optimizer's state and the metrics' after a step."""
        batch, key, step = given
        before: Any = trainable, rest, slots, counts

        def ran(weights: Any, tables: Tables | None) -> Result:
            return self._run(weights | rest, batch, True, Noise(key, step), tables)

        added = self._added(ran, trainable)
        whole = {path: value for path, value in trainable.items() if path not in added}

        def objective(whole: Any, added: Any) -> Any:
            tables = Tables([self.trainable[path] for path in added], self._by_id(added))
            weights = trainable | whole
            result = ran(weights, tables)
            found = self._loss(weights, result, batch)
            return self._scaled(found[0], slots), (found, result.state, tables.ids)

        differentiated = jax.grad(objective, (0, 1), has_aux=True)
        (gradients, by_rows), (found, rest, ids) = differentiated(whole, added)
        for path, rows in by_rows.items():
            gradients[path] = RowGradient.of(ids[id(self.trainable[path])], rows)

        def after() -> Any:
            moved, kept = self._moved(trainable, slots, gradients)
            return moved, rest, kept, self._count(counts, batch, *found)

        if not watched:
            return after(), None
        looked = [] if self.optimizer.skips_nonfinite else self.trainable
        soundness = Soundness.of(found[0], {path: gradients[path] for path in looked})
        if self.eager:
            return after() if soundness.whole else before, soundness
        return jax.lax.cond(soundness.whole, after, lambda: before), soundness

    def _added(self, ran: Callable[..., Any], trainable: Any) -> dict[str, list[Any]]:
        """Return zeros to add to each read of the tables whose rows can be moved alone, by path."""
        wanted = {} if self.eager else {p: v for p, v in self.trainable.items() if self._large(v)}
        if not wanted:
            return {}

        def read(trainable: Any) -> Any:
            tables = Tables(list(wanted.values()))
            ran(trainable, tables)
            return {p: tables.ids[id(v)] for p, v in wanted.items() if tables.read_by_rows(id(v))}

        added = {}
        for path, ids in jax.eval_shape(read, trainable).items():
            size, features = trainable[path].shape
            if size >= ROWS_A_READ * sum(each.size for each in ids):
                dtype = trainable[path].dtype
                added[path] = [jnp.zeros((*each.shape, features), dtype) for each in ids]
        return added

    def _large(self, variable: Variable) -> bool:
        """Whether a weight is a table that is worth the trouble, and can be moved by rows."""
        large = variable.ndim == 2 and variable.size >= LARGE_TABLE
        return large and self.optimizer.moves_rows(variable)

    def _by_id(self, by_path: dict[str, Any]) -> dict[int, Any]:
        return {id(self.trainable[path]): value for path, value in by_path.items()}

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
        rest, counts = self._evaluated(trainable, rest, counts, batch)
        return rest, counts, self._results(counts)

    def _evaluate_steps(self, trainable: Any, rest: Any, counts: Any, batches: Any) -> Any:
        """Measure batches that are stacked along a new first axis."""

        def one(state: Any, batch: Any) -> Any:
            rest, counts = state
            return self._evaluated(trainable, rest, counts, batch), None

        (rest, counts), _ = jax.lax.scan(one, (rest, counts), batches)
        return rest, counts, self._results(counts)

    def _evaluated(self, trainable: Any, rest: Any, counts: Any, batch: Any) -> tuple[Any, Any]:
        result = self._run(trainable | rest, batch, training=False)
        return result.state, self._count(counts, batch, *self._loss(trainable, result, batch))

    def _predict_step(self, trainable: Any, rest: Any, batch: MiniBatch) -> Any:
        result = self._run(trainable | rest, batch, training=False)
        return result.outputs, result.state


def _form(batch: MiniBatch) -> Any:
    """Return the structure, the shapes and the dtypes of a batch."""
    leaves, tree = jax.tree.flatten(batch)
    return tree, tuple((np.shape(leaf), np.result_type(leaf)) for leaf in leaves)


def _stacked(batches: Sequence[MiniBatch]) -> MiniBatch:
    """Return batches of one form as one, along a new first axis."""

    def stacked(*leaves: Any) -> Any:
        on_device = any(isinstance(leaf, jax.Array) for leaf in leaves)
        return jnp.stack(leaves) if on_device else np.stack(leaves)

    together: MiniBatch = jax.tree.map(stacked, *batches)
    return together


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
