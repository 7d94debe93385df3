"""From what people hand to `fit` to batches of arrays, and from outputs back to what they handed.

Arrays are cut into batches along their first axis. A list of arrays of different lengths is packed
into rows of one fixed shape, so that a whole epoch runs one compiled program and hardly any step is
padding; a model that takes one sequence a row gets padded rows of few lengths instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import jax
import numpy as np

from everystep.core.defaults import finite_inputs
from everystep.errors import DataError
from everystep.layers import Layer
from everystep.sequences import (
    Batch,
    Batches,
    Ragged,
    RowPlan,
    Steps,
    check_finite,
    gather_back,
    gather_rows,
    packed_batches,
    padded_batches,
    plan_rows,
    row_shape,
)
from everystep.training.parts import Parts, flat_outputs, is_steps
from everystep.training.shapes import Shapes, few_rows

Array = np.ndarray[Any, Any]


class MiniBatch(NamedTuple):
    """What one step reads.

    Args:
        inputs: the inputs of the model.
        targets: what each of its outputs should be, None for one that is not measured; or None
            altogether, where there is nothing to learn or measure.
        weights: how much each sample or step counts at each output, where they differ.
        real: which rows hold a sample, where some only complete the batch.
    """

    inputs: Any
    targets: Any = None
    weights: Any = None
    real: Any = None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Together:
    """Several inputs whose steps are laid out alike.

    JAX would hand a program the segments of each input apart, and layers could not see that they
    are the same.

    Args:
        values: the inputs as arrays, in the container in which the model takes them.
        segments: which sequence each step belongs to.
        stepped: which of the inputs have steps.
        packed: whether a row may hold several sequences.
    """

    values: Any
    segments: Any
    stepped: tuple[bool, ...] = field(metadata={"static": True})
    packed: bool = field(metadata={"static": True})


def opened(inputs: Any) -> Any:
    """Return a batch's inputs as the model takes them."""
    if not isinstance(inputs, Together):
        return inputs
    leaves, tree = jax.tree.flatten(inputs.values)
    whole = [
        Steps(leaf, inputs.segments, packed=inputs.packed) if has_steps else leaf
        for leaf, has_steps in zip(leaves, inputs.stepped, strict=True)
    ]
    return jax.tree.unflatten(tree, whole)


class Source(ABC):
    """Data that can be gone through in batches, in order or shuffled."""

    @abstractmethod
    def epoch(self, shuffle: np.random.Generator | None = None, complete: bool = False) -> Epoch:
        """Return the batches of one pass over the data.

        Args:
            shuffle: where the order comes from, or None for the order of the data.
            complete: whether the last batch gets rows that do not count, so that all batches have
                one shape and run one program.
        """

    def peek(self, complete: bool = False) -> tuple[MiniBatch, int | None]:
        """Return the first batch and the number of batches, where that is known."""
        epoch = self.epoch(complete=complete)
        return next(iter(epoch)), epoch.count

    def pass_over(self, shuffle: np.random.Generator | None = None, complete: bool = False) -> None:
        """Bring what the batches are drawn from to where it is after an epoch.

        Args:
            shuffle: as for `epoch`.
            complete: as for `epoch`.
        """
        del shuffle, complete  # Epochs of what lies in memory hang on their orders alone.

    @abstractmethod
    def check(self, model: Layer) -> None:
        """Let the model refuse values that are out of range, before anything runs."""

    @abstractmethod
    def real_targets(self, output: int, masked: bool) -> Array | None:
        """Return the targets of an output of which it is known that they count, or None.

        Args:
            output: which output.
            masked: whether the model leaves out steps by a mask of its own.
        """

    @abstractmethod
    def collect(self, epoch: Epoch, outputs: list[Any]) -> Any:
        """Return the outputs of all batches in the form in which the inputs came."""


class Epoch(Iterable[MiniBatch]):
    """The batches of one pass over the data, each made when it is asked for.

    Args:
        make: returns the batch of a number.
        count: the number of batches, or None where that is not known.
        plan: what the source needs to put outputs back in order.
        filled: in words, how much of the batches are real steps, where sequences were laid out.
    """

    def __init__(self, make: Any, count: int | None, plan: Any = None, filled: str = "") -> None:
        self._make = make
        self.count = count
        self.plan = plan
        self.filled = filled

    def __iter__(self) -> Iterator[MiniBatch]:
        return self.after(0)

    def after(self, done: int) -> Iterator[MiniBatch]:
        """Return the batches behind the first ones."""
        return (self._make(index) for index in range(done, self.count or 0))

    def taken(self, outputs: Any) -> Any:
        """Return the outputs of the latest batch as `Source.collect` wants them."""
        return outputs


