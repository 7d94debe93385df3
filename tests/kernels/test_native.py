"""The native twin against the twin of pure JAX, which the other tests here hold to NumPy."""

import json
import os
import platform
import subprocess
import sys
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import everystep as es
from everystep.errors import SettingError
from everystep.kernels import (
    Asked,
    Fixed,
    GRUGates,
    LayerNormLSTMGates,
    LSTMGates,
    PeepholeLSTMGates,
    SimpleRNNGates,
    choose,
    only,
    recurrent,
)
from everystep.kernels.extension import extension, only_path, paths
from everystep.kernels.native import NATIVE
from tests.kernels.truth import Array, Case
from tests.strategies import segment_rows
from tests.tolerances import GRADIENTS, assert_close

pytestmark = [
    pytest.mark.skipif(bool(extension().why_not), reason=f"no native twin: {extension().why_not}"),
    pytest.mark.usefixtures("on_a_cpu"),
]
Tree = Any

CELLS = ["lstm", "gru", "reset before", "simple", "peephole"]
ROWS = np.array([0, 1, 1, 0, 0, 1, 2, 2, 0])
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "reverse": {"reverse": True},
    "gaps": {"segments": ROWS},
    "packed": {"segments": ROWS, "packed": True},
    "packed reverse": {
        "segments": np.array([-3, 2**31 - 1, 2**31 - 1, 0, 0, 1, 2, 2, 0]),
        "packed": True,
        "reverse": True,
        "zero_output_for_mask": True,
    },
}


# Each cell reads rows in every way; each set of instructions has the same loop for all of them.
CASES = [
    (cell, way, path)
    for path in paths()
    for cell in CELLS
    for way in WAYS
    if path == paths()[0] or way == "packed reverse"
]


def case_of(cell: str, *sizes: int) -> Case:
    """A case whose recurrent weights are small enough for rounding errors not to grow over time."""
    case = Case(cell, *sizes)
    case.arrays["recurrent_kernel"] /= np.float32(max(1, case.units) ** 0.5)
    return case


@cache
def _compiled(cell: str, twin: str, path: str, *settings: tuple[str, Any]) -> Any:
    """Outputs, last states and gradients of all arrays, for weights of each output and state."""
    ways = dict(settings)
    gates = Case(cell).gates

    def run(arrays: Tree, initial: Tree, segments: Any) -> Any:
        with only_path(path):
            return recurrent(gates, initial=initial, **arrays, **ways, segments=segments, twin=twin)

    def both(arrays: Tree, initial: Tree, segments: Any, weigh: Tree) -> Any:
        results, pull = jax.vjp(lambda a, i: run(a, i, segments), arrays, initial)
        return results, pull(weigh)

    return jax.jit(both)


def results_of(case: Case, twin: str, path: str | None = None, **settings: Any) -> Any:
    """What a twin gives, with its gradients, on a case."""
    segments = settings.pop("segments", None)
    if segments is not None:
        segments = np.broadcast_to(segments, (case.batch, case.steps))
    random = np.random.default_rng(case.seed + 1)
    shapes = (case.batch, case.steps, case.units), *(state.shape for state in case.initial)
    weigh = [random.normal(size=shape).astype(case.dtype) for shape in shapes]
    compiled = _compiled(case.cell, twin, path or paths()[0], *settings.items())
    return compiled(case.arrays, case.initial, segments, (weigh[0], tuple(weigh[1:])))


def assert_twins_agree(case: Case, path: str | None = None, **settings: Any) -> None:
    (values, gradients) = results_of(case, "native", path, **settings)
    (wanted, wanted_gradients) = results_of(case, "xla", **settings)
    jax.tree.map(assert_close, values, wanted)
    jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), gradients, wanted_gradients)


@pytest.mark.parametrize(("cell", "way", "path"), CASES)
def test_values_and_gradients_are_those_of_xla(cell: str, way: str, path: str) -> None:
    assert_twins_agree(case_of(cell, 5, 9, 3, 18), path, **WAYS[way])


@pytest.mark.parametrize("missing", ["bias", "recurrent_bias", "recurrent_dropout"])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_what_may_be_left_out_may(cell: str, missing: str) -> None:
    case = Case(cell, 5, 9, 3, 7)
    case.arrays[missing] = None
    assert_twins_agree(case)


