"""What does bfloat16 gain over float32, here and in torch?"""

from benchmarks._layers.spec import Spec, cases
from benchmarks._peers import DOUBLE, XLA
from benchmarks._question import Peer, Question

OURS, TORCH = "benchmarks._layers.ours:recurrent", "benchmarks._layers.with_torch:recurrent"
WIDE = {"dtype": "float32"}

QUESTION = Question(
    name="bfloat16",
    text=__doc__,
    peers=(
        Peer("everystep", OURS),
        Peer("everystep float32", OURS, settings=WIDE),
        Peer("everystep xla", OURS, XLA),
        Peer(
            "Keras on JAX",
            "benchmarks._layers.with_keras:recurrent",
            {"KERAS_BACKEND": "jax"},
            ("keras",),
        ),
        Peer("torch", TORCH, requires=("torch",)),
        Peer("torch float32", TORCH, requires=("torch",), settings=WIDE),
    ),
    cases=cases(dtype="bfloat16"),
    flops=lambda sizes: Spec.of(sizes).flops,
    reference=DOUBLE,
    tolerance=3e-2,
    quick={"batch": 2, "steps": 3, "features": 4, "units": 8},
)
