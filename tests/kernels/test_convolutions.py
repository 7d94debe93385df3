"""Convolutions against sums over windows by NumPy, for every way in which they are computed."""

import itertools
import re
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.kernels.convolutions import convolution
from tests.tolerances import GRADIENTS, assert_close


class Case(NamedTuple):
    """A convolution: its input without the batch, and how the window goes over it."""

    grid: tuple[int, ...]
    window: tuple[int, ...]
    channels: int
    filters: int
    strides: tuple[int, ...] = (1,)
    pads: tuple[tuple[int, int], ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    groups: int = 1


BY_PRODUCTS = {
    "few channels": Case((9,), (3,), 2, 9, pads=((1, 1),)),
    "few filters": Case((8,), (3,), 9, 2, pads=((2, 0),)),
    "few of both": Case((7,), (2,), 1, 3, (3,), ((1, 2),)),
    "few filters with strides": Case((8,), (3,), 10, 4, (2,), ((0, 1),)),
    "few channels with dilation": Case((10,), (3,), 3, 9, pads=((4, 0),), dilation=(2,)),
    "one place": Case((5,), (1,), 9, 4, (2,)),
    "groups": Case((6,), (3,), 6, 8, pads=((1, 1),), groups=2),
    "wide groups": Case((9,), (2,), 16, 18, (2,), ((0, 1),), groups=2),
    "wide groups with dilation": Case((9,), (2,), 16, 18, pads=((3, 1),), dilation=(3,), groups=2),
    "a group a channel": Case((6,), (3,), 4, 4, groups=4),
    "pixels in groups": Case((5, 4), (2, 3), 4, 6, (2, 1), ((0, 1), (1, 1)), (1, 1), 2),
    "pixels in wide groups": Case((5, 4), (3, 2), 18, 16, (1, 2), ((1, 1), (0, 0)), (2, 1), 2),
}
CASES = BY_PRODUCTS | {
    "many of both": Case((9,), (3,), 8, 10, pads=((1, 1),)),
    "pixels": Case((5, 4), (2, 3), 2, 8, (2, 1), ((0, 1), (1, 1)), (1, 1)),
    "a wide window": Case((20,), (17,), 2, 8),
}
BATCH = 2


def slid(case: Case) -> Any:
    return lambda inputs, kernel: convolution(
        inputs, kernel, case.strides, case.pads, case.dilation, case.groups
    )


def by_xla(case: Case) -> Any:
    axes = "HW"[-len(case.grid) :]
    return lambda inputs, kernel: jax.lax.conv_general_dilated(
        inputs,
        kernel,
        case.strides,
        case.pads,
        rhs_dilation=case.dilation,
        dimension_numbers=(f"N{axes}C", f"{axes}IO", f"N{axes}C"),
        feature_group_count=case.groups,
    )


def arrays(case: Case, dtype: str = "float32") -> tuple[Any, Any, Any]:
    """Inputs, kernel, and what the outputs are weighed with."""
    random, one = np.random.default_rng(3), (BATCH, *case.grid, case.channels)
    inputs = jnp.asarray(random.normal(size=one), dtype)
    shape = (*case.window, case.channels // case.groups, case.filters)
    kernel = jnp.asarray(random.normal(size=shape), dtype)
    outputs = jax.eval_shape(by_xla(case), inputs, kernel).shape
    return inputs, kernel, jnp.asarray(random.normal(size=outputs), dtype)


def exactly(case: Case, inputs: Any, kernel: Any, weights: Any) -> tuple[Any, Any, Any]:
    """Outputs and gradients by inputs and kernel, window by window in double precision."""
    inputs, kernel, weights = (np.asarray(each, np.float64) for each in (inputs, kernel, weights))
    padded = np.pad(inputs, [(0, 0), *case.pads, (0, 0)])
    outputs, by_inputs, by_kernel = (np.zeros_like(each) for each in (weights, padded, kernel))
    channels, filters = case.channels // case.groups, case.filters // case.groups
    every: Any = slice(None)
    for at in itertools.product(*map(range, weights.shape[1:-1])):
        for place in itertools.product(*map(range, case.window)):
            grid = zip(at, case.strides, place, case.dilation, strict=True)
            read = every, *(t * stride + k * dilation for t, stride, k, dilation in grid)
            for group in range(case.groups):
                mine = (*read, slice(group * channels, (group + 1) * channels))
                made = slice(group * filters, (group + 1) * filters)
                weighed, given = (*place, every, made), (every, *at, made)
                outputs[given] += padded[mine] @ kernel[weighed]
                by_inputs[mine] += weights[given] @ kernel[weighed].T
                by_kernel[weighed] += padded[mine].T @ weights[given]
    sides = zip(case.pads, case.grid, strict=True)
    inside = (slice(before, before + size) for (before, _), size in sides)
    return outputs, by_inputs[(every, *inside)], by_kernel


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_sums_over_windows(name: str) -> None:
    case = CASES[name]
    given = arrays(case)
    outputs, *gradients = exactly(case, *given)
    assert_close(slid(case)(*given[:2]), outputs)

    @jax.jit
    def together(inputs: Any, kernel: Any, weights: Any) -> Any:
        outputs, pull = jax.vjp(slid(case), inputs, kernel)
        return outputs, *pull(weights)

    found = together(*given)
    assert_close(found[0], outputs)
    for one, wanted in zip(found[1:], gradients, strict=True):
        assert_close(one, wanted, GRADIENTS)


@pytest.mark.parametrize("name", ["few channels", "few filters", "wide groups with dilation"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_other_types_are_kept(name: str, dtype: str) -> None:
    case = CASES[name]
    with jax.enable_x64(dtype == "float64"):
        inputs, kernel, weights = arrays(case, dtype)
        outputs, pull = jax.vjp(jax.jit(slid(case)), inputs, kernel)
        found = outputs, *pull(weights)
        for one, wanted in zip(found, exactly(case, inputs, kernel, weights), strict=True):
            assert one.dtype == dtype
            assert_close(one, wanted, GRADIENTS)


@pytest.mark.parametrize("name", BY_PRODUCTS)
def test_all_modes_of_differentiation_agree_with_the_plain_convolution(name: str) -> None:
    case = CASES[name]
    inputs, kernel, weights = arrays(case)
    turned = inputs[::-1], kernel[::-1]

    @jax.jit
    def modes(inputs: Any, kernel: Any) -> Any:
        def both(slide: Any) -> Any:
            def curved(inputs: Any, kernel: Any) -> Any:
                return jnp.sum(weights * jnp.sin(slide(inputs, kernel)))

            def slope(inputs: Any, kernel: Any) -> Any:
                first = jax.grad(curved, (0, 1))(inputs, kernel)
                return sum(jnp.vdot(*pair) for pair in zip(first, turned, strict=True))

            along = jax.jvp(slide, (inputs, kernel), turned)
            return along, jax.grad(slope, (0, 1))(inputs, kernel)

        return both(slid(case)), both(by_xla(case))

    jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), *modes(inputs, kernel))


@pytest.mark.parametrize("name", ["few channels", "few filters", "groups"])
def test_vmap_equals_a_loop(name: str) -> None:
    case = CASES[name]
    inputs, kernel, weights = arrays(case)
    gradients = jax.jit(
        jax.grad(lambda *given: jnp.vdot(weights, jnp.sin(slid(case)(*given))), (0, 1))
    )
    many = jnp.stack([inputs, -inputs, 2 * inputs], 2), jnp.stack([kernel, 3 * kernel, -kernel], 1)
    for axes in ((2, None), (None, 1), (2, 1)):
        given = [
            all_ if axis else one
            for all_, axis, one in zip(many, axes, (inputs, kernel), strict=True)
        ]
        found = jax.jit(jax.vmap(gradients, axes))(*given)
        for place in range(3):
            one = [
                each.take(place, axis) if axis else each
                for each, axis in zip(given, axes, strict=True)
            ]
            for some, wanted in zip(found, gradients(*one), strict=True):
                assert_close(some[place], wanted, GRADIENTS)


@pytest.mark.parametrize("name", ["few channels", "few filters", "wide groups"])
def test_a_gradient_through_vmap_is_the_sum_of_those_inside(name: str) -> None:
    case = CASES[name]
    inputs, kernel, weights = arrays(case)

    @jax.jit
    def loss(inputs: Any, kernel: Any) -> Any:
        return jnp.vdot(weights, jnp.sin(slid(case)(inputs, kernel)))

    rows, slope = jnp.stack([inputs, -inputs, 2 * inputs]), jax.jit(jax.grad(loss, 1))
    whole = jax.grad(lambda kernel: jnp.sum(jax.vmap(loss, (0, None))(rows, kernel)))(kernel)
    assert_close(whole, sum(slope(row, kernel) for row in rows), GRADIENTS)


def test_no_rows_and_no_steps_give_none() -> None:
    kernel = jnp.ones((3, 2, 8))
    for shape in ((0, 5, 2), (2, 0, 2)):
        outputs, pull = jax.vjp(
            lambda x, w: convolution(x, w, (1,), "SAME", (1,)), jnp.ones(shape), kernel
        )
        assert outputs.shape == (*shape[:2], 8)
        assert not np.any(pull(outputs)[1])


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="products stand for them on CPUs only")
@pytest.mark.parametrize("name", CASES)
def test_products_stand_where_they_are_quicker(name: str) -> None:
    """In the compiled program, and all of them along the rows of their left operand."""
    case = CASES[name]

    @jax.jit
    def together(inputs: Any, kernel: Any, weights: Any) -> Any:
        outputs, pull = jax.vjp(slid(case), inputs, kernel)
        return outputs, *pull(weights)

    text = str(together.lower(*arrays(case)).compile().as_text())
    products = re.findall(r"\[([\d,]+)\]\S* dot\(.*lhs_contracting_dims=\{(\d)\}", text)
    assert bool(products) is (" convolution(" not in text) is (name in BY_PRODUCTS)
    assert all(int(summed) == shape.count(",") for shape, summed in products)
