"""bfloat16 in the native twin: on all instructions as near the truth as the twin of pure JAX."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.kernels import Asked, Fixed, LSTMGates, choose, recurrent
from everystep.kernels.extension import extension, only_path, paths
from tests.kernels.truth import Array, Case
from tests.kernels.truth import run as true_run

pytestmark = pytest.mark.skipif(
    bool(extension().why_not), reason=f"no native twin: {extension().why_not}"
)
Tree = Any

CELLS = ["lstm", "gru", "reset before", "simple", "peephole"]
NARROW = ("inputs", "kernel", "recurrent_kernel")
ROWS = np.array([0, 1, 1, 0, 0, 1, 2, 2, 0])
WAYS: dict[str, Any] = {"packed": True, "reverse": True, "zero_output_for_mask": True}
# Of root mean squares, relative to the largest number. One rounding to bfloat16 is 2^-9 of a number
# at most; results have one of their own, and what those of all states on the way add up to.
NEAR = 2**-8


def case_of(cell: str, *sizes: int) -> Case:
    """A case of numbers that bfloat16 has, with products of about 1."""
    case = Case(cell, *sizes)
    case.arrays["kernel"] /= max(1, case.features) ** 0.5
    case.arrays["recurrent_kernel"] /= max(1, case.units) ** 0.5
    # Its factors are no powers of two, which rounding would not notice.
    case.arrays["recurrent_dropout"] = np.where(case.arrays["recurrent_dropout"] > -1, 1.25, 0)
    case.arrays["recurrent_dropout"] = case.arrays["recurrent_dropout"].astype("float32")
    for name in NARROW:
        case.arrays[name] = np.asarray(jnp.asarray(case.arrays[name], jnp.bfloat16), "float32")
    return case


@cache
def _compiled(cell: str, twin: str, path: str, ways: tuple[tuple[str, Any], ...]) -> Any:
    gates = Case(cell).gates

    def run(arrays: Tree, initial: Tree, segments: Any) -> Any:
        with only_path(path):
            return recurrent(
                gates, initial=initial, **arrays, **dict(ways), segments=segments, twin=twin
            )

    def both(arrays: Tree, initial: Tree, segments: Any, weigh: Tree) -> Any:
        results, pull = jax.vjp(lambda a, i: run(a, i, segments), arrays, initial)
        return results, pull(weigh)

    return jax.jit(both)


def results_of(
    case: Case, twin: str, path: str, narrow: Any, wide: Any, segments: Any = None, **ways: Any
) -> dict[str, Array]:
    """Outputs, last states and gradients, by name, with the types that a run is to have."""
    types = {name: narrow if name in NARROW else wide for name in case.arrays}
    arrays = {
        name: jax.tree.map(lambda array, to=types[name]: jnp.asarray(array, to), given)
        for name, given in case.arrays.items()
    }
    initial = tuple(jnp.asarray(state, wide) for state in case.initial)
    random = np.random.default_rng(case.seed + 1)
    shape = (case.batch, case.steps, case.units)
    weigh = jnp.asarray(jnp.asarray(random.normal(size=shape), jnp.bfloat16), narrow)
    of_states = tuple(
        jnp.asarray(random.normal(size=s.shape).astype("float32"), wide) for s in initial
    )
    compiled = _compiled(case.cell, twin, path, tuple(ways.items()))
    (outputs, last), (of_arrays, of_initial) = compiled(
        arrays, initial, segments, (weigh, of_states)
    )
    found = {"outputs": outputs} | {f"gradient of {name}": d for name, d in of_arrays.items()}
    found |= {f"last {n}": state for n, state in enumerate(last)}
    found |= {f"gradient of initial {n}": state for n, state in enumerate(of_initial)}
    parameters = found.pop("gradient of parameters")
    found |= {f"gradient of parameter {n}": array for n, array in enumerate(parameters)}
    return {name: np.asarray(array) for name, array in found.items()}


def native(case: Case, path: str, **ways: Any) -> dict[str, Array]:
    return results_of(case, "native", path, jnp.bfloat16, jnp.float32, **ways)


def off(found: dict[str, Array], truth: dict[str, Array]) -> dict[str, float]:
    """How far each array is from the truth."""
    return {
        name: float(np.sqrt(np.mean((found[name].astype("float64") - wanted) ** 2)) / scale)
        for name, wanted in truth.items()
        if (scale := max(1e-2, float(np.abs(wanted).max(initial=0)))) and wanted.size
    }


def assert_near(case: Case, path: str, **ways: Any) -> None:
    with jax.enable_x64(True):
        truth = results_of(case, "xla", path, jnp.float64, jnp.float64, **ways)
    found = native(case, path, **ways)
    assert {name: str(array.dtype) for name, array in found.items()} == {
        name: "bfloat16" if name.removeprefix("gradient of ") in ("outputs", *NARROW) else "float32"
        for name in truth
    }
    far = {name: by for name, by in off(found, truth).items() if not by < NEAR}
    assert not far


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("cell", CELLS)
def test_results_and_gradients_are_near_the_truth(cell: str, path: str) -> None:
    segments = np.tile(ROWS, (5, 1))
    assert_near(case_of(cell, 5, 9, 3, 18), path, segments=segments, **WAYS)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_outputs_are_near_those_of_a_plain_loop(cell: str) -> None:
    case = case_of(cell, 4, 7, 5, 34)
    wanted, _ = true_run(case)
    found = native(case, paths()[0])["outputs"]
    assert off({"outputs": found}, {"outputs": wanted})["outputs"] < NEAR


# More rows, features and units than tiles have, and none or one of each.
@pytest.mark.parametrize("sizes", [(37, 3, 70, 33), (1, 7, 1, 1), (3, 9, 0, 2), (0, 5, 2, 3)])
@pytest.mark.parametrize("path", paths()[:2])
def test_any_sizes_will_do(path: str, sizes: Any) -> None:
    assert_near(case_of("lstm", *sizes), path)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_errors_are_those_of_xla(cell: str) -> None:
    """But for gradients of biases, which the native twin adds up of what it has rounded."""
    case = case_of(cell, 6, 30, 40, 48)
    path = paths()[0]
    with jax.enable_x64(True):
        truth = results_of(case, "xla", path, jnp.float64, jnp.float64)
    own, other = (
        off(results_of(case, twin, path, jnp.bfloat16, jnp.float32), truth)
        for twin in ("native", "xla")
    )
    times = {name: own[name] / (by + 1e-6) for name, by in other.items()}
    assert not {name: by for name, by in times.items() if by > (4 if "bias" in name else 1.5)}


@pytest.mark.parametrize("path", paths())
def test_bits_hang_neither_on_threads_nor_on_the_rows_beside(path: str) -> None:
    module: Any = extension().module
    before = module.team_size()
    case = case_of("gru", 37, 6, 20, 80)
    segments = np.random.default_rng(0).integers(0, 3, (37, 6))
    found = []
    try:
        for members in (1, 2, 3):
            module.set_team_size(members)
            found.append(native(case, path, segments=segments, packed=True))
    finally:
        module.set_team_size(before)
    for other in found[1:]:
        jax.tree.map(np.testing.assert_array_equal, other, found[0])
    few = case_of("gru", 37, 6, 20, 80)
    few.batch = 3
    few.initial = tuple(state[:3] for state in few.initial)
    for name in ("inputs", "recurrent_dropout"):
        few.arrays[name] = few.arrays[name][:3]
    alone = native(few, path, segments=segments[:3], packed=True)
    np.testing.assert_array_equal(alone["outputs"], found[0]["outputs"][:3])


@pytest.mark.parametrize("path", paths())
def test_not_a_number_stays_in_its_row(path: str) -> None:
    case = case_of("simple", 4, 3, 2, 20)
    case.arrays["inputs"][1, 0, 0] = np.nan
    found = native(case, path)["outputs"].astype("float32")
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[[0, 2, 3]]).all()


def test_it_is_what_runs_bfloat16() -> None:
    asked = Asked(Fixed(LSTMGates()), 2, 5, 3, 4, "bfloat16", "cpu")
    assert choose(asked).twin.name == "native"
