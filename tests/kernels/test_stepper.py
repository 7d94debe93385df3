"""The native stepper holds every array to its shape and type before it reads any of it."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from everystep.kernels import GRUGates, SimpleRNNGates
from everystep.kernels import stepper as stepping
from everystep.kernels.asked import Fixed
from everystep.kernels.extension import extension
from everystep.kernels.stepper import (
    Activate,
    Embed,
    Loop,
    Multiply,
    Operation,
    Prepared,
    folded,
    why_not,
)

ROWS, STEPS, FEATURES, UNITS = 2, 3, 4, 5
pytestmark = [
    pytest.mark.skipif(bool(extension().why_not), reason=extension().why_not or "it is there"),
    pytest.mark.usefixtures("on_a_cpu"),
]


def zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


def stepper() -> Any:
    kernels = zeros(FEATURES, 3 * UNITS), zeros(UNITS, 3 * UNITS)
    loop = Loop(Fixed(GRUGates()), *kernels, None, None)
    return Prepared([loop, Multiply(zeros(UNITS, 6), zeros(6))], FEATURES).stepper(ROWS)


def test_a_chunk_of_another_shape_or_type_is_refused() -> None:
    live = stepper()
    good = zeros(ROWS, STEPS, FEATURES)
    assert live.run(good, None).shape == (ROWS, STEPS, 6)
    for wrong in (good[0], good[:1], good[:, :0], zeros(ROWS, STEPS, 5), good.astype("float64")):
        with pytest.raises(ValueError, match=r"shape of a chunk|float32"):
            live.run(wrong, None)
    with pytest.raises(ValueError, match="mask must have shape"):
        live.run(good, np.ones((ROWS, 2), np.int32))
    with pytest.raises(ValueError, match="outputs do not have"):
        live._live.run(good, None, zeros(ROWS, STEPS, 5))
    with pytest.raises(ValueError, match="no state of number 1"):
        live._live.read(1, zeros(ROWS, UNITS))
    with pytest.raises(ValueError, match="a state has 10 numbers"):
        live._live.write(0, zeros(ROWS, UNITS - 1))


WRONG: dict[str, Callable[[], Any]] = {
    "reads 5 features, but the one before it gives 6": lambda: [
        Multiply(zeros(FEATURES, 6), None),
        Multiply(zeros(5, 2), None),
    ],
    r"bias must have shape \(6,\)": lambda: [Multiply(zeros(FEATURES, 6), zeros(5))],
    "the kernels must have 15 columns": lambda: [
        Loop(Fixed(GRUGates()), zeros(FEATURES, 15), zeros(UNITS, 14), None, None)
    ],
    "peepholes are of the lstm alone": lambda: [
        Loop(Fixed(SimpleRNNGates()), zeros(4, 5), zeros(5, 5), None, None, (zeros(15),))
    ],
    "behind a loop": lambda: [
        Loop(Fixed(SimpleRNNGates()), zeros(4, 5), zeros(5, 5), None, None, last=True),
        Loop(Fixed(SimpleRNNGates()), zeros(5, 5), zeros(5, 5), None, None),
    ],
}


@pytest.mark.parametrize("words", WRONG)
def test_operations_that_do_not_fit_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Prepared(WRONG[words](), FEATURES)


def test_what_it_does_not_know_has_a_reason() -> None:
    assert "does not know the activation" in why_not([Activate(jnp.cos)])
    assert why_not([Activate(jnp.tanh)]) == ""
    assert "float32 alone" in why_not([Multiply(zeros(2, 3).astype("float64"), None)])


def test_wide_products_are_those_of_numpy_whoever_computes_them() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(ROWS, 9, 70)).astype("float32")
    kernel, bias = (random.normal(size=size).astype("float32") for size in ((70, 203), (203,)))
    live = Prepared([Multiply(kernel, bias)], 70).stepper(ROWS)
    wanted = inputs.astype("float64") @ kernel.astype("float64") + bias
    np.testing.assert_allclose(live.run(inputs, None), wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(
        np.concatenate([live.run(inputs[:, :1], None), live.run(inputs[:, 1:], None)], 1),
        live.run(inputs, None),
    )


def test_a_table_is_multiplied_once_where_the_result_is_not_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(1)
    table, first, bias, kernel, recurrent = (
        random.normal(size=size).astype("float32")
        for size in ((7, 3), (3, 4), (4,), (4, 3 * UNITS), (UNITS, 3 * UNITS))
    )
    loop = Loop(Fixed(GRUGates()), kernel, recurrent, None, None)
    given: list[Operation] = [Embed(table), Multiply(first, bias), loop]
    embed, bare = folded(given)
    assert isinstance(embed, Embed)
    assert isinstance(bare, Loop)
    assert bare.kernel is None
    np.testing.assert_allclose(embed.table, (table @ first + bias) @ kernel, rtol=1e-5, atol=1e-5)

    ids = random.integers(0, 7, (ROWS, 6)).astype("int32")
    mask = random.integers(0, 2, ids.shape).astype("int32")
    outputs = Prepared(given, 0).stepper(ROWS).run(ids, mask)
    monkeypatch.setattr(stepping, "LARGEST_TABLE", 7 * 4)
    assert [type(each) for each in folded(given)] == [Embed, Loop]
    assert folded(given)[1] is loop
    np.testing.assert_allclose(
        Prepared(given, 0).stepper(ROWS).run(ids, mask), outputs, rtol=1e-5, atol=1e-5
    )
    monkeypatch.setattr(stepping, "LARGEST_TABLE", 7 * 4 - 1)
    assert folded(given) == given
    assert folded([loop, *given]) == [loop, *given]


def test_a_loop_without_a_kernel_reads_its_shares() -> None:
    loop = Loop(Fixed(GRUGates()), None, zeros(UNITS, 3 * UNITS), None, None)
    with pytest.raises(ValueError, match="reads 15 features, but the one before it gives 6"):
        Prepared([Multiply(zeros(FEATURES, 6), None), loop], FEATURES)
