"""Random weights and inputs: what families of functions are compared on."""

from __future__ import annotations

import numpy as np

from everystep.explanation.program import Port
from everystep.explanation.relation.layout import Layout

Inputs = list[np.ndarray]
"""For each input of a program, many values of it along a new first axis."""

SCALES = (1.0, 1.0, 0.3, 1.0, 3.0, 1.0, 10.0, 1.0)
"""How large the numbers of the first, the second, ... draw are; then again from the first."""

ANY_INTEGER = 8
"""How many different integers are drawn where nothing says how many there may be."""


def weights(layout: Layout, count: int, seed: int, *, plain: bool = False) -> np.ndarray:
    """Return random weights, float64 (count, size), some of them large, small, zero.

    Args:
        layout: whose weights.
        count: how many draws.
        seed: what they follow from.
        plain: all of ordinary size, where no gate is shut and derivatives are large.
    """
    rng = np.random.default_rng([seed, layout.size])
    drawn = rng.standard_normal((count, layout.size))
    for slot in layout.slots:
        rows = np.prod(slot.shape[:-1]) if len(slot.shape) > 1 else 4.0
        drawn[:, slot.start : slot.stop] /= np.sqrt(max(1.0, rows))
    if not plain:
        drawn *= np.resize(SCALES, count)[:, None]
        # One draw in which every third number is zero, and one without any weight.
        drawn[3::8, ::3] = 0
        drawn[5::8] = 0
    return np.where(layout.positive, np.abs(drawn) + 0.1, drawn)


def inputs(ports: tuple[Port, ...], count: int, seed: int, *, plain: bool = False) -> Inputs:
    """Return random values of each input, (count, *shape).

    Args:
        ports: the inputs.
        count: how many draws.
        seed: what they follow from.
        plain: all of ordinary size.
    """
    rng = np.random.default_rng([seed, count])
    scales = np.ones(count) if plain else np.resize(SCALES, count)
    return [_values(port, scales, rng) for port in ports]


def _values(port: Port, scales: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shape = (len(scales), *port.shape)
    dtype = np.dtype(port.dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if np.issubdtype(dtype, np.integer):
        return rng.integers(0, port.values or ANY_INTEGER, shape).astype(dtype)
    drawn = rng.standard_normal(shape)
    spread = scales.reshape(-1, *[1] * len(port.shape))
    if np.issubdtype(dtype, np.complexfloating):
        return np.asarray((drawn + 1j * rng.standard_normal(shape)) * spread)
    return np.asarray(drawn * spread)
