"""One update of all weights as a pure function: what Keras puts around the rule of an optimizer.

Gradients are scaled back, collected over several steps and clipped; weights decay, follow the rule,
and are averaged. The order of the operations is Keras's, so that the numbers are too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from everystep.core.tables import RowGradient
from everystep.optimizers.state import Moment

if TYPE_CHECKING:
    from everystep.optimizers.base import Optimizer

Values = dict[tuple[str, int | None], Any]


def updated(
    optimizer: Optimizer,
    targets: Sequence[Any],
    state: Sequence[Any],
    gradients: Sequence[Any],
    weights: Sequence[Any],
) -> tuple[list[Any], list[Any]]:
    """Return the weights and the state after one update.

    Args:
        optimizer: its settings and its rule.
        targets: what is to be known of each weight.
        state: the arrays that `optimizer.layout(targets)` lists.
        gradients: the gradient of each weight; None for one that is to stay.
        weights: the weights.
    """
    slots = optimizer.layout(targets)
    values = {(slot.name, slot.index): value for slot, value in zip(slots, state, strict=True)}
    iteration = values["iteration", None]
    present = {i: gradient for i, gradient in enumerate(gradients) if gradient is not None}
    if optimizer.loss_scale_factor is not None:
        present = {i: each / optimizer.loss_scale_factor for i, each in present.items()}
    every, count = optimizer.gradient_accumulation_steps, iteration
    if every:
        count = iteration // every
        due = (iteration + 1) % every == 0
        totals = {i: each + values["gradient_accumulator", i] for i, each in present.items()}
        present = {i: total / every for i, total in totals.items()}
    new_weights, new_values = _ruled(optimizer, targets, values, present, list(weights), count)
    if every:
        new_weights, new_values = _kept_until(due, totals, weights, values, new_weights, new_values)
    if optimizer.use_ema:
        new_weights = _averaged(optimizer, count, new_weights, new_values)
    new_values["iteration", None] = iteration + 1
    return new_weights, [new_values[slot.name, slot.index] for slot in slots]


def _ruled(
    optimizer: Optimizer,
    targets: Sequence[Any],
    values: Values,
    gradients: dict[int, Any],
    weights: list[Any],
    count: Any,
) -> tuple[list[Any], Values]:
    """Return the weights and the state after clipping, decay and the rule."""
    gradients = _clipped(optimizer, gradients)
    rate = optimizer.rate_at(values["iteration", None], values.get(("learning_rate", None)))
    shared = {name: value for (name, index), value in values.items() if index is None}
    shared = optimizer.advanced(shared, count)
    new = values | {(name, None): value for name, value in shared.items()}
    for index, gradient in gradients.items():
        weight = weights[index]
        now = Moment(jnp.asarray(rate, weight.dtype), (count + 1).astype(weight.dtype), shared)
        decay = optimizer.decay_of(targets[index])
        if decay is not None:
            weight = weight - weight * jnp.asarray(decay, weight.dtype) * now.rate
        kept = {name: value for (name, own), value in values.items() if own == index}
        if isinstance(gradient, RowGradient):
            weights[index], changed = _moved_rows(optimizer, weight, gradient, kept, now)
        else:
            gradient = gradient.astype(weight.dtype)
            weights[index], changed = optimizer.rule(weight, gradient, kept, now)
        new |= {(name, index): value for name, value in changed.items()}
    return weights, new


def _moved_rows(
    optimizer: Optimizer, weight: Any, gradient: RowGradient, kept: dict[str, Any], now: Moment
) -> tuple[Any, dict[str, Any]]:
    """Apply the rule to the rows that have a gradient, and put them back."""
    ids, rows = gradient.once_each(len(weight))

    def taken(table: Any) -> Any:
        return table.at[ids].get(mode="clip")

    def put_back(table: Any, changed: Any) -> Any:
        return table.at[ids].set(changed, mode="drop", unique_indices=True)

    before = {name: taken(slot) for name, slot in kept.items()}
    moved, changed = optimizer.rule(taken(weight), rows.astype(weight.dtype), before, now)
    return put_back(weight, moved), {
        name: put_back(kept[name], value) for name, value in changed.items()
    }


def _clipped(optimizer: Optimizer, gradients: dict[int, Any]) -> dict[int, Any]:
    if optimizer.clipnorm:
        return {i: _shortened(each, optimizer.clipnorm) for i, each in gradients.items()}
    if optimizer.global_clipnorm and gradients:
        limit = optimizer.global_clipnorm
        squares = jnp.stack([jnp.sum(jnp.square(each)) for each in gradients.values()])
        norm = jnp.sqrt(jnp.sum(squares))
        # A norm that is not finite makes all gradients NaN, instead of zero.
        scale = limit * jnp.minimum(1.0 / norm, 1.0 / limit) + (norm - norm)
        return {i: each * scale for i, each in gradients.items()}
    if optimizer.clipvalue:
        limit = optimizer.clipvalue
        return {i: jnp.clip(each, -limit, limit) for i, each in gradients.items()}
    return gradients


def _shortened(gradient: Any, limit: float) -> Any:
    """Return the gradient scaled so that its norm is at most `limit`."""
    norm = jnp.sqrt(jnp.sum(jnp.square(gradient)))
    return gradient * limit / jnp.maximum(norm, limit)


def _kept_until(
    due: Any,
    totals: dict[int, Any],
    weights: Sequence[Any],
    values: Values,
    new_weights: list[Any],
    new_values: Values,
) -> tuple[list[Any], Values]:
    """Return the new weights and state where the update is due, the old ones where it is not."""
    chosen = [jnp.where(due, new, old) for new, old in zip(new_weights, weights, strict=True)]
    state = {key: jnp.where(due, new_values[key], old) for key, old in values.items()}
    for index, total in totals.items():
        state["gradient_accumulator", index] = jnp.where(due, jnp.zeros_like(total), total)
    return chosen, state


def _averaged(optimizer: Optimizer, count: Any, weights: list[Any], values: Values) -> list[Any]:
    """Move the averages towards the weights; return the weights, overwritten where that is due."""
    every, overwritten = optimizer.ema_overwrite_frequency, []
    for index, weight in enumerate(weights):
        kept = (count != 0).astype(weight.dtype) * optimizer.ema_momentum
        average = kept * values["average", index] + (1 - kept) * weight
        values["average", index] = average
        replace = False if every is None else (count + 1) % every == 0
        overwritten.append(jnp.where(replace, average, weight))
    return overwritten
