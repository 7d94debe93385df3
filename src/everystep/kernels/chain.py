"""Linear chains: what sequences of labels score, exactly, by scans over the steps of any rows.

One scan from the end gives each label at each step its score with the best, or with all, that may
follow. Of these scores the chain is a plain Markov chain, so decoding, marginal probabilities and
likelihood each go forward from step to step and need to know the label before and no more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from everystep.kernels.resets import resets
from everystep.kernels.stepping import run_steps

FORBIDDEN = -1e30
"""The score of what is forbidden: `exp` of it is 0, and sums over many steps stay finite."""


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("emissions", "moves", "ends", "segments"),
    meta_fields=("packed",),
)
@dataclass(frozen=True, eq=False)
class Chain:
    """Rows of steps with a score for each label, and scores for what may follow what.

        score(y) = start[y[1]] + sum_t emissions[t, y[t]] + sum_t moves[y[t-1], y[t]] + ends[y[T]]
        p(y)     = exp(score(y)) / sum over all y' of exp(score(y'))

    Shapes:
        emissions (batch, steps, labels), moves (labels + 1, labels), ends (labels,), segments
        (batch, steps)

    Args:
        emissions: the score of each label at each step, float32 or wider.
        moves: the score of a label after a label; the last row is that of a label at the start.
        ends: the score of a label at the end.
        segments: the sequence that each step belongs to, 0 for padding; None: all steps are real.
        packed: rows may hold several sequences.

    Example:
        >>> scores = jnp.array([[[1.0, 0.0], [0.5, 0.4]]])
        >>> moves = jnp.array([[FORBIDDEN, 0.0], [0.0, 0.0], [0.0, 0.0]])
        >>> chain = Chain(scores, moves, jnp.zeros(2), None, packed=False)
        >>> chain.labels().tolist()
        [[0, 1]]
        >>> [f"{share:.3f}" for share in chain.marginals()[0, 0]]
        ['0.564', '0.436']
    """

    emissions: jax.Array
    moves: jax.Array
    ends: jax.Array
    segments: jax.Array | None
    packed: bool

    def labels(self) -> jax.Array:
        """Give the labels of the best path, (batch, steps), by Viterbi's algorithm; 0 at padding.

        No step of it is forbidden where any path is allowed.
        """
        scores, _ = self._ahead(partial(jnp.max, axis=-1))

        def step(scores: jax.Array, before: jax.Array) -> tuple[jax.Array, jax.Array]:
            best = jnp.argmax(self.moves[before] + scores, axis=-1).astype(before.dtype)
            return best, best

        start = jnp.full(scores.shape[0], self.ends.size, jnp.int32)
        return self._onward(step, scores, start)

    def marginals(self) -> jax.Array:
        """Give the probability of each label at each step, (batch, steps, labels); 0 at padding."""
        size = self.ends.size

        def step(given: jax.Array, before: jax.Array) -> tuple[jax.Array, jax.Array]:
            scores, sums = given[:, None, :size], given[:, size:, None]
            now = jnp.sum(before[..., None] * jnp.exp(self.moves + scores - sums), axis=1)
            return now, jnp.pad(now, ((0, 0), (0, 1)))

        given = jnp.concatenate(self._ahead(_log_sum_exp), axis=-1)
        start = jax.nn.one_hot(size, size + 1, dtype=given.dtype)
        return self._onward(step, given, jnp.tile(start, (given.shape[0], 1)))

    def surprises(self, labels: jax.Array, known: jax.Array | None = None) -> jax.Array:
        """Give `-log p(y[t] | y[1], ..., y[t-1])` of labels, (batch, steps).

        Their sum over the steps of a sequence is `-log p(y)`. At padding they mean nothing.

        Shapes:
            labels (batch, steps), known (batch, steps)

        Args:
            labels: the labels, from 0 on.
            known: where they are known; others have the surprise 0, and all that they may be
                counts for the steps after them. None: everywhere.
        """
        scores, sums = self._ahead(_log_sum_exp)
        if known is not None:
            return self._filtered(scores, sums, labels, known)
        before = self._before(labels)
        return _at(sums, before) - _at(scores, labels) - self.moves[before, labels]

    def _filtered(
        self, scores: jax.Array, sums: jax.Array, labels: jax.Array, known: jax.Array
    ) -> jax.Array:
        """Give the surprises from step to step, with what each label before may have been."""
        size = self.ends.size
        seen = (labels[..., None] == jnp.arange(size)) | ~known[..., None]

        @partial(jax.checkpoint, prevent_cse=False)
        def step(given: jax.Array, before: jax.Array) -> tuple[jax.Array, jax.Array]:
            scores, sums = given[:, :size], given[:, size:]
            now = scores + _log_sum_exp(self.moves.T + (before - sums)[:, None])
            surprise = -_log_sum_exp(now)
            now = now + surprise[:, None]
            return surprise, jnp.pad(now, ((0, 0), (0, 1)), constant_values=FORBIDDEN)

        given = jnp.concatenate([jnp.where(seen, scores, FORBIDDEN), sums], axis=-1)
        start = jnp.full(size + 1, FORBIDDEN, scores.dtype).at[-1].set(0)
        found = self._onward(step, given, jnp.tile(start, (scores.shape[0], 1)))
        return jnp.where(known, found, 0)

    def _ahead(self, joined: Callable[[jax.Array], jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Give the scores of labels with all that follows, joined over labels.

            scores[t, j] = emissions[t, j] + onward[t+1, j];  ends[j] behind the last step
            onward[t, i] = joined over j of moves[i, j] + scores[t, j]

        A number that is the same for all labels of a step changes nothing, so the largest of them
        is taken off, or the scores of long sequences would lose their digits.

        Returns:
            The scores (batch, steps, labels), and `onward` (batch, steps, labels + 1) of them.
        """
        size = self.ends.size

        # Going back, exponentials are computed again, which is faster than to keep them.
        @partial(jax.checkpoint, prevent_cse=False)
        def step(emissions: jax.Array, after: jax.Array) -> tuple[jax.Array, jax.Array]:
            scores = emissions + after
            scores = scores - lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True))
            onward = joined(self.moves[:-1] + scores[:, None])
            return jnp.concatenate([scores, onward], axis=-1), onward

        ends = jnp.broadcast_to(self.ends, (self.emissions.shape[0], size))
        found, _, _ = run_steps(
            step, self.emissions, ends, segments=self.segments, packed=self.packed, reverse=True
        )
        scores, onward = found[..., :size], found[..., size:]
        start = joined(self.moves[-1] + scores)[..., None]
        return scores, jnp.concatenate([onward, start], axis=-1)

    def _onward(self, step: Any, scores: jax.Array, start: jax.Array) -> jax.Array:
        outputs, _, _ = run_steps(
            step,
            scores,
            start,
            segments=self.segments,
            packed=self.packed,
            zero_output_for_mask=True,
        )
        return outputs

    def _before(self, labels: jax.Array) -> jax.Array:
        """Give the label of the real step before, in a sequence's first step the row of starts."""
        start = jnp.full_like(labels[:, :1], self.ends.size)
        if self.segments is None:
            return jnp.concatenate([start, labels[:, :-1]], axis=1)
        places = lax.broadcasted_iota(jnp.int32, labels.shape, 1)
        latest = lax.cummax(jnp.where(self.segments != 0, places, -1), axis=1)
        latest = jnp.concatenate([jnp.full_like(latest[:, :1], -1), latest[:, :-1]], axis=1)
        before = jnp.take_along_axis(labels, jnp.maximum(latest, 0), axis=1)
        first = latest < 0
        if self.packed:
            first |= resets(self.segments)
        return jnp.where(first, self.ends.size, before)


def _at(values: jax.Array, labels: jax.Array) -> jax.Array:
    return jnp.take_along_axis(values, labels[..., None], axis=-1)[..., 0]


def _log_sum_exp(scores: jax.Array) -> jax.Array:
    # The shift cancels, so no gradient goes through it.
    largest = lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True))
    return jnp.log(jnp.sum(jnp.exp(scores - largest), axis=-1)) + largest[..., 0]
