"""CRF: labels of whole sequences, in which a label depends on its neighbours."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from everystep import kinds
from everystep.core.scope import current_scope
from everystep.core.settings import setting
from everystep.errors import SettingError
from everystep.initializers import INITIALIZER
from everystep.kernels.chain import FORBIDDEN, Chain
from everystep.kinds import Kind
from everystep.layers import arguments
from everystep.layers.layer import Layer
from everystep.layers.spec import InputSpec
from everystep.regularizers import REGULARIZER


def _flags(value: Any) -> npt.NDArray[np.bool_]:
    flags = np.asarray(value)
    square = flags.ndim == 2 and flags.shape[0] == flags.shape[1] > 1
    if not square or flags.dtype != np.bool_:
        kinds.reject(value)
    return flags


FLAGS = Kind(
    "a square matrix of booleans, (labels + 1, labels + 1)",
    _flags,
    lambda flags: flags.tolist(),
    refused=("BIO", 3, [True, False], [[0, 1], [1, 0]], [[True]]),
)


class CRF(Layer):
    """A linear-chain conditional random field: the label of a step depends on those beside it.

    Equation: a sequence of labels `y` scores `start[y[1]] + sum_t inputs[t, y[t]] +
    sum_t transitions[y[t-1], y[t]] + end[y[T]]`, and its probability is the softmax of that over
    all sequences of labels of its length. Both are computed exactly, in float32 or wider.

    The outputs are the labels of the most probable sequence, as ones among zeros, found by
    Viterbi's algorithm; or, with `gives="marginals"`, the probability of each label at each step.
    Either way a step's label is `argmax` over the last axis, so that metrics such as "accuracy"
    count it. The layer is trained by the loss `CRFLoss`, the mean of `-log p` over real steps,
    which no padding and no packing changes: `compile("adam", "crf_loss", metrics=["accuracy"])`.

    Each sequence of a packed row is one of its own; padding on either side and gaps count nothing.

    Shapes: `(batch, steps, labels)` -> the same. `transitions` is `(labels, labels)`, from a label
    to the one after it; `start` and `end` are `(labels,)`.

    Args:
        labels: how many labels there are.
        forbidden: which label must not follow which, booleans of shape `(labels + 1, labels + 1)`:
            a row for the label before, the last for the start, and a column for the label after,
            the last for the end; see `forbidden_transitions`. What is forbidden has probability 0
            and learns nothing. Labels to train on that need it cost 1e30.
        gives: what comes out: `"labels"` or `"marginals"`.
        transitions_initializer: how `transitions` is first drawn.
        boundaries_initializer: how `start` and `end` are first drawn.
        transitions_regularizer: a function of `transitions` that is added to the loss.

    Raises:
        SettingError: `forbidden` has another size, or allows no sequence at all.
        ShapeError: the inputs have another number of labels.

    Example:
        >>> import everystep as es, numpy as np
        >>> names = ["O", "B-name", "I-name"]
        >>> crf = es.layers.CRF(3, forbidden=es.layers.forbidden_transitions(names))
        >>> scores = np.array([[[0.0, 0.0, 9.0], [0.0, 0.0, 9.0], [9.0, 0.0, 0.0]]])
        >>> [names[label] for label in crf(scores)[0].argmax(-1)]
        ['B-name', 'I-name', 'O']

    Source: Lafferty, McCallum and Pereira 2001, "Conditional random fields"; with start and end as
    in Lample and others 2016, arXiv:1603.01360, section 2.2.
    """

    labels: int = setting(kinds.POSITIVE)
    forbidden: Any = setting(kinds.optional(FLAGS), default=None)
    gives: str = setting(kinds.one_of("labels", "marginals"), default="labels")
    transitions_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    boundaries_initializer: Any = setting(INITIALIZER, default="zeros")
    transitions_regularizer: Any = setting(REGULARIZER, default=None)

    def after_settings(self) -> None:
        """Check that the constraints are about these labels, and leave something to choose."""
        self.input_spec = InputSpec(ndim=3, axes={-1: self.labels})
        if self.forbidden is None:
            return
        size = self.labels + 1
        if self.forbidden.shape != (size, size):
            raise SettingError(
                f"CRF: forbidden must have shape {(size, size)} for {self.labels} labels, with a "
                f"row for the start and a column for the end, not {self.forbidden.shape}"
            )
        if not _leaves_a_way(self.forbidden):
            raise SettingError(
                "CRF: forbidden leaves no sequence of labels from the start to the end: allow one "
                "of the transitions"
            )

    def build(self, input_shape: Any) -> None:
        """Create `transitions`, `start` and `end`."""
        self.transitions = self.add_weight(
            (self.labels, self.labels),
            self.transitions_initializer,
            autocast=False,
            regularizer=self.transitions_regularizer,
            name="transitions",
        )
        self.start, self.end = (
            self.add_weight((self.labels,), self.boundaries_initializer, autocast=False, name=name)
            for name in ("start", "end")
        )

    def call(self, inputs: Any, segments: Any = None, packed: bool = False) -> Any:
        """Return the labels or their probabilities, and leave the chain to the loss."""
        chain = self._chain(inputs, segments, packed)
        scope = current_scope()
        if scope is not None:
            scope.left.append((self.name, chain))
        if self.gives == "marginals":
            return chain.marginals().astype(inputs.dtype)
        return jax.nn.one_hot(chain.labels(), self.labels, dtype=inputs.dtype)

    def chain(self, inputs: Any, mask: Any = None) -> Chain:
        """Return the chain of labels over the inputs, which knows labels and marginals and more.

        Args:
            inputs: an array or `Steps`, as for a call of the layer.
            mask: as for a call of the layer.

        Example:
            >>> import everystep as es, jax.numpy as jnp
            >>> chain = es.layers.CRF(2).chain(jnp.array([[[0.0, 9.0], [9.0, 0.0]]]))
            >>> chain.labels().tolist(), chain.marginals().round(2).tolist()
            ([[1, 0]], [[[0.0, 1.0], [1.0, 0.0]]])
        """
        if not self.built:
            self(inputs, mask=mask)
        opened = arguments.open_inputs(self, inputs, mask)
        return self._chain(opened.values, opened.segments, opened.packed)

    def _chain(self, inputs: Any, segments: Any, packed: bool) -> Chain:
        dtype = jnp.promote_types(inputs.dtype, jnp.float32)
        weights = [self.transitions, self.start, self.end]
        transitions, start, end = (jnp.asarray(weight).astype(dtype) for weight in weights)
        moves = jnp.concatenate([transitions, start[None]])
        if self.forbidden is not None:
            moves = jnp.where(self.forbidden[:, :-1], FORBIDDEN, moves)
            end = jnp.where(self.forbidden[:-1, -1], FORBIDDEN, end)
        return Chain(inputs.astype(dtype), moves, end, segments, packed)


def _leaves_a_way(forbidden: npt.NDArray[np.bool_]) -> bool:
    """Whether any labels lead from the start, the last row, to the end, the last column."""
    allowed = ~forbidden
    reached = allowed[-1, :-1]
    for _ in reached:
        reached = reached | allowed[:-1, :-1][reached].any(axis=0)
    return bool(allowed[:-1, -1][reached].any())
