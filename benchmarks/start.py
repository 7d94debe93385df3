"""How long does it take in a fresh process: an import, and a first step of training?"""

import subprocess
import sys
from collections.abc import Callable

from benchmarks import _peers, tagger
from benchmarks._question import Peer, Question, Sizes
from benchmarks._taggers import TRAIN

IMPORT, STEP = "import", "import, build and train one step"


def _in_fresh_process(code: str) -> Callable[[], None]:
    def work() -> None:
        subprocess.run([sys.executable, "-c", code], check=True)

    return work


def _started(sizes: Sizes, modules: str, peer: str) -> Callable[[], None]:
    """An import, or a whole first step of the tagger."""
    if sizes["what"] == IMPORT:
        return _in_fresh_process(f"import {modules}")
    own = {**dict(tagger.QUESTION.cases[0]), **sizes, "task": TRAIN}
    return _in_fresh_process(f"from benchmarks import tagger; tagger.{peer}({own!r})()")


def everystep(sizes: Sizes) -> Callable[[], None]:
    """Ours, with everything that a model needs: `import everystep` alone waits until it is used."""
    return _started(sizes, "everystep, everystep.models", "everystep")


def jax(_: Sizes) -> Callable[[], None]:
    """JAX, which ours imports."""
    return _in_fresh_process("import jax")


def keras(sizes: Sizes) -> Callable[[], None]:
    """Keras, on the backend that its process was given."""
    return _started(sizes, "keras", "keras")


def torch(sizes: Sizes) -> Callable[[], None]:
    """Torch."""
    return _started(sizes, "torch", "torch")


QUESTION = Question(
    name="start",
    text=__doc__,
    peers=(
        *_peers.ours("benchmarks.start:everystep"),
        Peer("jax", "benchmarks.start:jax", can=lambda sizes: sizes["what"] == IMPORT),
        *_peers.keras("benchmarks.start:keras"),
        Peer("torch", "benchmarks.start:torch", requires=("torch",)),
    ),
    cases=({"what": IMPORT}, {"what": STEP}),
    warm=False,
    quick={"batch": 2, "steps": 3, "vocabulary": 9, "features": 4, "units": 8, "labels": 3},
)
