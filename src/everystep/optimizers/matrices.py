"""Optimizers that treat a weight as a matrix: Adafactor and Muon."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from everystep.core import setting
from everystep.kinds import BOOLEAN, FRACTION, NOT_NEGATIVE, NUMBER, WHOLE, Kind, optional
from everystep.optimizers.adam import adam_step, means
from everystep.optimizers.base import LIMIT, RATE, Optimizer
from everystep.optimizers.state import Moment, Slot, like_each


class Adafactor(Optimizer):
    """Adam without a mean, whose mean square of a matrix is kept as those of its rows and columns.

    Equation: `s = g ** 2 + epsilon_1`, `b = 1 - t ** beta_2_decay`; for a matrix
    `r = b * r + (1 - b) * mean(s, -1)`, `c = b * c + (1 - b) * mean(s, -2)`,
    `v = r / mean(r) * c`, and else `v = b * v + (1 - b) * s`; `u = g / sqrt(v)`,
    `w -= max(epsilon_2, rms(w)) * min(rate, 1 / sqrt(t)) * u / max(1, rms(u) / clip_threshold)`

    Args:
        learning_rate: the largest rate, or a schedule: a function of the step.
        beta_2_decay: the power, less than 0, of how much of the mean squares is left out.
        epsilon_1: added to squares.
        epsilon_2: the least size of a weight that a step is measured by.
        clip_threshold: the largest root of the mean square of a step.
        relative_step: taken for compatibility; the rate never exceeds `1 / sqrt(t)`, as in Keras.
        **kwargs: see `Optimizer`.

    Source: Shazeer and Stern 2018, arXiv:1804.04235, algorithms 4 and 5.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_2_decay: float = setting(NUMBER, default=-0.8)
    epsilon_1: float = setting(NOT_NEGATIVE, default=1e-30)
    epsilon_2: float = setting(NOT_NEGATIVE, default=1e-3)
    clip_threshold: float = setting(NOT_NEGATIVE, default=1.0)
    relative_step: bool = setting(BOOLEAN, default=True)

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the mean squares of rows, of columns, and of single numbers."""
        slots = []
        for index, weight in enumerate(weights):
            shape, dtype, label = tuple(weight.shape), weight.dtype, weight.name
            rows, columns = shape[:-1], shape[:-2] + shape[-1:]
            if len(shape) < 2:
                # Keras keeps two numbers here that it never uses, and counts them when it loads.
                rows, columns, dtype = (), (), jnp.int32
            slots += [
                Slot("rows", index, rows, dtype, label=label),
                Slot("columns", index, columns, dtype, label=label),
                Slot("velocity", index, shape, weight.dtype),
            ]
        return slots

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight and the new mean squares."""
        squares, keep = jnp.square(gradient) + self.epsilon_1, 1 - now.step**self.beta_2_decay
        if weight.ndim < 2:
            new = {"velocity": keep * kept["velocity"] + (1 - keep) * squares}
        else:
            rows = keep * kept["rows"] + (1 - keep) * jnp.mean(squares, axis=-1)
            columns = keep * kept["columns"] + (1 - keep) * jnp.mean(squares, axis=-2)
            share = rows / jnp.mean(rows, axis=-1, keepdims=True)
            product = share[..., None] * columns[..., None, :]
            new = {"rows": rows, "columns": columns, "velocity": product}
        step = gradient / jnp.sqrt(new["velocity"])
        step = step / jnp.maximum(1.0, _size(step) / self.clip_threshold)
        rate = jnp.minimum(now.rate, 1 / jnp.sqrt(now.step))
        return weight - jnp.maximum(self.epsilon_2, _size(weight)) * rate * step, new


def _size(array: Any) -> Any:
    """Return the root of the mean square."""
    return jnp.sqrt(jnp.mean(jnp.square(array)))


def _patterns(value: Any) -> tuple[str, ...]:
    return tuple(re.compile(pattern).pattern for pattern in value or ())


PATTERNS = Kind("a list of patterns of paths", _patterns, list, refused=(3, (2,)))


