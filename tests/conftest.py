"""Settings that must stand before any test imports what they govern."""

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
