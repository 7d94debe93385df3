"""The cuDNN twin. Without a GPU, JAX's plain reference of the same call stands in for cuDNN."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import rnn
from jax.interpreters import mlir
from jaxlib import gpu_rnn

import everystep as es
from everystep.kernels import GRUGates, LSTMGates, PeepholeLSTMGates, choose, cudnn, only, recurrent
from everystep.kernels.asked import Asked, Fixed
from everystep.kernels.twins import Choice
from everystep.layers.looping import chosen_loop
from tests.kernels import truth
from tests.kernels.truth import Case
from tests.tolerances import GRADIENTS, assert_close

HAS_GPU = jax.default_backend() == "gpu"
needs_gpu = pytest.mark.skipif(not HAS_GPU, reason="JAX sees no GPU here")

BATCH, STEPS, FEATURES, UNITS = 6, 5, 2, 3
SEGMENTS = np.array(
    [
        [1, 1, 1, 1, 1],
        [1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1],
        [1, 0, 1, 0, 1],
        [0, 0, 0, 0, 0],
        [0, 7, 0, 0, 0],
    ]
)
ROWS: dict[str, Any] = {"whole": None, "padded": SEGMENTS}


def _forward(x: Any, h: Any, c: Any, w: Any, lengths: Any, *fixed: Any) -> Any:
    *sizes, precision = fixed
    call = cudnn.Call(sizes[0], sizes[1], precision, REFERENCE)
    result = cudnn.plain(call, cudnn.Operands(x, h, c, w, lengths))
    return result, (x, h, c, w, lengths, result[0], jnp.zeros(7))


def _backward(*given: Any) -> Any:
    *fixed, (x, h, c, w, lengths, _, _), cotangents = given
    _, pull = jax.vjp(lambda *four: _forward(*four, lengths, *fixed)[0], x, h, c, w)
    return (*pull(cotangents), None)


REFERENCE = cudnn.Calls(_forward, _backward)
CALLS = [
    pytest.param(REFERENCE, id="reference"),
    pytest.param(cudnn.BINDING, id="cudnn", marks=needs_gpu),
]


def case(**changed: Any) -> Case:
    made = Case("lstm", BATCH, STEPS, FEATURES, UNITS, **changed)
    made.arrays["recurrent_dropout"] = np.ones((BATCH, UNITS), np.float32)
    return made


def ours(calls: Any, given: Case, arrays: Any, initial: Any, segments: Any, **fixed: Any) -> Any:
    everything = {**arrays, "initial": initial, "segments": segments, "recurrent_dropout": None}
    everything = {name: jax.tree.map(jnp.asarray, array) for name, array in everything.items()}
    return cudnn.run(Fixed(given.gates, **fixed), everything, calls)


@pytest.mark.parametrize("calls", CALLS)
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("reverse", [False, True])
def test_every_row_equals_the_numpy_loop(calls: Any, rows: str, reverse: bool) -> None:
    given, segments = case(), ROWS[rows]
    for zero in (False, True) if segments is not None else (False,):
        fixed = {"reverse": reverse, "zero_output_for_mask": zero}
        outputs, last = ours(calls, given, given.arrays, given.initial, segments, **fixed)
        wanted, wanted_last = truth.run(given, segments=segments, **fixed)
        assert_close(outputs, wanted.astype(np.float32))
        for found, state in zip(last, wanted_last, strict=True):
            assert_close(found, state.astype(np.float32))


def weighed(outputs: Any, last: Any) -> jax.Array:
    """A number in which every output and last state weighs differently."""
    random = np.random.default_rng(3)

    def weigh(values: Any) -> jax.Array:
        return jnp.sum(values * random.normal(size=values.shape).astype(np.float32))

    return weigh(outputs) + sum(map(weigh, last))


def losses(given: Case, segments: Any, calls: Any, **fixed: Any) -> tuple[Any, Any]:
    """The same function of all arrays twice: by this twin, and by that of pure JAX."""

    def by_cudnn(arrays: Any, initial: Any) -> jax.Array:
        return weighed(*ours(calls, given, arrays, initial, segments, **fixed))

    def by_xla(arrays: Any, initial: Any) -> jax.Array:
        rest = {**arrays, "recurrent_dropout": None, "segments": segments}
        return weighed(*recurrent(given.gates, initial=initial, **rest, **fixed, twin="xla"))

    return by_cudnn, by_xla


@pytest.mark.parametrize("calls", CALLS)
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_equal_those_of_pure_jax(calls: Any, rows: str, reverse: bool) -> None:
    given = case()
    if ROWS[rows] is not None:
        given.arrays["inputs"][ROWS[rows] == 0] = np.nan
    found, wanted = (
        jax.jit(jax.grad(loss, (0, 1)))(given.arrays, given.initial)
        for loss in losses(given, ROWS[rows], calls, reverse=reverse)
    )
    jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), found, wanted)


@pytest.mark.parametrize("calls", CALLS)
def test_second_derivatives_and_vmap_equal_those_of_pure_jax(calls: Any) -> None:
    given = case()
    twice = jax.tree.map(lambda array: np.stack([array, array / 2]), given.arrays)

    def squared(loss: Any) -> Any:
        def of(arrays: Any) -> Any:
            gradient = jax.grad(loss)(arrays, given.initial)
            return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(gradient))

        return jax.jit(jax.vmap(jax.grad(of)))(twice)

    found, wanted = map(squared, losses(given, SEGMENTS, calls))
    jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), found, wanted)


@pytest.mark.parametrize("calls", CALLS)
def test_narrow_types_keep_states_in_float32(calls: Any) -> None:
    given = case()
    narrow: Any = jax.tree.map(lambda array: jnp.asarray(array, "bfloat16"), given.arrays)
    outputs, last = ours(calls, given, narrow, given.initial, SEGMENTS)
    assert outputs.dtype == "bfloat16"
    assert last[1].dtype == "float32"
    given.arrays = jax.tree.map(lambda array: np.asarray(array, np.float32), narrow)
    wanted, _ = truth.run(given, segments=SEGMENTS)
    assert_close(outputs, wanted.astype(jnp.dtype("bfloat16")))


def test_biases_that_are_not_there_are_zeros() -> None:
    given = case()
    given.arrays.update(bias=None, recurrent_bias=None)
    outputs, _ = ours(REFERENCE, given, given.arrays, given.initial, None)
    given.arrays.update(bias=np.zeros(4 * UNITS), recurrent_bias=np.zeros(4 * UNITS))
    assert_close(outputs, truth.run(given)[0].astype(np.float32))


@pytest.mark.parametrize(
    ("setting", "dtype", "wanted"),
    [
        (None, "float32", "HIGH"),
        ("tensorfloat32", "float32", "HIGH"),
        ("highest", "float32", "HIGHEST"),
        ("float32", "float32", "HIGHEST"),
        ("F32_F32_F32", "float32", "HIGHEST"),
        ("BF16_BF16_F32_X9", "float32", "HIGHEST"),
        ("highest", "bfloat16", "HIGH"),
        ("highest", "float16", "HIGH"),
    ],
)
def test_tf32_is_used_where_products_of_jax_may_use_it(
    setting: Any, dtype: str, wanted: str
) -> None:
    with jax.default_matmul_precision(setting):
        assert cudnn.precision(dtype) == jax.lax.Precision[wanted]


ASKED = Asked(Fixed(LSTMGates()), BATCH, STEPS, FEATURES, UNITS, "float32", "gpu", segments=True)
OUTSIDE: list[tuple[Any, str]] = [
    (replace(ASKED, fixed=Fixed(GRUGates())), "LSTM alone, not GRUGates"),
    (replace(ASKED, fixed=Fixed(PeepholeLSTMGates())), "LSTM alone, not Peephole"),
    (replace(ASKED, fixed=Fixed(LSTMGates(jax.nn.relu))), "activation tanh"),
    (replace(ASKED, fixed=Fixed(LSTMGates(recurrent_activation=jnp.tanh))), "sigmoid alone"),
    (replace(ASKED, fixed=Fixed(LSTMGates(), packed=True)), "packed rows"),
    (replace(ASKED, dropout=True), "no recurrent dropout"),
    (replace(ASKED, dtype="float64"), "the arrays are float64"),
    (replace(ASKED, features=0), "no empty arrays"),
    (replace(ASKED, batch=4096, steps=4096), "32 bits"),
]


class FakeBinding:
    """What JAX's CUDA plugin brings, where a program is made and not run."""

    @staticmethod
    def build_rnn_descriptor(*sizes: Any) -> bytes:
        return b""


