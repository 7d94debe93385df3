"""Which elements the elements of a result read, held to what changes them: all here is affine.

Where an index is not known, what may be read is what is read for one of its values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from everystep.explanation.reading import Facts, reads_of
from tests.explanation.reading.maps import abstract

Function = Callable[..., Any]

RANDOM = np.random.default_rng(0)
KERNEL = RANDOM.uniform(0.5, 1, (2, 4, 6)).astype(np.float32)
GAPPED = KERNEL * (RANDOM.uniform(size=KERNEL.shape) < 0.5)
LOWER = np.tril(RANDOM.uniform(0.5, 1, (2, 3, 3))).astype(np.float32)
TRIANGLE = np.stack([np.eye(3), np.eye(3)]).astype(np.float32)


def convolution(
    kernel: Any = KERNEL, batch_groups: int = 1, groups: int = 1, **options: Any
) -> Function:
    """Convolve rows of 4 channels."""
    kernel = kernel[:, : 4 // groups]
    settings = {"window_strides": (1,), "padding": ((0, 0),), **options}

    def convolve(x: Any) -> Any:
        return lax.conv_general_dilated(
            x,
            kernel,
            **settings,
            dimension_numbers=("NWC", "WIO", "NWC"),
            feature_group_count=groups,
            batch_group_count=batch_groups,
        )

    return convolve


def window_sum(*window: int, **options: Any) -> Function:
    settings = {"window_strides": (1,) * len(window), "padding": "VALID", **options}
    return lambda x: lax.reduce_window(x, 0.0, lax.add, window, **settings)


def choosing(i: Any) -> Any:
    """Numbers of which the first or the second of each two is the larger."""
    return jnp.tile(jnp.where(i == 0, jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])), 3)


def largest_of_two(x: Any) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (2,), (2,), "VALID")


def brought_back(x: Any, i: Any) -> Any:
    """What a maximum over windows gives back to the places that it chose."""
    return jax.vjp(largest_of_two, choosing(i))[1](x)[0]


def brought_back_from_an_edge(x: Any, i: Any) -> Any:
    """The same for one window that begins before the first of three elements."""

    def largest(y: Any) -> Any:
        return lax.reduce_window(y, -jnp.inf, lax.max, (3,), (3,), ((1, 1),))

    return jax.vjp(largest, choosing(i)[:3])[1](x)[0]


def brought_on(x: Any, i: Any) -> Any:
    """What a maximum over windows makes of changes at the places that it chose."""
    return jax.jvp(largest_of_two, (choosing(i),), (x,))[1]


def solved(**options: Any) -> Function:
    matrix = LOWER if options["lower"] else np.swapaxes(LOWER, 1, 2)
    return lambda x: lax.linalg.triangular_solve(jnp.asarray(matrix), x, **options)


LINEAR: dict[str, tuple[Function, tuple[int, ...]]] = {
    "convolution": (convolution(), (2, 5, 4)),
    "with strides": (convolution(window_strides=(2,), padding=((1, 2),)), (1, 5, 4)),
    "dilated": (convolution(rhs_dilation=(3,), padding=((2, 0),)), (1, 5, 4)),
    "spread": (convolution(lhs_dilation=(3,), padding=((1, 1),)), (1, 3, 4)),
    "cut": (convolution(padding=((-1, -2),)), (1, 6, 4)),
    "in groups": (convolution(groups=2), (1, 3, 4)),
    "in groups of the batch": (convolution(batch_groups=2), (4, 3, 4)),
    "with zeros in the kernel": (convolution(GAPPED, padding=((1, 0),)), (1, 3, 4)),
    "windows": (window_sum(1, 2, window_strides=(1, 2), padding=((0, 0), (1, 1))), (2, 5)),
    "windows with gaps": (window_sum(1, 2, window_dilation=(1, 3), base_dilation=(1, 2)), (2, 4)),
    "wide windows": (window_sum(3, 5, padding="SAME"), (4, 7)),
    "sums": (lambda x: jnp.cumsum(x, 1), (2, 4)),
    "sums backwards": (lambda x: lax.cumsum(x, 0, reverse=True), (4, 2)),
    "solved": (solved(left_side=True, lower=True), (2, 3, 2)),
    "solved upper": (solved(left_side=True, lower=False), (2, 3, 2)),
    "solved turned": (solved(left_side=True, lower=True, transpose_a=True), (2, 3, 2)),
    "solved from the right": (solved(left_side=False, lower=True), (2, 2, 3)),
    "solved from the right, turned": (
        solved(left_side=False, lower=False, transpose_a=True),
        (2, 2, 3),
    ),
    "solved in general": (lambda x: jnp.linalg.solve(RANDOM.normal(size=(2, 3, 3)), x), (2, 3, 2)),
    "a spectrum": (lambda x: jnp.fft.fft(x * (1 + 1j), axis=1).real, (2, 3, 2)),
    "taken": (lambda x: x[:, np.array([[3, 0], [1, 1]])], (2, 4, 3)),
    "taken in pairs": (lambda x: x[np.array([1, 0]), :, np.array([2, 0])], (2, 4, 3)),
    "taken past the end": (
        lambda x: jnp.take(x, np.array([1, 5, -2]), axis=1, fill_value=0.0),
        (2, 4),
    ),
    "taken at the end": (lambda x: jnp.take(x, np.array([1, 5]), axis=1, mode="clip"), (2, 4)),
    "taken row by row": (
        lambda x: jnp.take_along_axis(x, np.array([[2, 0], [3, 3]]), axis=1),
        (2, 4),
    ),
    "a slice from past the end": (lambda x: lax.dynamic_slice(x, (0, 3), (1, 3)), (2, 4)),
    "put": (lambda x: jnp.ones((2, 5)).at[:, np.array([4, 1])].set(x), (2, 2)),
    "put past the end": (lambda x: jnp.ones((2, 3)).at[:, np.array([7, 1])].set(x), (2, 2)),
    "put upon others": (lambda x: x.at[1].set(x[0] + x[2]), (3, 2)),
    "added": (lambda x: x.at[np.array([2, 0, 2])].add(2 * x), (3, 2)),
    "multiplied": (lambda x: (x + 1).at[:, 1].multiply(3.0), (2, 3)),
    "put as a slice": (lambda x: lax.dynamic_update_slice(x, 2 * x[:, :2], (0, 3)), (2, 4)),
}


INDEXED: dict[str, tuple[Function, tuple[int, ...], int]] = {
    "a slice": (lambda x, i: lax.dynamic_slice(x, (0, i, 1), (2, 2, 2)), (2, 4, 3), 6),
    "a slice of all": (lambda x, i: lax.dynamic_slice(x, (i, 0), (1, 2)), (1, 3), 2),
    "all or none": (lambda x, i: jnp.take(x, i, 0, fill_value=0.0), (1, 3), 2),
    "put over all": (lambda x, i: lax.dynamic_update_slice(x, 3 * x[:, 1:], (i, 0)), (1, 3), 2),
    "a row": (lambda x, i: x[i], (4, 3), 4),
    "of each row": (lambda x, i: x[np.arange(2), i], (2, 4, 3), 4),
    "with a known one": (lambda x, i: x[np.array([1, 0]), jnp.stack([i, i])], (2, 4, 3), 4),
    "taken with padding": (lambda x, i: jnp.take(x, i, 1, fill_value=0.0), (2, 3), 5),
    "put": (lambda x, i: x.at[:, i].set(3 * x[:, 0]), (2, 4), 4),
    "put as a slice": (lambda x, i: lax.dynamic_update_slice(x, 3 * x[:, :2], (0, i)), (2, 4), 4),
    "put over most": (lambda x, i: lax.dynamic_update_slice(x, x[:1, ::-1], (i, 0)), (3, 2), 4),
    "brought back to the largest": (brought_back, (3,), 2),
    "brought back from an edge": (brought_back_from_an_edge, (1,), 2),
    "brought on from the largest": (brought_on, (6,), 2),
    "added": (lambda x, i: x.at[i, 1].add(x[0, 0]), (3, 2), 3),
}


def flat(function: Function, shape: tuple[int, ...]) -> Function:
    """The function from elements on one axis to elements on one axis."""
    return lambda x, *rest: function(x.reshape(shape), *rest).reshape(-1)


def slopes(function: Function, count: int) -> Any:
    """How much each element of the result of an affine function changes with each of the input."""
    start = function(jnp.zeros(count))
    return (jax.vmap(function)(jnp.eye(count)) - start).T


@pytest.fixture(scope="module")
def truths() -> dict[str, Any]:
    """The slopes of all functions, for each value of an index, from one compiled program."""

    def compute() -> dict[str, Any]:
        found = {}
        for name, (function, shape) in LINEAR.items():
            found[name] = slopes(flat(function, shape), math.prod(shape))
        for name, (function, shape, values) in INDEXED.items():
            one = flat(function, shape)
            of_index = [partial(lambda i, x, one=one: one(x, i), i) for i in range(values)]
            found[f"{name} by an index"] = [slopes(each, math.prod(shape)) for each in of_index]
        return found

    found: dict[str, Any] = jax.tree.map(np.asarray, jax.jit(compute)())
    return found


def elements_read(function: Function, *known: Facts) -> Any:
    """Which bits each element of the result reads."""
    reading = reads_of(
        jax.make_jaxpr(function)(*[abstract(k.shape, k.dtype) for k in known]), known
    )
    assert not reading.unknown
    return reading.outputs[0].reads_along(0, sum(math.prod(each.shape) for each in known))


@pytest.mark.parametrize("name", LINEAR)
def test_an_element_reads_those_that_it_changes_with(name: str, truths: dict[str, Any]) -> None:
    function, shape = LINEAR[name]
    bits = Facts.with_bits((math.prod(shape),), np.dtype(np.float32), 0, 0)
    found = elements_read(flat(function, shape), bits)
    np.testing.assert_array_equal(found, truths[name] != 0)


@pytest.mark.parametrize("name", INDEXED)
def test_an_unknown_index_may_be_any_along_its_own_axis(name: str, truths: dict[str, Any]) -> None:
    function, shape, _ = INDEXED[name]
    count = math.prod(shape)
    bits = Facts.with_bits((count,), np.dtype(np.float32), 0, 0)
    index = Facts.with_bits((), np.dtype(np.int32), None, count)
    found = elements_read(flat(function, shape), bits, index)
    each = np.stack(truths[f"{name} by an index"])
    np.testing.assert_array_equal(found[:, :count], (each != 0).any(0))
    np.testing.assert_array_equal(found[:, count], (each != each[:1]).any((0, 2)))