SIZES = [(0, 5, 2, 3), (3, 0, 2, 3), (3, 9, 0, 2), (1, 1, 1, 1), (1, 7, 5, 16), (37, 3, 70, 33)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_any_sizes_will_do(cell: str, sizes: Any) -> None:
    assert_twins_agree(case_of(cell, *sizes))


@settings(max_examples=20)
@given(
    segment_rows(),
    st.sampled_from(CELLS),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(paths() or [""]),
    st.integers(0, 99),
)
def test_any_segments_will_do(
    segments: Array, cell: str, packed: bool, reverse: bool, zero: bool, path: str, seed: int
) -> None:
    rows, steps = segments.shape
    case = Case(cell, rows, steps, seed=seed)
    ways = {"packed": packed, "reverse": reverse, "zero_output_for_mask": zero}
    assert_twins_agree(case, path, segments=segments, **ways)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool", "float32"])
def test_ids_of_any_type_will_do(dtype: str) -> None:
    case = Case("lstm", 2, 9)
    with jax.enable_x64(dtype == "int64"):
        ids = np.tile(ROWS, (2, 1)).astype(dtype) * (2**32 if dtype == "int64" else 1)
        given: Any = {"segments": jnp.asarray(ids), "packed": True}
        outputs = [
            recurrent(case.gates, initial=case.initial, **case.arrays, **given, twin=twin)[0]
            for twin in ("native", "xla")
        ]
    assert_close(outputs[0], outputs[1])


@pytest.mark.parametrize(
    "gates",
    [
        LSTMGates(jax.nn.relu, jax.nn.hard_sigmoid),
        GRUGates(es.activations.linear, es.activations.hard_sigmoid),
        PeepholeLSTMGates(es.activations.sigmoid, jnp.tanh),
        SimpleRNNGates(es.activations.relu),
    ],
)
def test_activations_are_known_by_what_they_compute(gates: Any) -> None:
    name = {LSTMGates: "lstm", GRUGates: "gru", SimpleRNNGates: "simple"}
    case = Case(name.get(type(gates), "peephole"), 4, 3, 2, 5)

    def loss(arrays: Tree, twin: str) -> jax.Array:
        outputs, last = recurrent(gates, initial=case.initial, **arrays, twin=twin)
        return jnp.sum(jnp.sin(outputs)) + jnp.sum(last[-1])

    native, xla = (jax.value_and_grad(loss)(case.arrays, twin) for twin in ("native", "xla"))
    jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), native, xla)


@pytest.mark.parametrize("cell", CELLS)
def test_padding_is_never_read_and_gets_no_gradient(cell: str) -> None:
    case = Case(cell, 5, 9, 3, 7)
    calm = results_of(case, "native", **WAYS["packed"])
    padding = np.broadcast_to(ROWS == 0, (5, 9))
    case.arrays["inputs"][padding] = np.nan
    found = results_of(case, "native", **WAYS["packed"])
    jax.tree.map(np.testing.assert_array_equal, found, calm)
    assert not np.asarray(found[1][0]["inputs"])[padding].any()


@pytest.fixture
def team() -> Any:
    """The extension; the size of its team is put back afterwards."""
    module = extension().module
    before = module.team_size()
    yield module
    module.set_team_size(before)


@pytest.mark.parametrize("cell", CELLS)
def test_the_bits_do_not_hang_on_the_number_of_threads(cell: str, team: Any) -> None:
    case = case_of(cell, 13, 17, 20, 64)
    segments = np.random.default_rng(0).integers(0, 3, (13, 17))
    found = []
    for members in (1, 2, 3):
        team.set_team_size(members)
        found.append(results_of(case, "native", segments=segments, packed=True))
    for other in found[1:]:
        jax.tree.map(np.testing.assert_array_equal, other, found[0])


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("cell", CELLS)
def test_a_row_does_not_see_the_rows_beside_it(cell: str, path: str) -> None:
    case = Case(cell, 7, 5, 3, 18)
    (outputs, last), (gradients, _) = results_of(case, "native", path)
    alone = Case(cell, 1, 5, 3, 18)
    for row in (0, 4, 6):
        alone.arrays = dict(
            case.arrays,
            inputs=case.arrays["inputs"][row : row + 1],
            recurrent_dropout=case.arrays["recurrent_dropout"][row : row + 1],
        )
        alone.initial = tuple(state[row : row + 1] for state in case.initial)
        (own, own_last), _ = results_of(alone, "native", path)
        np.testing.assert_array_equal(own[0], outputs[row])
        np.testing.assert_array_equal(own_last[0][0], last[0][row])
    assert gradients["inputs"].shape == case.arrays["inputs"].shape


def mapped(case: Case, count: int, **others: Any) -> tuple[Tree, Tree]:
    """A case's arrays, and which of them have an axis more in front."""
    axes: Tree = dict.fromkeys(case.arrays)
    arrays = dict(case.arrays)
    for name in others:
        cases = [Case(case.cell, case.batch, seed=seed).arrays[name] for seed in range(count)]
        arrays[name] = jax.tree.map(lambda *leaves: np.stack(leaves), *cases)
        axes[name] = 0
    return arrays, axes


