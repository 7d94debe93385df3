"""The layers, each its settings, its weights and its equation; `Layer` holds what all share."""

from everystep.core.registry import Catalogue
from everystep.layers import operations
from everystep.layers.bidirectional import Bidirectional
from everystep.layers.cells import LSTMCell
from everystep.layers.core import Activation, Dense, Dropout, Embedding
from everystep.layers.einsum import EinsumDense
from everystep.layers.functions import Identity, Lambda, Masking
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
        EinsumDense,
        Embedding,
        Flatten,
        Identity,
        InputLayer,
        LSTM,
        LSTMCell,
        Lambda,
        Masking,
        PerStep,
        Reshape,
        TimeDistributed,
    ],
)

OPERATIONS = operations.CATALOGUE

__all__ = [
    "LSTM",
    "Activation",
    "Bidirectional",
    "Dense",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "LSTMCell",
    "Lambda",
    "Layer",
    "Masking",
    "PerStep",
    "Reshape",
    "TimeDistributed",
    "Wrapper",
]
