"""Settings that must stand before any test imports what they govern, and memory between tests."""

import itertools
import os
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Keras reads its backend once, on import; its numbers are compared with ours on the same one.
os.environ.setdefault("KERAS_BACKEND", "jax")
# Compiling programs takes nearly all of the tests' time, running them hardly any: so the compiler
# optimizes little, and what it has compiled once is kept, for other tests and for the next run.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

import jax  # noqa: E402

# JAX holds on to every program, and the more it holds the longer the next one takes: after two
# thousand, twice as long as at first.
TESTS_BETWEEN_CLEARING = 50
_since_clearing = itertools.count(1)


def pytest_runtest_teardown() -> None:
    """Let go of the programs of earlier tests, every so often."""
    if next(_since_clearing) % TESTS_BETWEEN_CLEARING == 0:
        jax.clear_caches()  # type: ignore[no-untyped-call]
