"""From what people hand to `fit` to batches of arrays, and from outputs back to what they handed.

Arrays are cut into batches along their first axis. A list of arrays of different lengths is packed
into rows of one fixed shape, so that a whole epoch runs one compiled program and hardly any step is
padding; a model that takes one sequence a row gets padded rows of few lengths instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from everystep.errors import DataError, PackedRowsError
from everystep.layers import Layer, symbolic
from everystep.sequences import (
    Batches,
    Ragged,
    Steps,
    check_aligned,
    gather_back,
    gather_rows,
    packed_batches,
    padded_batches,
    plan_rows,
    rows_for,
)
from everystep.training.weighting import class_weighted

Array = np.ndarray[Any, Any]


class MiniBatch(NamedTuple):
    """What one step reads.

    Args:
        inputs: the inputs of the model.
        targets: what its outputs should be, where there is something to learn or measure.
        weights: how much each sample or step counts, where they differ.
        real: which rows hold a sample, where some only complete the batch.
    """

    inputs: Any
    targets: Any = None
    weights: Any = None
    real: Any = None


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

    @abstractmethod
    def check(self, model: Layer) -> None:
        """Let the model refuse values that are out of range, before anything runs."""

    @abstractmethod
    def real_targets(self, masked: bool) -> Array | None:
        """Return the targets of which it is known that they count, or None.

        Args:
            masked: whether the model leaves out steps by a mask of its own.
        """

    @abstractmethod
    def collect(self, epoch: Epoch, outputs: list[Any]) -> Any:
        """Return the outputs of all batches in the form in which the inputs came."""


class Epoch(Sequence[MiniBatch]):
    """The batches of one pass over the data, each made when it is asked for.

    Args:
        make: returns the batch of a number.
        count: the number of batches.
        plan: what the source needs to put outputs back in order.
    """

    def __init__(self, make: Any, count: int, plan: Any = None) -> None:
        self._make = make
        self._count = count
        self.plan = plan

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._make(index)

    def __iter__(self) -> Iterator[MiniBatch]:
        return (self._make(index) for index in range(self._count))


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
        model.check_values(inputs.values if isinstance(inputs, Steps) else inputs)

    def real_targets(self, masked: bool) -> Array | None:
        """Return all targets, unless a mask leaves some out."""
        targets = self.data.targets
        if targets is None or masked or isinstance(targets, Steps):
            return None
        return np.asarray(targets)

    def collect(self, epoch: Epoch, outputs: list[Any]) -> Any:
        """Return the outputs of all batches one after the other."""
        if not isinstance(self.data.inputs, Steps):
            outputs = jax.tree.map(
                lambda leaf: leaf.values if isinstance(leaf, Steps) else leaf,
                outputs,
                is_leaf=lambda leaf: isinstance(leaf, Steps),
            )
        whole = jax.tree.map(lambda *parts: np.concatenate(parts)[: self.rows], *outputs)
        return list(whole) if self.as_list else whole


@dataclass(frozen=True)
class RaggedSource(Source):
    """Sequences of different lengths, and targets and weights that go with them.

    Args:
        inputs: the sequences.
        aligned: `targets` and `weights`, where there are some.
        batch_size: about how many sequences a batch should hold.
        row_length: the length of packed rows; None where each sequence has a row of its own.
    """

    inputs: Ragged
    aligned: dict[str, Any]
    batch_size: int
    row_length: int | None

    def epoch(self, shuffle: np.random.Generator | None = None, complete: bool = False) -> Epoch:
        """Return the batches, all completed; shuffled, each epoch packs other ones together."""
        lengths = self.inputs.lengths
        order = None if shuffle is None else shuffle.permutation(len(lengths))
        if self.row_length is None:
            batches = padded_batches(
                self.inputs, self.batch_size, order=order, aligned=self.aligned
            )
        else:
            plan = plan_rows(lengths, self.row_length, order)
            rows = rows_for(lengths, self.row_length, self.batch_size)
            batches = packed_batches(self.inputs, plan, rows, self.aligned)
        turn = range(len(batches)) if shuffle is None else shuffle.permutation(len(batches))

        def make(index: int) -> MiniBatch:
            batch = batches[int(turn[index])]
            aligned = batch.aligned.get("targets"), batch.aligned.get("weights")
            real = batch.sequences >= 0 if self.row_length is None else None
            return MiniBatch(batch.steps, *aligned, real)

        return Epoch(make, len(batches), batches)

    def check(self, model: Layer) -> None:
        """Let the model refuse values that are out of range; name the sequence that has one."""
        try:
            model.check_values(self.inputs.values)
        except DataError:
            for number, sequence in enumerate(self.inputs.split()):
                try:
                    model.check_values(sequence)
                except DataError as error:
                    raise DataError(f"sequence {number}: {error}") from None
            raise

    def real_targets(self, masked: bool) -> Array | None:
        """Return the targets of all sequences end to end."""
        targets = self.aligned.get("targets")
        return targets.values if isinstance(targets, Ragged) else targets

    def collect(self, epoch: Epoch, outputs: list[Any]) -> Any:
        """Return a list with the output of each sequence, in the order of the inputs."""
        batches: Batches = epoch.plan
        if isinstance(outputs[0], Steps):
            segments = [batch.steps.segments for batch in batches]
            values = [output.values for output in outputs]
            return gather_back(values, segments, self.inputs.lengths).split()
        sequences = [batch.sequences for batch in batches]
        return list(gather_rows(outputs, sequences, len(self.inputs)))


def completed(batch: MiniBatch, missing: int) -> MiniBatch:
    """Return a batch with so many rows of zeros more, which do not count."""

    def longer(array: Any) -> Any:
        return np.concatenate([array, np.zeros((missing, *array.shape[1:]), array.dtype)])

    rows = jax.tree.leaves(batch.inputs)[0].shape[0]
    inputs, targets, weights, _ = (jax.tree.map(longer, part) for part in batch)
    return MiniBatch(inputs, targets, weights, np.arange(rows + missing) < rows)


def source_of(
    model: Layer,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    *,
    batch_size: int = 32,
    row_length: int = 0,
) -> Source:
    """Return the source for what was handed to fit, evaluate or predict.

    Args:
        model: the model that will read it; it is built on the way, if it is new.
        x: an array, a tree of arrays, `Steps`, or a list of arrays of different lengths.
        y: targets in the same form, or None.
        sample_weight: a weight for each sample or each step, or None.
        class_weight: a weight for each class of the targets, or None.
        batch_size: the number of samples in a batch.
        row_length: the least length of packed rows.

    Raises:
        DataError: the inputs are of no such form, or targets or weights do not go with them.
    """
    if isinstance(x, list | tuple):
        return _list_source(model, x, y, sample_weight, class_weight, batch_size, row_length)
    targets = None if y is None else _as_array(y, "y")
    weights = _weights(targets, sample_weight, class_weight)
    inputs = jax.tree.map(lambda leaf: _as_array(leaf, "x"), x)
    data = MiniBatch(inputs, targets, weights)
    _refuse_different_lengths(data)
    return ArraySource(data, batch_size)


def _list_source(
    model: Layer,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    batch_size: int,
    row_length: int,
) -> Source:
    inputs = Ragged.of(x, "x")
    targets = None if y is None else _aligned(y, "y")
    weights = None if sample_weight is None else _aligned(sample_weight, "sample_weight")
    if class_weight is not None:
        weights = class_weighted(targets, weights, class_weight)
    if len(set(inputs.lengths.tolist())) == 1 and inputs.lengths[0]:
        parts = (_stacked(inputs, part) for part in (inputs, targets, weights))
        data = MiniBatch(*parts)
        _refuse_different_lengths(data)
        return ArraySource(data, batch_size, as_list=True)
    packs = _takes_packed_rows(model, inputs)
    if packs and isinstance(targets, np.ndarray):
        raise DataError(
            "y must have one target for each step, as a list of arrays as long as those of x, "
            f"because the model gives one output for each step; it came with shape {targets.shape}"
        )
    given = {"targets": targets, "weights": weights}
    aligned = {name: data for name, data in given.items() if data is not None}
    length = max(int(inputs.lengths.max()), row_length, 1) if packs else None
    return RaggedSource(inputs, aligned, batch_size, length)


def _stacked(inputs: Ragged, part: Any) -> Any:
    """Return sequences of one length as one array."""
    if not isinstance(part, Ragged):
        return part
    check_aligned(inputs, {"y or sample_weight": part})
    return part.values.reshape(len(part), -1, *part.values.shape[1:])


def _takes_packed_rows(model: Layer, inputs: Ragged) -> bool:
    """Find out, by running the model on shapes alone, whether it takes several sequences a row."""
    shape = (None, None, *inputs.values.shape[1:])
    try:
        symbolic.trace(model, shape, segments="packed")
    except PackedRowsError:
        return False
    return True


def _aligned(data: Any, name: str) -> Ragged | Array:
    """Return what goes with a list of sequences: one array for each, or one value for each."""
    if isinstance(data, list | tuple) and data and np.ndim(data[0]) > 0:
        return Ragged.of(data, name)
    array: Array = _as_array(data, name)
    return array


def _as_array(value: Any, name: str) -> Any:
    if isinstance(value, Steps | jax.Array):
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        raise DataError(
            f"{name} holds rows of different lengths: give x, y and sample_weight as lists of "
            "arrays, all three alike"
        ) from None
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise DataError(
            f"{name} must be an array of numbers with one row a sample, not {type(value).__name__} "
            f"of dtype {array.dtype} and shape {array.shape}"
        )
    return array


def _refuse_different_lengths(data: MiniBatch) -> None:
    counts = {
        name: {int(leaf.shape[0]) for leaf in jax.tree.leaves(part)}
        for name, part in data._asdict().items()
    }
    if len(set().union(*counts.values())) > 1:
        words = ", ".join(f"{name} {sorted(own)}" for name, own in counts.items() if own)
        raise DataError(f"all arrays must have one row for each sample, but have: {words}")
    if 0 in counts["inputs"]:
        raise DataError("x holds no sample at all: give at least one")


def _weights(targets: Any, sample_weight: Any, class_weight: Any) -> Any:
    weights = None if sample_weight is None else _as_array(sample_weight, "sample_weight")
    if class_weight is None:
        return weights
    return class_weighted(targets, weights, class_weight)
