"""The loss of a layer CRF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from everystep.core import setting
from everystep.errors import DataError, StateError
from everystep.kernels.chain import Chain
from everystep.losses.arrays import class_ids, filled, fitted, kept
from everystep.losses.base import DTYPE, NAME, REDUCTION, Loss, reduced
from everystep.losses.crossentropy import check_class_ids
from everystep.sequences import numbers


class CRFLoss(Loss):
    """What labels cost a layer `CRF`: `-log p` of the sequence of labels, in the mean over steps.

    Equation: at each step `-log p(y[t] | y[1], ..., y[t-1], inputs)`, of which the sum over a
    sequence is `-log p(y | inputs)`.

    A step of weight 0 has no label: whatever it may be counts for the steps after it, so that the
    sum is `-log p` of the labels that are known.

    It does not look at what the model gives, which is labels or probabilities, but at the chain
    that the layer leaves in the run.

    Args:
        layer: the name of the layer, where a model has several; by default its only one.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.

    Raises:
        StateError: no layer `CRF` has run, or several have.
        DataError: a label is a class number that does not exist.

    Example:
        >>> import everystep as es
        >>> model = es.Sequential([es.layers.Dense(3, input_shape=(None, 4)), es.layers.CRF(3)])
        >>> model.compile("adam", "crf_loss", metrics=["accuracy"])
        >>> x = [jnp.ones((steps, 4)) for steps in (5, 2)]
        >>> y = [jnp.zeros(steps, int) for steps in (5, 2)]
        >>> sorted(model.evaluate(x, y, return_dict=True))
        ['accuracy', 'loss']
    """

    layer: str | None = setting(NAME, default=None)
    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="crf_loss")
    dtype: str | None = setting(DTYPE, default=None)
    by_value: ClassVar[bool] = False

    def compared(self, y_pred: Any, left: Sequence[tuple[str, Any]]) -> Any:
        """Return the chain that the layer left in the run."""
        chains = [
            (name, chain)
            for name, chain in left
            if isinstance(chain, Chain) and self.layer in (None, name)
        ]
        if len(chains) != 1:
            raise StateError(
                f"loss '{self.name}' is that of one layer CRF{self._which}, but in this run there "
                f"were {[name for name, _ in chains] or 'none'}: put one behind the last scores, "
                "or name the one that is meant by the setting `layer`"
            )
        return chains[0][1]

    @property
    def _which(self) -> str:
        return "" if self.layer is None else f" named '{self.layer}'"

    def check_labels(self, y_true: Any, classes: int) -> None:
        """Check that all labels exist."""
        check_class_ids(str(self.name), y_true, classes)

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> Any:
        """Return the loss of labels.

        Args:
            y_true: class numbers, (batch, steps) or (batch, steps, 1).
            y_pred: the chain, as `CRF.chain` gives it.
            sample_weight: weights of samples or steps.
            mask: which steps are real, where others must not count.
        """
        if not isinstance(y_pred, Chain):
            raise DataError(
                f"loss '{self.name}' compares labels with the chain of a layer CRF, not with "
                f"{type(y_pred).__name__}: take it from `layer.chain(inputs)`"
            )
        labels = class_ids(str(self.name), numbers("labels", y_true), y_pred.emissions)
        if mask is None and y_pred.segments is not None:
            mask = y_pred.segments != 0
        mask = None if mask is None else jnp.asarray(mask, bool)
        weight = None if sample_weight is None else numbers("sample_weight", sample_weight)
        keep = kept(weight, mask)
        labels = labels if keep is None else filled(labels, keep)
        check_class_ids(str(self.name), labels, y_pred.ends.size)
        known = (
            None
            if weight is None
            else jnp.broadcast_to(fitted("sample_weight", weight != 0, labels.shape), labels.shape)
        )
        exists = (labels >= 0) & (labels < y_pred.ends.size)
        values = y_pred.surprises(jnp.where(exists, labels, 0), known)
        values = jnp.where(exists, values, jnp.nan)
        return reduced(jnp.asarray(values, self.dtype), weight, mask, self.reduction)
