"""Values over time steps together with the segments that say which steps belong together."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from everystep.errors import DataError
from everystep.kinds import checked
from everystep.sequences.arraylike import Array, ReadsLikeArray
from everystep.sequences.gathering import gather_back
from everystep.sequences.ragged import Ragged, as_array
from everystep.sequences.segments import check_segments


@final
@partial(
    jax.tree_util.register_dataclass,
    data_fields=("values", "segments"),
    meta_fields=("packed", "empty_tail"),
)
@dataclass(frozen=True, eq=False, repr=False)
class Steps(ReadsLikeArray):
    """Rows of time steps, which read like an array of their values.

    A pytree with the children `values` and `segments`; jax functions take it for its values. The
    constructor checks nothing, as it also runs inside traces: use `Steps.of` or `from_mask`.

    Shapes:
        values (batch, steps, ...), segments (batch, steps)

    Args:
        values: What each step holds.
        segments: The sequence of each step, int32: 0 is padding, k > 0 names a sequence. Inside a
            model they may go on, (batch, steps, inner steps), where steps hold steps of their own,
            as words do characters, of which some are padding.
        packed: Whether a row may hold several sequences. False is what a Keras mask can say.
        empty_tail: How many sequences without steps follow after the highest id. Any others without
            steps show as ids that do not occur. Static, and 0 almost always, so that lists of
            different length in rows of one shape share one compilation.

    Example:
        >>> steps = Steps.of(np.array([[1, 2, 3, 0]]), np.array([[2, 2, 1, 0]]))
        >>> steps.shape, steps.fill, steps.unpack()
        ((1, 4), 0.75, [array([3]), array([1, 2])])
    """

    values: Any
    segments: Any
    packed: bool
    empty_tail: int = 0

    @classmethod
    @checked
    def of(cls, values: Any, segments: Any, *, packed: bool = True) -> "Steps":
        """Make steps of concrete arrays, after checking them.

        Shapes:
            values (batch, steps, ...), segments (batch, steps)

        Args:
            values: A NumPy or jax array, or nested lists of numbers.
            segments: Ids of the sequences, numbered from 1 over the whole batch.
            packed: Whether a row may hold several sequences; False keeps to one a row, which every
                layer can take.

        Raises:
            DataError: The values are not numeric, the shapes do not fit, or the segments do not
                name sequences properly.

        Example:
            >>> Steps.of([[5, 6, 7]], [[1, 1, 2]])
            Steps(int64[1,3], packed, 100% full)
        """
        values = values if isinstance(values, jax.Array) else as_array(values, "values")
        ids = np.asarray(segments)
        check_segments(ids, packed=packed)
        _check_shapes(values, ids, "segments")
        return cls(values, ids.astype(np.int32), packed)

    @property
    def mask(self) -> Array:
        """True where a step is real, (batch, steps): the Keras mask."""
        mask: Array = self.segments != 0
        return mask

    @property
    def fill(self) -> float:
        """The share of cells that are real steps; 1.0 where there is no cell, as none is wasted."""
        mask = np.asarray(self.mask)
        return float(mask.mean()) if mask.size else 1.0

    def replace(self, **changes: Any) -> "Steps":
        """Give the same steps with other `values`, `segments` or `packed`.

        Example:
            >>> Steps.of([[5, 6]], [[1, 2]]).replace(values=np.array([[7, 8]])).unpack()
            [array([7]), array([8])]
        """
        return replace(self, **changes)

    def with_values(self, values: Any) -> "Steps":
        """Give other values with the same segments: what a layer hands on.

        Shapes:
            values (batch, steps, ...)

        Example:
            >>> Steps.of([[5, 6]], [[1, 2]]).with_values(np.array([[7, 8]])).unpack()
            [array([7]), array([8])]
        """
        return replace(self, values=values)

    def unpack(self) -> list[npt.NDArray[Any]]:
        """Give the sequences as a list of arrays, without padding and gaps.

        Packed rows give the sequences 1, 2, 3 ... in order of their ids, which is the order of the
        list that `pack` was given; an id that does not occur gives an array without steps. Rows of
        one sequence (`packed=False`) give one array a row, whatever their ids.

        Raises:
            DataError: The segments do not name sequences properly.

        Example:
            >>> Steps.of([[5, 6, 0], [7, 0, 0]], [[1, 1, 0], [3, 0, 0]]).unpack()
            [array([5, 6]), array([], dtype=int64), array([7])]
        """
        values, segments = np.asarray(self.values), np.asarray(self.segments)
        check_segments(segments, packed=self.packed)
        if not self.packed:
            real = segments != 0
            return Ragged.from_lengths(values[real], real.sum(axis=1)).split()
        lengths = np.bincount(segments[segments != 0], minlength=1)[1:]
        lengths = np.append(lengths, np.zeros(self.empty_tail, dtype=lengths.dtype))
        return gather_back([values], [segments], lengths).split()

    def __repr__(self) -> str:
        kind = "packed" if self.packed else "one sequence a row"
        concrete = isinstance(self.segments, np.ndarray | jax.Array)
        if concrete and not isinstance(self.segments, jax.core.Tracer):
            kind += f", {self.fill:.0%} full"
        return f"Steps({_brief(self.values)}, {kind})"


def from_mask(values: Any, mask: Any) -> Steps:
    """Make steps of padded values and a Keras mask: one sequence a row. Traceable.

    Shapes:
        values (batch, steps, ...), mask (batch, steps)

    Args:
        values: What each step holds.
        mask: True where a step is real, False at padding on either side and at gaps.

    Returns:
        Steps whose real ones all have the id 1.

    Raises:
        DataError: The mask does not have the first two axes of the values.

    Example:
        >>> from_mask(np.array([[5, 6, 0], [7, 0, 0]]), [[True, True, False], [True, False, False]])
        Steps(int64[2,3], one sequence a row, 50% full)
    """
    values = values if isinstance(values, jax.Array) else np.asarray(values)
    mask = mask if isinstance(mask, jax.Array) else np.asarray(mask)
    _check_shapes(values, mask, "mask")
    return Steps(values, (mask != 0).astype(jnp.int32), packed=False)


def _check_shapes(values: Any, segments: Any, name: str) -> None:
    rank = len(segments.shape)
    if rank < 2 or values.shape[:rank] != segments.shape:
        raise DataError(
            f"{name} must have the shape (batch, steps) of the values, {values.shape[:2]}, but "
            f"came as {segments.shape}; give one entry for each step of each row"
        )


def _brief(values: Any) -> str:
    """Dtype and shape of an array, or the type of anything else that a pytree may carry."""
    if not isinstance(values, np.ndarray | jax.Array | jax.ShapeDtypeStruct):
        return type(values).__name__
    return f"{values.dtype}[{','.join(map(str, values.shape))}]"
