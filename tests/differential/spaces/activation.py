"""Activation functions, as layers and by name."""

from tests.differential.space import SEQUENCES, TIME_MASKS, VECTORS, Space

# Without sparsemax: that of Keras does not sum to one. Without threshold: it has no defaults.
NAMES = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "tanh",
    "tanh_shrink",
]

SPACES = [
    *(Space("Activation", {"activation": NAMES[start::3]}) for start in range(3)),
    Space(
        "ReLU",
        {"max_value": [None, 0.5], "negative_slope": [0.0, 0.2], "threshold": [0.0, 0.3]},
        masks=TIME_MASKS,
    ),
    Space("LeakyReLU", {"negative_slope": [0.3, 0.0]}, masks=TIME_MASKS),
    Space("ELU", {"alpha": [1.0, 0.5]}, masks=TIME_MASKS),
    Space("PReLU", {"shared_axes": [[1]]}, masks=TIME_MASKS),
    Space("PReLU", {"shared_axes": [None, [1, 2]]}),
    Space("Softmax", {"axis": [-1]}, shapes=[SEQUENCES, VECTORS]),
    Space("Softmax", {"axis": [1, [1, 2]]}),
]
