"""What is measured in each step of a model with one output or several, and how it is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax

from everystep.core.variables import Variable
from everystep.errors import ShapeError
from everystep.metrics import Mean, Metric
from everystep.sequences import Steps
from everystep.training.feeding import MiniBatch
from everystep.training.heads import Head
from everystep.training.parts import flat_outputs


@dataclass(frozen=True)
class Output:
    """One of a model's outputs as plain values, and which of its steps or samples are real."""

    values: Any
    mask: Any

    @classmethod
    def all_of(cls, outputs: Any, real: Any) -> list[Output]:
        """Take segments off a model's outputs.

        Args:
            outputs: what the model gave.
            real: which rows hold a sample, for outputs that have no steps; None for all.
        """
        return [
            cls(leaf.values, leaf.mask) if isinstance(leaf, Steps) else cls(leaf, real)
            for leaf in flat_outputs(outputs)
        ]

    @property
    def count(self) -> Any:
        """The number of real steps, or of samples where there are no steps."""
        return self.values.shape[0] if self.mask is None else self.mask.sum()


jax.tree_util.register_dataclass(Output, data_fields=["values", "mask"], meta_fields=[])


@dataclass
class Measures:
    """What is measured in each step: the loss, plain metrics and weighted ones, at each output.

    Args:
        heads: what is measured at each output.
        resolved: whether the metrics are chosen; without targets, as in predict, they cannot be.
        needs_targets: whether there is a loss that compares outputs with targets.
        mean_loss: the mean of the loss that is trained.
    """

    heads: list[Head]
    resolved: bool = True
    needs_targets: bool = False
    mean_loss: Mean = field(default_factory=lambda: Mean(name="loss"))

    @property
    def _named(self) -> list[tuple[str, Metric]]:
        """The names of all measures and the measures, in the order in which they are reported.

        It is Keras's: for several outputs first their losses, then the metrics by their names.
        """
        taken: Counter[str] = Counter()
        losses = [
            (_numbered(str(head.mean_loss.name), taken), head.mean_loss)
            for head in self.heads
            if head.mean_loss is not None
        ]
        metrics = []
        for weighted in (False, True):
            for head in self.heads:
                for metric in head.weighted_metrics if weighted else head.metrics:
                    name = head.written(metric.name or "")
                    if weighted and taken[name]:
                        name = head.written(f"weighted_{metric.name}")
                    metrics.append((_numbered(name, taken), metric))
        if len(self.heads) > 1:
            metrics.sort(key=lambda named: named[0])
        return [("loss", self.mean_loss), *losses, *metrics]

    @property
    def all(self) -> list[Metric]:
        """The mean loss and all metrics, in the order in which they are reported."""
        return [metric for _, metric in self._named]

    @property
    def variables(self) -> list[Variable]:
        """The states of all metrics."""
        return [variable for metric in self.all for variable in metric.variables]

    def named(self, results: Sequence[Any]) -> dict[str, Any]:
        """Return results by the names of the measures, in their order."""
        return {name: value for (name, _), value in zip(self._named, results, strict=True)}

    def check_labels(self, output: int, labels: Any) -> None:
        """Raise a DataError if a label is a class that an output does not have."""
        head = self.heads[output]
        if head.loss is not None and labels is not None and head.classes is not None:
            head.loss.check_labels(labels, head.classes)

    def reset(self) -> None:
        """Start all counts from zero."""
        for metric in self.all:
            metric.reset_state()

    def losses(
        self, batch: MiniBatch, outputs: Sequence[Output], left: Sequence[tuple[str, Any]] = ()
    ) -> list[Any]:
        """Return the loss of each output, None for one that has none.

        Args:
            batch: targets and weights.
            outputs: what the model gave.
            left: what layers left for losses in this run, each with the layer's name.

        Raises:
            ShapeError: the model gives more or fewer outputs than there are targets.
        """
        if len(outputs) != len(self.heads) and any(head.measured for head in self.heads):
            raise ShapeError(
                f"the model gives {len(outputs)} outputs, but there are targets for "
                f"{len(self.heads)}: give y as a list or dict with one entry for each output"
            )
        return [
            None
            if head.loss is None
            else head.loss(
                target,
                head.loss.compared(output.values, left),
                sample_weight=weight,
                mask=output.mask,
            )
            for head, target, weight, output in self._together(batch, outputs)
        ]

    def total(self, losses: Sequence[Any]) -> Any:
        """Return the sum of the outputs' losses, each times its weight; 0 where there are none."""
        weighted = [
            loss if head.weight is None else loss * head.weight
            for head, loss in zip(self.heads, losses, strict=True)
            if loss is not None
        ]
        return sum(weighted[1:], weighted[0]) if weighted else 0.0

    def update(
        self, batch: MiniBatch, outputs: Sequence[Output], losses: Sequence[Any], total: Any
    ) -> None:
        """Count one batch."""
        # A loss of several outputs is for all of them together, so all their entries count.
        self.mean_loss.update_state(total, sample_weight=sum(output.count for output in outputs))
        if not any(head.measured for head in self.heads):
            return
        for (head, target, weight, output), loss in zip(
            self._together(batch, outputs), losses, strict=True
        ):
            if head.mean_loss is not None:
                head.mean_loss.update_state(loss, sample_weight=output.count)
            real = None if output.mask is None else output.mask.astype("float32")
            for metric in head.metrics:
                metric.update_state(target, output.values, sample_weight=real)
            for metric in head.weighted_metrics:
                metric.update_state(target, output.values, sample_weight=_both(weight, real))

    def _together(
        self, batch: MiniBatch, outputs: Sequence[Output]
    ) -> Iterator[tuple[Head, Any, Any, Output]]:
        nothing = [None] * len(self.heads)
        return zip(
            self.heads, batch.targets or nothing, batch.weights or nothing, outputs, strict=False
        )


def _numbered(name: str, taken: Counter[str]) -> str:
    """Return the name, with a number where it comes again."""
    taken[name] += 1
    return name if taken[name] == 1 else f"{name}_{taken[name] - 1}"


def _both(weights: Any, real: Any) -> Any:
    """Return the product of two weightings, one of which may be for whole samples."""
    if weights is None or real is None:
        return real if weights is None else weights
    rank = max(weights.ndim, real.ndim)
    first, second = (a.reshape(a.shape + (1,) * (rank - a.ndim)) for a in (weights, real))
    return first * second