@pytest.fixture
def binding(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX's binding to cuDNN: the real one where there is a GPU."""
    if HAS_GPU:
        return
    # A process without the plugin can lower programs for GPUs and not run them: nothing to undo.
    for primitive, lowering in (
        (rnn.rnn_fwd_p, gpu_rnn._rnn_fwd_lowering),
        (rnn.rnn_bwd_p, gpu_rnn._rnn_bwd_lowering),
    ):
        mlir.register_lowering(primitive, partial(lowering, FakeBinding, "cu"), platform="cuda")
    monkeypatch.setattr(gpu_rnn, "_cuda_rnn", FakeBinding)
    sizes = "compute_rnn_workspace_reserve_space_sizes"
    monkeypatch.setattr(gpu_rnn, sizes, lambda *_: (16, 32), raising=False)


@pytest.mark.usefixtures("binding")
def test_what_cudnn_can_run_it_does() -> None:
    assert cudnn.CUDNN.why_not(ASKED) == ""
    assert cudnn.CUDNN.why_not(replace(ASKED, batch=None, dtype="bfloat16")) == ""


@pytest.mark.usefixtures("binding")
@pytest.mark.parametrize(("asked", "reason"), OUTSIDE)
def test_what_it_cannot_run_it_says(asked: Asked, reason: str) -> None:
    assert reason in cudnn.CUDNN.why_not(asked)


@pytest.mark.usefixtures("binding")
def test_sizes_have_to_be_known() -> None:
    (batch,) = jax.export.symbolic_shape("batch")
    assert "all sizes" in cudnn.CUDNN.why_not(replace(ASKED, batch=batch))


@pytest.mark.skipif(HAS_GPU, reason="JAX has its binding to cuDNN here")
def test_without_the_plugin_the_reason_is_that() -> None:
    assert "CUDA plugin" in cudnn.CUDNN.why_not(ASKED)


@pytest.mark.usefixtures("binding")
def test_the_program_of_a_gpu_calls_cudnn_and_that_of_a_cpu_has_the_loop() -> None:
    given = case()
    _, by_xla = losses(given, SEGMENTS, REFERENCE)

    def loss(arrays: Any, initial: Any) -> jax.Array:
        everything = {"initial": initial, "segments": jnp.asarray(SEGMENTS)}
        run = cudnn.CUDNN.run(
            Fixed(given.gates), {**arrays, "recurrent_dropout": None, **everything}
        )
        return weighed(*run)

    traced = jax.jit(jax.grad(loss)).trace(given.arrays, given.initial)
    texts = {
        platform: traced.lower(lowering_platforms=(platform,)).as_text()
        for platform in ("cpu", "cuda")
    }
    for call in ("cudnn_rnn_ffi", "cudnn_rnn_bwd_ffi"):
        assert call in texts["cuda"]
        assert call not in texts["cpu"]
    assert "stablehlo.while" in texts["cpu"]
    assert "stablehlo.while" not in texts["cuda"]
    found = traced.lower().compile()(given.arrays, given.initial)
    wanted = jax.jit(jax.grad(by_xla))(given.arrays, given.initial)
    jax.tree.map(lambda a, b: assert_close(a, b, GRADIENTS), found, wanted)


@pytest.mark.usefixtures("binding")
def test_a_gpu_takes_cudnn_where_it_can_and_the_scan_elsewhere() -> None:
    assert choose(ASKED) == Choice(cudnn.CUDNN, ())
    packed = choose(replace(ASKED, fixed=Fixed(LSTMGates(), packed=True)))
    assert packed.twin.name == "xla"
    assert [name for name, _ in packed.why] == ["cudnn"]


@needs_gpu
def test_a_layer_on_a_gpu_runs_in_cudnn() -> None:
    layer = es.layers.LSTM(UNITS, return_sequences=True)
    inputs = np.ones((BATCH, STEPS, FEATURES), "float32")
    outputs = layer(inputs)
    assert chosen_loop(layer.cell) == ("cudnn", "")
    text = jax.jit(layer).lower(inputs).as_text()
    assert "cudnn_rnn_ffi" in text
    with only("xla"):
        assert_close(outputs, layer(inputs))
