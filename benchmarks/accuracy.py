"""How long does a tagger take from the start of its process to a given accuracy on dev?

English web text, parts of speech: our default tagger, and the same model as users of Keras and of
torch write it. Everything counts: imports, reading, compiling, and measuring dev after each epoch.
`--json` keeps the curves, and the seconds of all cores, which tell more on a busy machine.
"""

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks import _peers
from benchmarks._accuracy import data
from benchmarks._question import Peer, Question, Sizes, Work


def _trained(peer: str, sizes: Sizes) -> Work:
    """A training in a fresh process, until it is good enough or out of time."""

    def run() -> dict[str, Any]:
        command = [sys.executable, "-m", "benchmarks._accuracy", peer, json.dumps(dict(sizes))]
        done = subprocess.run(
            [*command, str(time.time())], stdout=subprocess.PIPE, check=True, text=True
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return Work(run, comparable=lambda found: np.array([found["reached"]]), facts=dict)


def everystep(sizes: Sizes) -> Work:
    """Our tagger."""
    return _trained("with_everystep", sizes)


def keras(sizes: Sizes) -> Work:
    """Keras, on the backend that its process was given."""
    return _trained("with_keras", sizes)


def torch(sizes: Sizes) -> Work:
    """Torch."""
    return _trained("with_torch", sizes)


def _needs() -> str:
    absent = [path for path in data.paths(CASE) if not path.exists()]
    return f"the corpus is not at {absent[0]}" if absent else ""


CASE: dict[str, int | str] = {
    "target": "0.94",
    "minutes": 15,
    "corpus": "../shared/data/UD_English-EWT",
    "sentences": 20_000,
    "embedding": 100,
    "character_embedding": 48,
    "character_units": 64,
    "spelling": 16,
    "units": 200,
    "batch_size": 64,
    "epochs": 10,
}

QUESTION = Question(
    name="accuracy",
    text=__doc__.partition("\n")[0],
    peers=(
        *_peers.ours("benchmarks.accuracy:everystep", twins=False),
        Peer("torch", "benchmarks.accuracy:torch", requires=("torch",)),
        *_peers.keras("benchmarks.accuracy:keras"),
        Peer(
            "Keras on JAX, TimeDistributed",
            "benchmarks.accuracy:keras",
            {"KERAS_BACKEND": "jax"},
            ("keras",),
            {"way": "wrapped"},
        ),
    ),
    cases=({**CASE, "target": "0.90"}, CASE),
    once=True,
    quick={
        "target": "0.0",
        "sentences": 20,
        "embedding": 4,
        "character_embedding": 3,
        "character_units": 5,
        "spelling": 6,
        "units": 7,
        "batch_size": 8,
        "epochs": 1,
    },
    needs=_needs,
)
