"""Sequence layers on JAX with the Keras layer API, which can explain what they do to every step.

The names of Keras stand where Keras has them: `everystep.layers`, `everystep.models`,
`everystep.losses` and so on. What Keras does not have stands here: `pack` and `Steps` for sequences
of different lengths, `apply` for a model as a pure function.
"""

from everystep import (
    activations,
    callbacks,
    constraints,
    errors,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    saving,
    utils,
)
from everystep.core import Variable
from everystep.layers import Input
from everystep.layers.apply import apply, weights_of
from everystep.layers.symbolic import KerasTensor
from everystep.models import Model, Sequential, load_model
from everystep.sequences import Steps, pack

__version__ = "0.1.0"

__all__ = [
    "Input",
    "KerasTensor",
    "Model",
    "Sequential",
    "Steps",
    "Variable",
    "activations",
    "apply",
    "callbacks",
    "constraints",
    "errors",
    "initializers",
    "layers",
    "load_model",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "pack",
    "regularizers",
    "saving",
    "utils",
    "weights_of",
]
