import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.kernels import contract, product
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
    outputs, pull = jax.vjp(product, inputs, kernel)
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

    mine, plain = curved(product), curved(jnp.matmul)
    for mode in (jax.jacfwd, jax.jacrev, jax.hessian):
        jax.tree.map(
            lambda a, b: assert_close(a, b, GRADIENTS), mode(mine)(kernel), mode(plain)(kernel)
        )


def test_vmap_over_weights_equals_a_loop() -> None:
    inputs, kernel, _ = arrays((3, 4, 7), 2, "float32")
    kernels = jnp.stack([kernel, 2 * kernel, -kernel])

    def loss(kernel: Any) -> Any:
        return jnp.sum(product(inputs, kernel) ** 2)

    together = jax.vmap(jax.grad(loss))(kernels)
    for found, one in zip(together, kernels, strict=True):
        assert_close(found, jax.grad(loss)(one), GRADIENTS)


def test_whole_numbers_are_multiplied_as_they_are() -> None:
    found = product(jnp.arange(6).reshape(2, 3), jnp.ones((3, 1)))
    assert found.tolist() == [[3.0], [12.0]]


# By what is summed and where it lies: layers have such products, or what derives from them.
EQUATIONS = {
    "scores of heads": ("bqhd", "bkhd", "bhqk"),
    "what heads read": ("bhqk", "bkhd", "bqhd"),
    "into heads": ("abc", "cde", "abde"),
    "out of heads": ("abcd", "cde", "abe"),
    "over steps": ("abc", "bd", "adc"),
    "a kernel a step": ("abc", "bcd", "abd"),
    "the right one first": ("abc", "cd", "adb"),
    "both turned": ("ba", "cb", "ac"),
    "one number": ("ab", "ba", ""),
    "nothing summed": ("ab", "c", "cab"),
}
SIZE = dict(zip("abcdehkq", (3, 5, 4, 2, 6, 2, 7, 5), strict=True))


def of_axes(axes: str, seed: int, dtype: str = "float32") -> Any:
    shape = [SIZE[name] for name in axes]
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), dtype)


@pytest.mark.parametrize("name", EQUATIONS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_contractions_and_gradients_are_those_of_sums_in_double_precision(
    name: str, dtype: str
) -> None:
    sides = EQUATIONS[name]
    left, right, weights = (of_axes(axes, seed, dtype) for seed, axes in enumerate(sides))
    exact = [np.asarray(array, np.float64) for array in (left, right, weights)]
    outputs, pull = jax.vjp(lambda x, y: contract(x, sides[0], y, sides[1], sides[2]), left, right)
    assert outputs.dtype == dtype
    assert_close(outputs, np.einsum(f"{sides[0]},{sides[1]}->{sides[2]}", *exact[:2]))
    by_left, by_right = pull(weights)
    back = np.einsum(f"{sides[2]},{sides[1]}->{sides[0]}", exact[2], exact[1])
    assert_close(by_left, back, GRADIENTS)
    back = np.einsum(f"{sides[2]},{sides[0]}->{sides[1]}", exact[2], exact[0])
    assert_close(by_right, back, GRADIENTS)


@pytest.mark.parametrize("name", EQUATIONS)
def test_contractions_agree_with_plain_ones_in_all_modes(name: str) -> None:
    sides = EQUATIONS[name]
    left, right, weights = (of_axes(axes, seed) for seed, axes in enumerate(sides))

    def curved(contraction: Any) -> Any:
        return lambda x, y: jnp.sum(weights * jnp.tanh(contraction(x, y)))

    mine = curved(lambda x, y: contract(x, sides[0], y, sides[1], sides[2]))
    plain = curved(lambda x, y: jnp.einsum(f"{sides[0]},{sides[1]}->{sides[2]}", x, y))

    def both(mode: Any, *arguments: Any) -> None:
        found, wanted = jax.jit(mode(mine))(*arguments), jax.jit(mode(plain))(*arguments)
        jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), found, wanted)

    both(lambda f: jax.jacfwd(f, (0, 1)), left, right)
    both(lambda f: jax.hessian(f, (0, 1)), left, right)
    lefts = jnp.stack([left, -left], axis=-1)
    both(lambda f: jax.vmap(jax.grad(f, (0, 1)), in_axes=(-1, None)), lefts, right)
    rights = jnp.stack([right, 3 * right], axis=-1)
    both(lambda f: jax.vmap(jax.grad(f, (0, 1)), in_axes=(None, -1)), left, rights)
    both(lambda f: jax.vmap(jax.grad(f, (0, 1)), in_axes=-1), lefts, rights)