@dataclass(frozen=True)
class ArraySource(Source):
    """Arrays with one row a sample: inputs (a tree of them, or `Steps`), targets and weights.

    Args:
        data: the arrays.
        batch_size: the number of samples in a batch; the last batch may be smaller.
        as_list: whether the outputs go back as a list, because the inputs came as one.
    """

    data: MiniBatch
    batch_size: int
    as_list: bool = False

    @property
    def rows(self) -> int:
        """The number of samples."""
        return int(jax.tree.leaves(self.data.inputs)[0].shape[0])

    def epoch(self, shuffle: np.random.Generator | None = None, complete: bool = False) -> Epoch:
        """Return the batches, in order or shuffled."""
        rows, size = self.rows, self.batch_size
        count = -(-rows // size)
        order = None if shuffle is None else shuffle.permutation(rows)

        def make(index: int) -> MiniBatch:
            chosen: Any = slice(index * size, (index + 1) * size)
            if order is not None:
                chosen = order[chosen]
            batch = MiniBatch(*jax.tree.map(lambda array: array[chosen], tuple(self.data)))
            missing = (index + 1) * size - rows
            return completed(batch, missing) if complete and count > 1 and missing > 0 else batch

        return Epoch(make, count)

    def check(self, model: Layer) -> None:
        """Let the model refuse values that are out of range."""
        inputs = self.data.inputs
        if finite_inputs():
            named = jax.tree_util.tree_flatten_with_path(inputs, is_leaf=is_steps)[0]
            for path, item in named:
                check_finite(item, f"x{jax.tree_util.keystr(path)}")
        values = (leaf.values if is_steps(leaf) else leaf for leaf in flat_outputs(inputs))
        tree = jax.tree.structure(inputs, is_leaf=is_steps)
        model.check_values(jax.tree.unflatten(tree, values))

    def real_targets(self, output: int, masked: bool) -> Array | None:
        """Return all targets of an output, unless a mask leaves some out."""
        targets = None if self.data.targets is None else self.data.targets[output]
        if targets is None or masked or isinstance(targets, Steps):
            return None
        return np.asarray(targets)

    def collect(self, epoch: Epoch, outputs: list[Any]) -> Any:
        """Return the outputs of all batches one after the other."""
        if not any(is_steps(leaf) for leaf in flat_outputs(self.data.inputs)):
            outputs = jax.tree.map(
                lambda leaf: leaf.values if is_steps(leaf) else leaf, outputs, is_leaf=is_steps
            )
        whole = jax.tree.map(lambda *parts: np.concatenate(parts)[: self.rows], *outputs)
        return jax.tree.map(list, whole) if self.as_list else whole


@dataclass(frozen=True)
class RaggedSource(Source):
    """Sequences of different lengths, and targets and weights that go with them.

    Args:
        parts: how the model takes its inputs.
        items: the inputs: sequences, or an array with one row a sequence.
        targets: the targets of each output, in the same forms; None where there are none.
        weights: the weights of each output, likewise.
        batch_size: about how many sequences a batch should hold; None for all in one batch.
        packed: whether rows hold several sequences, or one each.
        shapes: what the rows of the model's batches have been like; gets to know these.
        max_shapes: how many lengths sequences are padded to at most, where rows are not packed.
    """

    parts: Parts
    items: list[Any]
    targets: tuple[Any, ...] | None
    weights: tuple[Any, ...] | None
    batch_size: int | None
    packed: bool
    shapes: Shapes
    max_shapes: int

    @cached_property
    def inputs(self) -> Ragged:
        """The first of the inputs that have steps; the others are laid out like it."""
        return next(item for item in self.items if isinstance(item, Ragged))

    def epoch(self, shuffle: np.random.Generator | None = None, complete: bool = False) -> Epoch:
        """Return the batches, all of whole rows; shuffled, each epoch packs other ones together."""
        if shuffle is None and complete:
            return self._complete
        count = len(self.inputs)
        order = np.arange(count) if shuffle is None else shuffle.permutation(count)
        # What is to keep to the order of the data waits in fewer open rows for what fits.
        window = 8 if shuffle is None else 32
        batches = (
            self._packed(order, window) if self.packed else self._padded(order, self.batch_size)
        )
        turn = np.arange(len(batches)) if shuffle is None else shuffle.permutation(len(batches))
        return self._epoch_of(batches, turn)

    @cached_property
    def _complete(self) -> Epoch:
        """The batches to measure or predict, where order counts for nothing.

        A batch has as many rows as Keras would pad, since more rows at once are quicker.
        """
        count, most = len(self.inputs), self.batch_size
        if not self.packed:
            batches = self._padded(None, None if most is None else few_rows(count, most))
        elif most is None:
            batches = self._packed(None, 1)
        else:
            plan = plan_rows(self.inputs.lengths, self.shapes.row_length)
            batches = self._laid_out(plan, few_rows(len(plan), most))
        return self._epoch_of(batches, np.arange(len(batches)))

    def _packed(self, order: Array | None, window: int) -> Batches:
        """Return packed rows, all in one batch where no size is given."""
        lengths, least = self.inputs.lengths, self.shapes.row_length
        if self.batch_size is not None:
            rows, row_length = row_shape(lengths, self.batch_size, least)
            return self._laid_out(plan_rows(lengths, row_length, order, window), rows)
        plan = plan_rows(lengths, least)
        self.shapes.rows = max(self.shapes.rows, len(plan))
        return self._laid_out(plan, self.shapes.rows)

    def _laid_out(self, plan: RowPlan, rows: int) -> Batches:
        return packed_batches(self.inputs, plan, rows, self._named())

    def _padded(self, order: Array | None, rows: int | None) -> Batches:
        first = self.inputs
        shapes = self.shapes.padded(first.lengths, self.max_shapes)
        return padded_batches(first, rows or len(first), order, shapes, self._named())

    def _epoch_of(self, batches: Batches, turn: Array) -> Epoch:
        def make(index: int) -> MiniBatch:
            batch = batches[int(turn[index])]
            real = None if self.packed else batch.sequences >= 0
            targets, weights = (
                None
                if group is None
                else tuple(batch.aligned.get(f"{name}[{i}]") for i in range(len(group)))
                for name, group in (("y", self.targets), ("sample_weight", self.weights))
            )
            return MiniBatch(self._inputs_of(batch), targets, weights, real)

        filled = f"{batches.fill:.1%} full"
        if not self.packed:
            filled += f" in {len(set(batches.shapes))} shapes"
        return Epoch(make, len(batches), batches, filled)

    def _named(self) -> dict[str, Any]:
        """Return by name all that goes with the first of the inputs that have steps."""
        named = dict(zip(self.parts.names, self.items, strict=True))
        for name, group in (("y", self.targets), ("sample_weight", self.weights)):
            named |= {f"{name}[{i}]": each for i, each in enumerate(group or ())}
        first = self.inputs
        return {
            name: data for name, data in named.items() if data is not None and data is not first
        }

    def _inputs_of(self, batch: Batch) -> Any:
        if len(self.items) == 1:
            return self.parts.joined([batch.steps])
        first = self.inputs
        values = [
            batch.steps.values if item is first else batch.aligned[name]
            for name, item in zip(self.parts.names, self.items, strict=True)
        ]
        stepped = tuple(isinstance(item, Ragged) for item in self.items)
        segments, packed = batch.steps.segments, batch.steps.packed
        return Together(self.parts.joined(values), segments, stepped, packed)

    def check(self, model: Layer) -> None:
        """Let the model refuse values that are out of range; name the sequence that has one."""
        if finite_inputs():
            named = dict(zip(self.parts.names, self.items, strict=True))
            named |= {f"y[{i}]": y for i, y in enumerate(self.targets or ()) if y is not None}
            for name, item in named.items():
                check_finite(item, name)
        items = [item.values if isinstance(item, Ragged) else item for item in self.items]
        try:
            model.check_values(self.parts.joined(items))
        except DataError:
            rows = [item.split() if isinstance(item, Ragged) else item for item in self.items]
            for number in range(len(self.inputs)):
                try:
                    model.check_values(self.parts.joined([row[number] for row in rows]))
                except DataError as error:
                    raise DataError(f"sequence {number}: {error}") from None
            raise

    def real_targets(self, output: int, masked: bool) -> Array | None:
        """Return the targets of all sequences end to end."""
        targets = None if self.targets is None else self.targets[output]
        return targets.values if isinstance(targets, Ragged) else targets

    def collect(self, epoch: Epoch, outputs: list[Any]) -> Any:
        """Return a list with the output of each sequence, in the order of the inputs."""
        batches: Batches = epoch.plan
        tree = jax.tree.structure(outputs[0], is_leaf=is_steps)
        columns = zip(*map(flat_outputs, outputs), strict=True)
        return jax.tree.unflatten(tree, [self._collected(batches, each) for each in columns])

    def _collected(self, batches: Batches, outputs: Sequence[Any]) -> list[Any]:
        if isinstance(outputs[0], Steps):
            values = [output.values for output in outputs]
            given = [np.asarray(batch.steps.segments) for batch in batches]
            own = [np.asarray(output.segments) for output in outputs]
            if all(_stay(*pair) for pair in zip(own, given, strict=True)):
                return gather_back(values, given, self.inputs.lengths).split()
            return gather_back(values, own, _counted(own, len(self.inputs))).split()
        sequences = [batch.sequences for batch in batches]
        return list(gather_rows(list(outputs), sequences, len(self.inputs)))


def _stay(segments: Array, before: Array) -> bool:
    """Whether the real steps of outputs stand where they stood in the inputs."""
    return segments.shape == before.shape and bool(((segments == before) | (segments == 0)).all())


def _counted(segments: list[Array], count: int) -> Array:
    """Return the number of steps of each of so many sequences."""
    ids = np.concatenate([block.ravel() for block in segments])
    return np.bincount(ids, minlength=count + 1)[1:]


def completed(batch: MiniBatch, missing: int) -> MiniBatch:
    """Return a batch with so many rows of zeros more, which do not count."""

    def longer(array: Any) -> Any:
        return np.concatenate([array, np.zeros((missing, *array.shape[1:]), array.dtype)])

    rows = jax.tree.leaves(batch.inputs)[0].shape[0]
    inputs, targets, weights, _ = (jax.tree.map(longer, part) for part in batch)
    return MiniBatch(inputs, targets, weights, np.arange(rows + missing) < rows)
