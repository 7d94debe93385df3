"""Settings that must stand before any test imports what they govern, and memory between tests."""

import gc
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

# Keras reads its backend once, on import; its numbers are compared with ours on the same one.
os.environ.setdefault("KERAS_BACKEND", "jax")
# Compiling programs takes nearly all of the tests' time, running them hardly any: so the compiler
# optimizes little, does without the emitters of fused loops, which alone take half of its time, and
# what it has compiled once is kept, for other tests and for the next run.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
)
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
# Processes that test side by side share a GPU; each would else take most of its memory at once.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax  # noqa: E402
from jax._src.interpreters import mlir  # noqa: E402
from jaxlib.mlir import ir  # noqa: E402

from tests.keras_weights import draw_by_numpy  # noqa: E402

if jax.default_backend() == "gpu":
    # Else products round their factors to 10 bits, and the tolerances are made for 23.
    jax.config.update("jax_default_matmul_precision", "highest")  # type: ignore[no-untyped-call]

# Each program would else be lowered in an MLIR context of its own, with all dialects loaded anew: a
# quarter of the tests' time. One context serves many, and what it has collected goes with it. A
# program that is lowered in the middle of another one needs its own.
PROGRAMS_A_CONTEXT = 200
_lowered = itertools.count()
_contexts: list[Any] = []
_make_context = mlir.make_ir_context


def _shared_context() -> Any:
    if _is_lowering():
        return _make_context()
    if next(_lowered) % PROGRAMS_A_CONTEXT == 0:
        _contexts[:] = [_make_context()]
    return _contexts[0]


def _is_lowering() -> bool:
    try:
        return ir.Context.current is not None
    except ValueError:
        return False


mlir.make_ir_context = _shared_context

# JAX holds on to every program, and the more it holds the longer the next one takes: after two
# thousand, twice as long as at first.
TESTS_BETWEEN_CLEARING = 400
_since_clearing = itertools.count(1)


def pytest_report_header() -> str:
    """Say where JAX computes: without a GPU, the tests that need one are skipped."""
    return f"JAX computes on: {', '.join(sorted({each.device_kind for each in jax.devices()}))}"


def pytest_collection_finish() -> None:
    """Prepare what the modules of the tests have brought along."""
    if "keras" in sys.modules:
        draw_by_numpy()
    # It stays to the end. To look through all of it, as tracing sets off often, took a twentieth of
    # the tests' time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def pytest_runtest_teardown() -> None:
    """Let go of the programs of earlier tests, every so often."""
    if next(_since_clearing) % TESTS_BETWEEN_CLEARING == 0:
        jax.clear_caches()  # type: ignore[no-untyped-call]


@pytest.fixture
def on_a_cpu() -> Iterator[None]:
    """The device of the native twin, also where JAX would take another one."""
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        yield