@pytest.mark.parametrize(
    "names",
    [["inputs"], ["inputs", "recurrent_dropout"], ["recurrent_kernel"], ["inputs", "parameters"]],
)
def test_vmap_equals_a_loop_in_values_and_gradients(names: list[str]) -> None:
    case = Case("peephole", 2)
    arrays, axes = mapped(case, 3, **dict.fromkeys(names))

    def loss(arrays: Tree, twin: str) -> jax.Array:
        outputs, last = recurrent(case.gates, initial=case.initial, **arrays, twin=twin)
        return jnp.sum(jnp.sin(outputs)) + jnp.sum(last[1])

    def compute(twin: str) -> Any:
        one = partial_of(loss, twin)
        return jax.jit(
            lambda arrays: (
                jax.vmap(one, (axes,))(arrays),
                jax.vmap(jax.grad(one), (axes,))(arrays),
                jax.grad(lambda given: jnp.sum(jax.vmap(one, (axes,))(given) ** 2))(arrays),
            )
        )(arrays)

    jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), compute("native"), compute("xla"))


def partial_of(loss: Any, twin: str) -> Any:
    return lambda arrays: loss(arrays, twin)


def test_rows_of_vmap_run_in_one_call() -> None:
    case = Case("lstm", 2)
    arrays, axes = mapped(case, 3, inputs=None)

    def outputs(arrays: Tree) -> jax.Array:
        return recurrent(case.gates, initial=case.initial, **arrays, twin="native")[0]

    def text(axes: Tree) -> str:
        return str(jax.make_jaxpr(jax.vmap(outputs, (axes,)))(arrays))

    assert "scan" not in text(axes)
    arrays, axes = mapped(case, 3, kernel=None)
    assert "scan" in text(axes)


def test_second_derivatives_are_those_of_xla() -> None:
    case = Case("lstm", 2, 4, 2, 3)
    ids = np.array([[0, 1, 1, 2]] * 2)

    def squared(twin: str) -> Any:
        def loss(arrays: Tree) -> jax.Array:
            outputs, last = recurrent(
                case.gates, initial=case.initial, **arrays, segments=ids, packed=True, twin=twin
            )
            return jnp.sum(jnp.sin(outputs)) + jnp.sum(last[1])

        def steepness(arrays: Tree) -> jax.Array:
            return sum(jnp.sum(g**2) for g in jax.tree.leaves(jax.grad(loss)(arrays)))  # type: ignore[return-value]

        return jax.jit(jax.grad(steepness))(case.arrays)

    jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), squared("native"), squared("xla"))


def test_checkpoints_compute_the_same_again() -> None:
    case = Case("gru", 2)

    def loss(arrays: Tree) -> jax.Array:
        outputs = recurrent(case.gates, initial=case.initial, **arrays, twin="native")[0]
        return jnp.sum(jnp.sin(outputs))

    once, again = (jax.jit(jax.grad(f))(case.arrays) for f in (loss, jax.checkpoint(loss)))
    jax.tree.map(np.testing.assert_array_equal, again, once)


def test_forward_mode_says_what_to_ask_for() -> None:
    case = Case("lstm")

    def outputs(inputs: Any, **ways: Any) -> Any:
        arrays = dict(case.arrays, inputs=inputs)
        return recurrent(case.gates, initial=case.initial, **arrays, **ways)[0]

    inputs = case.arrays["inputs"]
    jax.jvp(lambda x: outputs(x, derivatives="any"), (inputs,), (inputs,))
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda x: outputs(x, twin="native"), (inputs,), (inputs,))


def test_what_it_cannot_run_has_a_reason() -> None:
    def reason(gates: Any, dtype: str = "float32", steps: Any = 5) -> str:
        return NATIVE.why_not(Asked(Fixed(gates), 2, steps, 3, 4, dtype, "cpu"))

    (steps,) = jax.export.symbolic_shape("steps")
    assert reason(LSTMGates()) == ""
    assert "LayerNormLSTMGates" in reason(LayerNormLSTMGates())
    assert "activation" in reason(LSTMGates(jax.nn.softmax))
    assert "float64" in reason(LSTMGates(), "float64")
    assert "any number" in reason(LSTMGates(), steps=steps)
    assert "too short" in reason(LSTMGates(), steps=2**30)  # of two rows
    found = choose(Asked(Fixed(LayerNormLSTMGates()), 2, 5, 3, 4, "float32", "cpu"))
    assert (found.twin.name, found.why[0][0]) == ("xla", "native")


def test_instructions_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="only_path must be one of"), only_path("sse9"):
        pass
    monkeypatch.setenv("EVERYSTEP_PATH", "sse9")
    with pytest.raises(SettingError, match="EVERYSTEP_PATH must be one of"):
        jax.jit(lambda: es.layers.LSTM(3)(np.zeros((1, 2, 3), "float32")))()


