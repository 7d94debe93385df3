"""Sequence layers on JAX with the Keras layer API, which can explain what they do to every step.

The names of Keras stand where Keras has them: `everystep.layers`, `everystep.models`,
`everystep.losses` and so on. What Keras does not have stands here: `pack` and `Steps` for sequences
of different lengths, `apply` for a model as a pure function, `explain` for what it does to steps,
`relation` and `compare` for what several models are to each other.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from everystep import (
        activations,
        backend,
        callbacks,
        config,
        constraints,
        corpora,
        dtype_policies,
        errors,
        initializers,
        layers,
        losses,
        metrics,
        mixed_precision,
        models,
        optimizers,
        preprocessing,
        random,
        regularizers,
        saving,
        utils,
    )
    from everystep.core import DTypePolicy, Variable
    from everystep.dtype_policies import FloatDTypePolicy
    from everystep.explanation.asserting import assert_causal, assert_stepwise
    from everystep.explanation.comparing import Comparison, compare
    from everystep.explanation.explaining import explain
    from everystep.explanation.explanation import Explanation
    from everystep.explanation.relation import relation
    from everystep.initializers import Initializer
    from everystep.layers import Input, InputSpec, Layer
    from everystep.layers.apply import apply, weights_of
    from everystep.layers.symbols import KerasTensor
    from everystep.losses import Loss
    from everystep.metrics import Metric
    from everystep.models import Model, Sequential, from_keras, load_model
    from everystep.optimizers import Optimizer
    from everystep.regularizers import Regularizer
    from everystep.sequences import Steps, pack
    from everystep.tagging import SignalTagger, Tagger

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "DTypePolicy",
    "Explanation",
    "FloatDTypePolicy",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "SignalTagger",
    "Steps",
    "Tagger",
    "Variable",
    "activations",
    "apply",
    "assert_causal",
    "assert_stepwise",
    "backend",
    "callbacks",
    "compare",
    "config",
    "constraints",
    "corpora",
    "dtype_policies",
    "errors",
    "explain",
    "from_keras",
    "initializers",
    "layers",
    "load_model",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "optimizers",
    "pack",
    "preprocessing",
    "random",
    "regularizers",
    "relation",
    "saving",
    "utils",
    "weights_of",
]

# Where a name stands that is not a module of its own.
_HOMES = {
    "Comparison": "explanation.comparing",
    "DTypePolicy": "core",
    "Explanation": "explanation.explanation",
    "FloatDTypePolicy": "dtype_policies",
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "layers.symbols",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "SignalTagger": "tagging",
    "Steps": "sequences",
    "Tagger": "tagging",
    # Not `core`: a variable may be made from the name of an initializer, so those must be known.
    "Variable": "layers.weights",
    "apply": "layers.apply",
    "assert_causal": "explanation.asserting",
    "assert_stepwise": "explanation.asserting",
    "compare": "explanation.comparing",
    "explain": "explanation.explaining",
    "from_keras": "models",
    "load_model": "models",
    "pack": "sequences",
    "relation": "explanation.relation",
    "weights_of": "layers.apply",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is, so that `everystep --help` waits for nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'everystep' has no attribute {name!r}")
    home = importlib.import_module(f"everystep.{_HOMES.get(name, name)}")
    value = globals()[name] = getattr(home, name) if name in _HOMES else home
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
