import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.kernels import dense_product
from tests.tolerances import GRADIENTS, assert_close

# Thin outputs take the turned product, wide ones the plain one over one axis of steps.
SIZES = [((3, 4, 7), 2), ((3, 4, 2), 5), ((2, 3, 4, 8), 1), ((0, 6), 2)]


def arrays(shape: tuple[int, ...], units: int, dtype: str) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(0)
    shapes = shape, (shape[-1], units), (*shape[:-1], units)
    given = (jnp.asarray(random.normal(size=size), dtype) for size in shapes)
    inputs, kernel, weights = given
    return inputs, kernel, weights


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("shape", "units"), SIZES)
def test_values_and_gradients_are_those_of_sums_in_double_precision(
    shape: tuple[int, ...], units: int, dtype: str
) -> None:
    inputs, kernel, weights = arrays(shape, units, dtype)
    outputs, pull = jax.vjp(dense_product, inputs, kernel)
    exact = [np.asarray(array, np.float64) for array in (inputs, kernel, weights)]
    assert outputs.dtype == dtype
    assert_close(outputs, exact[0] @ exact[1])
    by_inputs, by_kernel = pull(weights)
    assert_close(by_inputs, exact[2] @ exact[1].T, GRADIENTS)
    flat = exact[0].reshape(-1, shape[-1]), exact[2].reshape(-1, units)
    assert_close(by_kernel, flat[0].T @ flat[1], GRADIENTS)


@pytest.mark.parametrize("units", [2, 6])
def test_all_modes_of_differentiation_agree_with_the_plain_product(units: int) -> None:
    inputs, kernel, weights = arrays((3, 4, 7), units, "float32")

    def curved(product: Any) -> Any:
        return lambda kernel: jnp.sum(weights * jnp.tanh(product(inputs, kernel)))

    mine, plain = curved(dense_product), curved(jnp.matmul)
    for mode in (jax.jacfwd, jax.jacrev, jax.hessian):
        jax.tree.map(
            lambda a, b: assert_close(a, b, GRADIENTS), mode(mine)(kernel), mode(plain)(kernel)
        )


def test_vmap_over_weights_equals_a_loop() -> None:
    inputs, kernel, _ = arrays((3, 4, 7), 2, "float32")
    kernels = jnp.stack([kernel, 2 * kernel, -kernel])

    def loss(kernel: Any) -> Any:
        return jnp.sum(dense_product(inputs, kernel) ** 2)

    together = jax.vmap(jax.grad(loss))(kernels)
    for found, one in zip(together, kernels, strict=True):
        assert_close(found, jax.grad(loss)(one), GRADIENTS)


def test_whole_numbers_are_multiplied_as_they_are() -> None:
    found = dense_product(jnp.arange(6).reshape(2, 3), jnp.ones((3, 1)))
    assert found.tolist() == [[3.0], [12.0]]


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="the product is turned on CPUs only")
def test_the_gradient_of_a_thin_layer_sums_along_the_rows_of_its_left_operand() -> None:
    """What the speed hangs on: no product of the compiled program sums along columns of its left
    operand, which XLA would bring about again if it merged the transpositions."""
    inputs, kernel, weights = arrays((3, 4, 7), 2, "float32")
    gradient = jax.jit(jax.grad(lambda k: jnp.vdot(weights, dense_product(inputs, k))))
    text = gradient.lower(kernel).compile().as_text()
    assert text is not None
    assert re.findall(r"lhs_contracting_dims=\{(\d)\}", text) == ["1"]