class Muon(Optimizer):
    """Momentum made orthogonal for matrices; AdamW for embeddings and everything else.

    Equation: `m = momentum * m + g`, `w -= r * scale * orthogonal(g + momentum * m)`, where
    `orthogonal` sets all singular values to about 1 by `ns_steps` steps of
    `x = a x + (b X + c X X) x` with `X = x x^T`, from `x / |x|`.

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        adam_beta_1: how much of the mean Adam keeps.
        adam_beta_2: how much of the mean square Adam keeps.
        adam_weight_decay: the weight decay where Adam is used.
        epsilon: added to the root by Adam.
        weight_decay: the weight decay of matrices.
        exclude_layers: patterns; where the path of a weight holds one, Adam is used.
        exclude_embeddings: whether Adam is used for weights whose path holds "embedding".
        muon_a: the number `a`.
        muon_b: the number `b`.
        muon_c: the number `c`.
        adam_lr_ratio: how many times higher the rate is where Adam is used.
        momentum: how much of the sum of gradients is kept.
        ns_steps: how many steps make the momentum orthogonal.
        nesterov: whether to look ahead by one step; else `orthogonal(m)`.
        rms_rate: the size of a step in terms of Adam's: `scale = rms_rate * sqrt(longest side)`, or
            1 where it is None.
        **kwargs: see `Optimizer`.

    Source: Jordan and others 2024, "Muon: an optimizer for hidden layers in neural networks"; Liu
    and others 2025, arXiv:2502.16982, section 2.2 for `rms_rate`.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    adam_beta_1: float = setting(FRACTION, default=0.9)
    adam_beta_2: float = setting(FRACTION, default=0.999)
    adam_weight_decay: float | None = setting(LIMIT, default=0.004)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)
    weight_decay: float | None = setting(LIMIT, default=0.004)
    exclude_layers: tuple[str, ...] = setting(PATTERNS, default=None, kw_only=True)
    exclude_embeddings: bool = setting(BOOLEAN, default=True, kw_only=True)
    muon_a: float = setting(NUMBER, default=3.4445, kw_only=True)
    muon_b: float = setting(NUMBER, default=-4.775, kw_only=True)
    muon_c: float = setting(NUMBER, default=2.0315, kw_only=True)
    adam_lr_ratio: float = setting(NUMBER, default=1, kw_only=True)
    momentum: float = setting(FRACTION, default=0.95, kw_only=True)
    ns_steps: int = setting(WHOLE, default=5, kw_only=True)
    nesterov: bool = setting(BOOLEAN, default=True, kw_only=True)
    rms_rate: float | None = setting(optional(NUMBER), default=0.2, kw_only=True)

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the momentum, and the mean square where Adam is used."""
        slots = like_each(weights, "momentum", "velocity")
        return [
            slot
            for slot in slots
            if slot.name == "momentum" or self._takes_adam(weights[slot.index or 0])
        ]

    def _takes_adam(self, weight: Any) -> bool:
        if len(weight.shape) != 2:
            return True
        if self.exclude_embeddings and "embedding" in weight.path.lower():
            return True
        return any(re.search(pattern, weight.path) for pattern in self.exclude_layers)

    def decay_of(self, weight: Any) -> float | None:
        """Return the rate at which a weight decays, which is Adam's own where Adam is used."""
        decay = self.adam_weight_decay if self._takes_adam(weight) else self.weight_decay
        return decay if self._may_decay(weight) else None

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight, its momentum, and the mean square where Adam is used."""
        if "velocity" in kept:
            betas = self.adam_beta_1, self.adam_beta_2
            new = means(kept, gradient, *betas)
            faster = now._replace(rate=now.rate * self.adam_lr_ratio)
            return weight - adam_step(
                new["momentum"], new["velocity"], faster, *betas, self.epsilon
            ), new
        momentum = kept["momentum"] + (gradient + kept["momentum"] * (self.momentum - 1))
        ahead = gradient + self.momentum * momentum if self.nesterov else momentum
        step = now.rate * self._orthogonal(ahead)
        if self.rms_rate is not None:
            step = step * jnp.sqrt(jnp.asarray(max(step.shape), step.dtype)) * self.rms_rate
        return weight - step, {"momentum": momentum}

    def _orthogonal(self, matrix: Any) -> Any:
        """Return a matrix of the same directions whose singular values are all about 1."""
        turned = matrix.shape[0] > matrix.shape[1]
        x = matrix.T if turned else matrix
        x = x / (jnp.linalg.norm(x, keepdims=True) + 1e-7)
        for _ in range(self.ns_steps):
            product = x @ x.T
            x = self.muon_a * x + (self.muon_b * product + self.muon_c * product @ product) @ x
        return x.T if turned else x