def test_sums_are_taken_and_given_in_the_type_that_is_asked_for() -> None:
    left, right = of_axes("abc", 0, "bfloat16"), of_axes("adc", 1, "bfloat16")

    def summed(x: Any, y: Any) -> Any:
        return contract(x, "abc", y, "adc", "abd", "float32")

    outputs, pull = jax.vjp(summed, left, right)
    exact = [np.asarray(array, np.float64) for array in (left, right)]
    assert outputs.dtype == "float32"
    np.testing.assert_allclose(outputs, np.einsum("abc,adc->abd", *exact), rtol=1e-5, atol=1e-6)
    by_left, by_right = pull(jnp.ones_like(outputs))
    assert (by_left.dtype, by_right.dtype) == ("bfloat16", "bfloat16")
    assert_close(by_right, np.einsum("abc->ac", exact[0])[:, None] + np.zeros((3, 2, 4)), GRADIENTS)


def test_shards_are_left_to_jax() -> None:
    mesh = jax.make_mesh((1,), ("rows",))
    inputs, kernel, _ = arrays((3, 4, 7), 2, "float32")

    def loss(inputs: Any, kernel: Any) -> Any:
        total: Any = jax.lax.psum
        return total(jnp.sum(product(inputs, kernel) ** 2), "rows")

    spec: Any = jax.P
    rows, whole = spec("rows"), spec()
    placed = [jax.device_put(each, jax.NamedSharding(mesh, whole)) for each in (inputs, kernel)]
    placed[0] = jax.device_put(inputs, jax.NamedSharding(mesh, rows))
    shards: Any = jax.shard_map(
        jax.grad(loss, (0, 1)), mesh=mesh, in_specs=(rows, whole), out_specs=(rows, whole)
    )
    wanted = jax.grad(lambda x, w: jnp.sum((x @ w) ** 2), (0, 1))(inputs, kernel)
    for found, plain in zip(jax.jit(shards)(*placed), wanted, strict=True):
        assert_close(found, plain, GRADIENTS)


def test_what_names_no_product_is_what_einsum_says() -> None:
    x, y = of_axes("abc", 0), of_axes("ce", 1)
    found = jax.jit(lambda x, y: contract(x, "abc", y, "ce", "ae"))(x, y)
    assert_close(found, np.einsum("abc,ce->ae", x, y))
    square = jnp.arange(9.0).reshape(3, 3)
    assert jax.jit(lambda x: contract(x, "aa", x, "ab", "b"))(square).tolist() == [60, 72, 84]


DENSE = {"a thin layer": ("abc", "cd", "abd"), "a wide layer": ("abc", "ce", "abe")}
TURNED = DENSE | dict(list(EQUATIONS.items())[:7])


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="products are turned on CPUs only")
@pytest.mark.parametrize("name", TURNED)
def test_all_sums_are_along_the_rows_of_the_left_operand(name: str) -> None:
    """What speed and bits hang on: no product of the compiled program sums along columns of its
    left operand, which XLA would bring about if it took what is turned for idle."""
    sides = TURNED[name]
    left, right, weights = (of_axes(axes, seed) for seed, axes in enumerate(sides))

    def given(x: Any, y: Any) -> Any:
        return jnp.vdot(weights, contract(x, sides[0], y, sides[1], sides[2]))

    text = jax.jit(jax.grad(given, (0, 1))).lower(left, right).compile().as_text()
    products = re.findall(r"\[([\d,]+)\]\S* dot\(.*lhs_contracting_dims=\{(\d)\}", str(text))
    assert len(products) == 2
    assert all(int(summed) == shape.count(",") for shape, summed in products)
