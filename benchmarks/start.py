"""How long does an import take, in a process of its own?"""

import subprocess
import sys
from collections.abc import Callable

from benchmarks._question import Peer, Question, Sizes


def _import(*modules: str) -> Callable[[], None]:
    def work() -> None:
        subprocess.run([sys.executable, "-c", f"import {', '.join(modules)}"], check=True)

    return work


def everystep(_: Sizes) -> Callable[[], None]:
    """Ours, with everything that a model needs: `import everystep` alone waits until it is used."""
    return _import("everystep", "everystep.models")


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
        Peer("everystep.models", "benchmarks.start:everystep"),
        Peer("jax", "benchmarks.start:jax"),
        Peer("keras", "benchmarks.start:keras", {"KERAS_BACKEND": "jax"}, ("keras",)),
    ),
    cases=({"what": "import"},),
)