def test_foreign_functions_refuse_arrays_that_do_not_fit() -> None:
    attributes: dict[str, Any] = {"path": paths()[0], "cell": 1, "activation": 1}
    attributes |= {"gate_activation": 2, "packed_rows": False, "reverse": False}
    attributes |= {"zero_output": False}

    def pack(kernel: tuple[int, ...], size: int, dtype: str = "float32", **other: Any) -> Any:
        shape = jax.ShapeDtypeStruct((size,), "uint8")  # type: ignore[no-untyped-call]
        foreign: Any = jax.ffi.ffi_call("everystep_pack", shape)
        arrays = np.zeros(kernel, dtype), np.zeros((4, 16), "float32")
        return np.asarray(foreign(*arrays, **{**attributes, **other}))

    size = extension().module.packed_size(paths()[0], 1, False, 3, 4)
    assert pack((3, 16), size).shape == (size,)
    for arguments, message in (
        (((3, 16), size - 1), "packed must have shape"),
        (((3, 15), size), "kernel must have shape"),
        (((3, 16, 1), size), "kernel must have 2 axes"),
        (((3, 16), size, "int32"), "type"),
    ):
        with pytest.raises(Exception, match=message):
            pack(*arguments)
    for other, message in (
        ({"path": "sse9"}, "this processor has"),
        ({"cell": 7}, "no cell of number 7"),
        ({"activation": -1}, "no activation of number -1"),
    ):
        with pytest.raises(Exception, match=message):
            pack((3, 16), size, **other)


SHARDED = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import PartitionSpec as P
from everystep.kernels import recurrent
from tests.kernels.truth import Case

case = Case("lstm", 4)
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("rows",))
names = {"inputs": P("rows"), "recurrent_dropout": P("rows")}
specs = {name: names.get(name, P()) for name in case.arrays}

def loss(arrays, initial, twin):
    outputs, last = recurrent(case.gates, initial=initial, **arrays, twin=twin)
    return jnp.sum(jnp.sin(outputs)) + jnp.sum(last[1])

def sharded(arrays, initial):
    def part(arrays, initial):
        return jax.lax.psum(loss(arrays, initial, "native"), "rows")
    return jax.shard_map(part, mesh=mesh, in_specs=(specs, P("rows")), out_specs=P())(
        arrays, initial
    )

assert jax.device_count() == 2
found = jax.jit(jax.value_and_grad(sharded))(case.arrays, case.initial)
wanted = jax.jit(jax.value_and_grad(lambda a, i: loss(a, i, "xla")))(case.arrays, case.initial)
jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4), found, wanted)
"""


def test_shard_map_runs_it_on_each_device() -> None:
    flags = "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", SHARDED], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


FREED = """
import resource
from everystep.kernels.extension import extension

def fresh_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(60_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

extension()
print([fresh_pages() for _ in range(3)])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is set up so")
@pytest.mark.parametrize("own", [{}, {"MALLOC_TRIM_THRESHOLD_": "100000"}])
def test_freed_memory_stays_for_the_next_step(own: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FREED], env=os.environ | own, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    first, *later = json.loads(done.stdout)
    assert first > 1000
    assert max(later) < 100 if not own else min(later) > 1000


def test_explanations_stay_exact() -> None:
    layer = es.layers.LSTM(3, return_sequences=True)
    layer(np.zeros((1, 4, 2), "float32"))
    explained = es.explain(layer, (None, 4, 2))
    assert explained.exact
    assert explained.causal
    assert explained.kernels[layer.path] == ("native", "")
    # Also of a function whose program was traced for the native twin before.
    compiled = jax.jit(lambda inputs: layer(inputs))
    compiled(np.zeros((1, 4, 2), "float32"))
    assert es.explain(compiled, (1, 4, 2)).exact


def test_exports_need_no_extension(tmp_path: Any) -> None:
    model = es.Sequential([es.Input((4, 2)), es.layers.LSTM(3)])
    inputs = np.linspace(-1, 1, 16, dtype="float32").reshape(2, 4, 2)
    model.export(tmp_path / "model")
    program = (
        "import sys, numpy as np, jax, jax.export\n"
        "contents = bytearray(open(sys.argv[1], 'rb').read())\n"
        "x = np.linspace(-1, 1, 16, dtype='float32').reshape(2, 4, 2)\n"
        "print(np.asarray(jax.export.deserialize(contents).call(x)).tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model")],
        capture_output=True,
        text=True,
        check=True,
    )
    with only("native"):
        assert_close(np.array(eval(done.stdout), "float32"), model(inputs))
