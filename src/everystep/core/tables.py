"""Rows read out of tables, so that the gradient of a table need not be as large as the table.

A step of training that reads 1,600 words out of a vocabulary of 100,000 has gradients for those
words alone. To find them, a run adds something to the rows that it reads: what the loss changes by
it is the gradient of each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
from jax.extend.core import get_opaque_trace_state

if TYPE_CHECKING:
    from everystep.core.variables import Variable


class RowGradient(NamedTuple):
    """The gradient of a table of which some rows were read; that of all other rows is zero.

    Shapes: ids `(reads,)`, rows `(reads, features)`.

    Args:
        ids: which row was read, each time that one was; numbers outside of the table count not.
        rows: the gradient of what was read.
    """

    ids: Any
    rows: Any

    @classmethod
    def of(cls, ids: Sequence[Any], rows: Sequence[Any]) -> RowGradient:
        """Put together the reads of one table, in their order."""
        features = rows[0].shape[-1]
        flat = [each.reshape(-1, features) for each in rows]
        return cls(jnp.concatenate([each.reshape(-1) for each in ids]), jnp.concatenate(flat))

    def once_each(self, size: int) -> RowGradient:
        """Return the gradient of each row once, where it was read first.

        Where a row is read again, and where an id is outside of a table of `size` rows, stand ids
        that are outside, all different. The gradients of one row are added in the order of its
        reads, as they are where a gradient is as large as the table, so that the sums are the same.

        Example:
            >>> found = RowGradient(jnp.array([4, 2, 4]), jnp.ones((3, 1))).once_each(5)
            >>> found.ids.tolist(), found.rows[:, 0].tolist()
            ([4, 2, 7], [2.0, 1.0, 0.0])
        """
        reads = jnp.arange(len(self.ids), dtype=jnp.int32)
        unread = jnp.full(size, len(reads), jnp.int32)
        # One number for each row of the table, not one for each of its features.
        first = unread.at[self.ids].min(reads, mode="drop")
        first = first.at[self.ids].get(mode="fill", fill_value=len(reads))
        rows = jnp.zeros_like(self.rows).at[first].add(self.rows, mode="drop")
        return RowGradient(jnp.where(first == reads, self.ids, size + reads), rows)


class Tables:
    """What becomes of some tables in one run: which rows are read of them, and what is added.

    Args:
        tables: the tables.
        added: for each table by its `id` what to add at each read, in their order; None to find out
            which shapes that takes.

    Attributes:
        ids: for each table by its `id` the ids of each read.
    """

    def __init__(
        self, tables: Sequence[Variable], added: Mapping[int, Sequence[Any]] | None = None
    ) -> None:
        self.ids: dict[int, list[Any]] = {id(table): [] for table in tables}
        self._added = added
        self._whole: set[int] = set()
        self._trace = _trace()

    def note_read(self, key: int) -> None:
        """Note that a variable was read as a whole."""
        if key in self.ids:
            self._whole.add(key)

    def read_by_rows(self, key: int) -> bool:
        """Whether a table was read, and each time some rows of it."""
        return key not in self._whole and bool(self.ids.get(key))

    def rows(self, key: int, table: Any, ids: Any) -> Any | None:
        """Return rows of a table with what is added to them; None to read it as a whole."""
        if key not in self.ids or _trace() != self._trace:
            return None
        self.ids[key].append(ids)
        rows = taken(table, ids)
        return rows if self._added is None else rows + self._added[key][len(self.ids[key]) - 1]


def _trace() -> Any:
    """What tells the inside of a loop or a branch from its outside, where ids are not known."""
    return get_opaque_trace_state()  # type: ignore[no-untyped-call]


def taken(table: Any, ids: Any) -> Any:
    """Return rows of a table, NaN where an id is outside of it."""
    return jnp.take(table, ids, axis=0, mode="fill")
