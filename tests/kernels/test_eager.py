"""Scans outside of programs: compiled once for what they compute, and never for something else."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.kernels.eager import scan
from tests.compiling import compiled

ALONG = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
FIRST = np.zeros(3, "float32")


def sums(weight: Any) -> Any:
    """Sums of what stands there, by a function that is a new one each time."""
    return scan(lambda total, x: (total + weight * x, total), FIRST, ALONG, reverse=True)


def test_a_new_function_that_computes_the_same_compiles_nothing() -> None:
    weights = [jnp.full(3, number) for number in (2.0, 3.0)]
    sums(weights[0])
    with compiled() as programs:
        last, before = sums(weights[1])
    assert programs == []
    np.testing.assert_allclose(last, 3 * ALONG.sum(0), rtol=1e-6)
    np.testing.assert_allclose(before[0], 3 * ALONG[1:].sum(0), rtol=1e-6)


STEPS: dict[str, Callable[[int], Callable[[Any], Any]]] = {
    "a number": lambda number: lambda x: x.sum() * float(number),
    "its last bit": lambda number: lambda x: x.sum() * np.float32(1 + number * 2.0**-23),
    "an array": lambda number: lambda x: (x * np.full(3, number, "float32")).sum(),
    "one of JAX": lambda number: jax.jit(lambda x: (x * jnp.full(3, float(number))).sum()),
    "a slice": lambda number: lambda x: x[number:].sum(),
    "a function": lambda number: lambda x: (jnp.sin, jnp.cos, jnp.tan)[number](x).sum(),
}


@pytest.mark.parametrize("inside", [False, True], ids=["arrays apart", "arrays in the program"])
@pytest.mark.parametrize("name", STEPS)
def test_what_computes_something_else_is_not_taken_for_the_same(name: str, inside: bool) -> None:
    kept = "jax_use_simplified_jaxpr_constants"  # which says where JAX has a function's arrays
    before = getattr(jax.config, kept)
    jax.config.update(kept, inside)  # type: ignore[no-untyped-call]
    try:
        found = []
        for number in (1, 2, 1):
            step = STEPS[name](number)
            _, outputs = scan(lambda s, x, f=step: (s, f(x)), FIRST, ALONG, reverse=False)  # type: ignore[misc]
            found.append(np.asarray(outputs))
            np.testing.assert_allclose(outputs, [step(row) for row in ALONG], 1e-6, 1e-7)
        assert not np.array_equal(found[0], found[1])
    finally:
        jax.config.update(kept, before)  # type: ignore[no-untyped-call]


def test_states_of_another_type_or_tree_are_another_program() -> None:
    def count(first: Any) -> Any:
        return scan(lambda n, x: (jax.tree.map(lambda m: m + 1, n), x), first, ALONG, reverse=False)

    for first in (np.int32(3), {"n": np.int32(4)}, np.float32(0.5), (np.int8(1), np.int32(7))):
        found = count(first)[0]
        assert str(jax.tree.structure(found)) == str(jax.tree.structure(first))
        for new, old in zip(jax.tree.leaves(found), jax.tree.leaves(first), strict=True):
            assert (new, new.dtype) == (old + 5, old.dtype)


def test_inside_programs_and_derivatives_it_is_the_scan_of_jax() -> None:
    def total(weight: Any) -> Any:
        return jnp.sum(sums(weight)[0])

    found = jax.jit(jax.value_and_grad(total))(np.full(3, 2, "float32"))
    np.testing.assert_allclose(found[0], 2 * ALONG.sum(), rtol=1e-6)
    np.testing.assert_allclose(found[1], ALONG.sum(0), rtol=1e-5)
    np.testing.assert_allclose(jax.grad(total)(np.full(3, 2, "float32")), found[1])
    with jax.disable_jit(), compiled() as programs:
        sums(np.ones(3, "float32"))
    assert "jit(run)" not in programs
