from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from everystep.kernels import recurrent
from tests.kernels.truth import CELLS, Array, Case
from tests.strategies import segment_rows
from tests.tolerances import DIFFERENCES, GRADIENTS, assert_close

Tree = Any
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "reverse": {"reverse": True},
    "masked": {"segments": np.tile([0, 1, 1, 0, 0, 1, 2, 2, 0], (5, 1))},
    "packed": {"segments": np.tile([0, 1, 1, 0, 0, 1, 2, 2, 0], (5, 1)), "packed": True},
    "packed reverse": {
        "segments": np.tile([3, 1, 1, 0, 0, 1, 2, 2, 0], (5, 1)),
        "packed": True,
        "reverse": True,
        "zero_output_for_mask": True,
    },
}
# What cells have of their own does not hang on how rows are read: two ways for those.
PAIRS = [
    (cell, setting)
    for cell in CELLS
    for setting in SETTINGS
    if cell in ("lstm", "gru", "simple") or setting in ("masked", "packed reverse")
]


def loss_of(case: Case, **settings: Any) -> Any:
    """A function of all arrays that weighs every output and last state differently."""
    random = np.random.default_rng(case.seed + 1)
    weigh = random.normal(size=(case.batch, case.steps, case.units)).astype(case.dtype)
    weigh_last = [random.normal(size=s.shape).astype(case.dtype) for s in case.initial]

    def loss(arrays: Tree, initial: Tree) -> jax.Array:
        outputs, last = recurrent(case.gates, initial=initial, **arrays, **settings)
        pairs = zip(last, weigh_last, strict=True)
        return jnp.sum(outputs * weigh) + sum(jnp.sum(a * b) for a, b in pairs)

    return loss


def both_gradients(case: Case, **settings: Any) -> tuple[Tree, Tree]:
    own, plain = (
        # Compiled as a whole: one by one, the operations of a gradient compile for seconds.
        jax.jit(jax.grad(loss_of(case, **settings, derivatives=which), (0, 1)))(
            case.arrays, case.initial
        )
        for which in ("reverse", "any")
    )
    return own, plain


def assert_all_close(found: Tree, wanted: Tree) -> None:
    jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), found, wanted)


@pytest.mark.parametrize(("cell", "setting"), PAIRS)
def test_gradients_equal_finite_differences(cell: str, setting: str) -> None:
    with jax.enable_x64(True):
        case = Case(cell, 5, 9, 3, 2, dtype=np.float64)
        loss = jax.jit(loss_of(case, **SETTINGS[setting]))
        check_grads(loss, (case.arrays, case.initial), 1, ["rev"], rtol=DIFFERENCES["float64"])  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(("cell", "setting"), PAIRS)
def test_the_own_backward_pass_equals_that_of_jax(cell: str, setting: str) -> None:
    assert_all_close(*both_gradients(Case(cell, 5, 9, 3, 2), **SETTINGS[setting]))


@pytest.mark.parametrize("sizes", [(1, 9, 3, 2), (4, 1, 3, 2), (1, 1, 1, 1), (2, 0, 3, 2)])
def test_small_sizes_have_the_same_gradients(sizes: tuple[int, int, int, int]) -> None:
    assert_all_close(*both_gradients(Case("gru", *sizes)))


@settings(max_examples=8)
@given(segment_rows(), st.sampled_from(list(CELLS)), st.booleans(), st.booleans())
def test_gradients_agree_on_any_segments(
    segments: Array, cell: str, packed: bool, reverse: bool
) -> None:
    case = Case(cell, *segments.shape)
    assert_all_close(*both_gradients(case, segments=segments, packed=packed, reverse=reverse))


def test_padding_gets_no_gradient_and_spreads_no_nan() -> None:
    case = Case("lstm", 5, 9)
    settings = SETTINGS["packed"]
    padding = settings["segments"] == 0
    calm, _ = both_gradients(case, **settings)
    case.arrays["inputs"][padding] = np.nan
    own, plain = both_gradients(case, **settings)
    assert not np.asarray(own[0]["inputs"])[padding].any()
    assert_all_close(own, calm)
    assert_all_close(plain, calm)


def test_narrow_types_get_gradients_in_their_own_type() -> None:
    case = Case("lstm", 5, 9)
    case.arrays = jax.tree.map(lambda array: jnp.asarray(array, jnp.bfloat16), case.arrays)
    own, plain = both_gradients(case)
    assert own[0]["kernel"].dtype == jnp.bfloat16
    assert own[1][0].dtype == jnp.float32
    narrow = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), (own, plain))
    assert_all_close(*narrow)


def test_second_derivatives_equal_those_of_jax() -> None:
    case = Case("lstm", 4, 8, 2, 2)

    def squared(which: str) -> Any:
        gradient = jax.grad(loss_of(case, derivatives=which))
        return jax.jit(
            jax.grad(
                lambda arrays: sum(
                    jnp.sum(leaf**2) for leaf in jax.tree.leaves(gradient(arrays, case.initial))
                )
            )
        )(case.arrays)

    assert_all_close(squared("reverse"), squared("any"))
