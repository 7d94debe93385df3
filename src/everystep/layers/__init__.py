"""The layers, each its settings, its weights and its equation; `Layer` holds what all share."""

from everystep.core.registry import Catalogue
from everystep.layers import operations
from everystep.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax
from everystep.layers.bidirectional import Bidirectional
from everystep.layers.cells import LSTMCell
from everystep.layers.core import Activation, Dense, Dropout, Embedding
from everystep.layers.einsum import EinsumDense
from everystep.layers.functions import Identity, Lambda, Masking
from everystep.layers.inputs import Input, InputLayer
from everystep.layers.layer import Layer
from everystep.layers.normalization import (
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from everystep.layers.recurrent import LSTM
from everystep.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
)
from everystep.layers.reshaping import Flatten, Reshape
from everystep.layers.spec import InputSpec
from everystep.layers.wrappers import PerStep, TimeDistributed, Wrapper

CATALOGUE = Catalogue(
    "layer",
    "keras.layers",
    [
        Activation,
        ActivityRegularization,
        AlphaDropout,
        Bidirectional,
        Dense,
        Dropout,
        EinsumDense,
        ELU,
        Embedding,
        Flatten,
        GaussianDropout,
        GaussianNoise,
        GroupNormalization,
        Identity,
        InputLayer,
        Lambda,
        LayerNormalization,
        LeakyReLU,
        LSTM,
        LSTMCell,
        Masking,
        PerStep,
        PReLU,
        ReLU,
        Reshape,
        RMSNormalization,
        Softmax,
        SpatialDropout1D,
        TimeDistributed,
        UnitNormalization,
    ],
)

OPERATIONS = operations.CATALOGUE

__all__ = [
    "ELU",
    "LSTM",
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "Bidirectional",
    "Dense",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "PReLU",
    "PerStep",
    "RMSNormalization",
    "ReLU",
    "Reshape",
    "Softmax",
    "SpatialDropout1D",
    "TimeDistributed",
    "UnitNormalization",
    "Wrapper",
]
