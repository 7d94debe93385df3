"""How long does an import take, in a process of its own?"""

import subprocess
import sys
from collections.abc import Callable

from benchmarks._question import Peer, Question, Sizes


def _import(module: str) -> Callable[[], None]:
    def work() -> None:
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)

    return work


def everystep(_: Sizes) -> Callable[[], None]:
    """Ours."""
    return _import("everystep")


def jax(_: Sizes) -> Callable[[], None]:
    """JAX, which ours imports."""
    return _import("jax")


def keras(_: Sizes) -> Callable[[], None]:
    """Keras on JAX."""
    return _import("keras")


QUESTION = Question(
    name="start",
    text=__doc__,
    peers=(
        Peer("import everystep", "benchmarks.start:everystep"),
        Peer("import jax", "benchmarks.start:jax"),
        Peer("import keras", "benchmarks.start:keras", {"KERAS_BACKEND": "jax"}, ("keras",)),
    ),
    cases=({"what": "import"},),
)
