from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.kernels import recurrence, recurrent
from tests.kernels.truth import CELLS, Case
from tests.tolerances import GRADIENTS, assert_close


def run(case: Case, arrays: Any, initial: Any, **settings: Any) -> Any:
    return recurrent(case.gates, initial=initial, **arrays, **settings)


@pytest.mark.parametrize("batch", [1, 4])
def test_jit_equals_eager(batch: int) -> None:
    case = Case("gru", batch, 8)
    eager = run(case, case.arrays, case.initial)
    compiled = jax.jit(lambda a, i: run(case, a, i))(case.arrays, case.initial)
    jax.tree.map(assert_close, compiled, eager)


def test_a_second_eager_call_compiles_nothing() -> None:
    case = Case("lstm", 7, 13, 3, 2)
    run(case, case.arrays, case.initial)
    entry: Any = recurrence._run
    before = entry._cache_size()
    run(case, case.arrays, case.initial)
    assert entry._cache_size() == before


@pytest.mark.parametrize("settings", [{}, {"packed": True}])
def test_vmap_over_weights_and_rows_equals_a_loop(settings: dict[str, Any]) -> None:
    cases = [Case("lstm", 4, 8, seed=seed) for seed in (1, 2, 3)]
    arrays = jax.tree.map(lambda *leaves: np.stack(leaves), *(case.arrays for case in cases))
    initial = jax.tree.map(lambda *leaves: np.stack(leaves), *(case.initial for case in cases))
    if settings:
        arrays["segments"] = np.random.default_rng(0).integers(0, 3, (3, 4, 8))

    def loss(arrays: Any, initial: Any) -> jax.Array:
        outputs: jax.Array = run(cases[0], arrays, initial, **settings)[0]
        return jnp.sum(outputs**2)

    integers = arrays.pop("segments", None)

    def gradient(arrays: Any, initial: Any, ids: Any) -> Any:
        extra = {} if ids is None else {"segments": ids}
        return jax.value_and_grad(lambda a: loss({**a, **extra}, initial))(arrays)

    together = jax.jit(jax.vmap(gradient))(arrays, initial, integers)
    single = jax.jit(gradient)
    for place in range(3):
        one = jax.tree.map(lambda leaf, k=place: leaf[k], (arrays, initial, integers))
        found = jax.tree.map(lambda leaf, k=place: leaf[k], together)
        jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), found, single(*one))


@pytest.mark.parametrize("settings", [{}, {"packed": True, "reverse": True}])
def test_forward_mode_equals_reverse_mode(settings: dict[str, Any]) -> None:
    case = Case("lstm", 4, 8, 2, 2)
    if settings:
        settings = {**settings, "segments": np.random.default_rng(0).integers(0, 3, (4, 8))}
    inputs = case.arrays.pop("inputs")

    def outputs(inputs: Any, which: Any) -> Any:
        arrays = {**case.arrays, "inputs": inputs}
        return run(case, arrays, case.initial, derivatives=which, **settings)[0]

    forward = jax.jit(jax.jacfwd(lambda x: outputs(x, "any")))(inputs)
    backward = jax.jit(jax.jacrev(lambda x: outputs(x, "reverse")))(inputs)
    assert_close(forward, backward, GRADIENTS)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_batch_and_steps_may_stay_open(cell: str, packed: bool) -> None:
    batch, steps = jax.export.symbolic_shape("batch, steps")
    case = Case(cell, 3, 5)

    def outputs(inputs: Any, segments: Any) -> Any:
        zeros = jnp.zeros((inputs.shape[0], case.units))
        arrays = {**case.arrays, "inputs": inputs, "recurrent_dropout": None}
        initial = (zeros,) * case.gates.state_count
        return run(case, arrays, initial, segments=segments, packed=packed)

    open_inputs = jax.ShapeDtypeStruct((batch, steps, case.features), jnp.float32)  # type: ignore[no-untyped-call]
    open_segments = jax.ShapeDtypeStruct((batch, steps), jnp.int32)  # type: ignore[no-untyped-call]
    shape = jax.eval_shape(outputs, open_inputs, open_segments)[0].shape
    assert str(shape) == f"(batch, steps, {case.units})"

    exported = jax.export.export(jax.jit(outputs))(open_inputs, open_segments)
    segments = np.array([[1, 1, 2, 0, 2]] * 3, np.int32)
    wanted = outputs(case.arrays["inputs"], segments)
    found = exported.call(case.arrays["inputs"], segments)  # type: ignore[no-untyped-call]
    jax.tree.map(assert_close, found, wanted)


def test_masks_cost_nothing_where_there_are_none() -> None:
    case = Case("lstm", 4, 8)
    text = str(jax.make_jaxpr(lambda a, i: run(case, a, i))(case.arrays, case.initial))
    assert "select_n" not in text
    assert "bool" not in text
