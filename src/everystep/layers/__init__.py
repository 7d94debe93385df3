"""The layers, each its settings, its weights and its equation; `Layer` holds what all share."""

from everystep.core.registry import Catalogue
from everystep.layers.bidirectional import Bidirectional
from everystep.layers.cells import LSTMCell
from everystep.layers.core import Activation, Dense, Dropout, Embedding
from everystep.layers.inputs import Input, InputLayer
from everystep.layers.layer import Layer
from everystep.layers.recurrent import LSTM
from everystep.layers.reshaping import Flatten, Reshape
from everystep.layers.spec import InputSpec
from everystep.layers.wrappers import PerStep, TimeDistributed, Wrapper

CATALOGUE = Catalogue(
    "layer",
    "keras.layers",
    [
        Activation,
        Bidirectional,
        Dense,
        Dropout,
        Embedding,
        Flatten,
        InputLayer,
        LSTM,
        LSTMCell,
        PerStep,
        Reshape,
        TimeDistributed,
    ],
)

__all__ = [
    "LSTM",
    "Activation",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Input",
    "InputLayer",
    "InputSpec",
    "LSTMCell",
    "Layer",
    "PerStep",
    "Reshape",
    "TimeDistributed",
    "Wrapper",
]
