"""The layers, each its settings, its weights and its equation; `Layer` holds what all share."""

from everystep.core.registry import Catalogue
from everystep.layers import operations
from everystep.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax
from everystep.layers.batch_normalization import BatchNormalization
from everystep.layers.bidirectional import Bidirectional
from everystep.layers.cells import LSTMCell
from everystep.layers.core import Activation, Dense, Dropout, Embedding
from everystep.layers.einsum import EinsumDense
from everystep.layers.functions import Identity, Lambda, Masking
from everystep.layers.inputs import Input, InputLayer
from everystep.layers.joining import Concatenate, Dot, concatenate, dot
from everystep.layers.layer import Layer
from everystep.layers.merging import (
    Add,
    Average,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    maximum,
    minimum,
    multiply,
    subtract,
)
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
        Add,
        AlphaDropout,
        Average,
        BatchNormalization,
        Bidirectional,
        Concatenate,
        Dense,
        Dot,
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
        Maximum,
        Minimum,
        Multiply,
        PerStep,
        PReLU,
        ReLU,
        Reshape,
        RMSNormalization,
        Softmax,
        SpatialDropout1D,
        Subtract,
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
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Dense",
    "Dot",
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
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "PerStep",
    "RMSNormalization",
    "ReLU",
    "Reshape",
    "Softmax",
    "SpatialDropout1D",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "Wrapper",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
