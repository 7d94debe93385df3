"""The layers, each its settings, its weights and its equation; `Layer` holds what all share."""

from everystep.core.registry import Catalogue
from everystep.layers import operations
from everystep.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax
from everystep.layers.attention import AdditiveAttention, Attention
from everystep.layers.batch_normalization import BatchNormalization
from everystep.layers.bidirectional import Bidirectional
from everystep.layers.cell_variants import (
    LayerNormGRUCell,
    LayerNormLSTMCell,
    PeepholeLSTMCell,
)
from everystep.layers.configurations import deserialize, serialize
from everystep.layers.convolution import Conv1D, Conv2D
from everystep.layers.core import Activation, Dense, Dropout, Embedding
from everystep.layers.crf import CRF
from everystep.layers.depthwise import DepthwiseConv1D, SeparableConv1D
from everystep.layers.einsum import EinsumDense
from everystep.layers.functions import Identity, Lambda, Masking
from everystep.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
)
from everystep.layers.gru import GRU, GRUCell
from everystep.layers.inputs import Input, InputLayer
from everystep.layers.joining import Concatenate, Dot, concatenate, dot
from everystep.layers.layer import Layer
from everystep.layers.lstm import LSTM, LSTMCell
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
from everystep.layers.multi_head import GroupedQueryAttention, MultiHeadAttention
from everystep.layers.normalization import (
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from everystep.layers.pooling import AveragePooling1D, AveragePooling2D, MaxPooling1D, MaxPooling2D
from everystep.layers.recurrent import RNN
from everystep.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
)
from everystep.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from everystep.layers.resizing import (
    Cropping1D,
    Cropping2D,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from everystep.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from everystep.layers.span_labels import forbidden_transitions
from everystep.layers.spec import InputSpec
from everystep.layers.spectral_normalization import SpectralNormalization
from everystep.layers.stacked_cells import StackedRNNCells
from everystep.layers.transposed import Conv1DTranspose
from everystep.layers.wrappers import PerStep, TimeDistributed, Wrapper

CATALOGUE = Catalogue(
    "layer",
    "keras.layers",
    [
        Activation,
        ActivityRegularization,
        Add,
        AdditiveAttention,
        AlphaDropout,
        Attention,
        Average,
        AveragePooling1D,
        AveragePooling2D,
        BatchNormalization,
        Bidirectional,
        Concatenate,
        CRF,
        Conv1D,
        Conv1DTranspose,
        Conv2D,
        Cropping1D,
        Cropping2D,
        Dense,
        DepthwiseConv1D,
        Dot,
        Dropout,
        EinsumDense,
        ELU,
        Embedding,
        Flatten,
        GaussianDropout,
        GaussianNoise,
        GlobalAveragePooling1D,
        GlobalAveragePooling2D,
        GlobalMaxPooling1D,
        GlobalMaxPooling2D,
        GroupNormalization,
        GRU,
        GRUCell,
        Identity,
        InputLayer,
        Lambda,
        LayerNormalization,
        LayerNormGRUCell,
        LayerNormLSTMCell,
        LeakyReLU,
        LSTM,
        LSTMCell,
        Masking,
        Maximum,
        MaxPooling1D,
        MaxPooling2D,
        Minimum,
        MultiHeadAttention,
        Multiply,
        PeepholeLSTMCell,
        Permute,
        PerStep,
        PReLU,
        ReLU,
        RepeatVector,
        Reshape,
        RMSNormalization,
        RNN,
        SeparableConv1D,
        SimpleRNN,
        SimpleRNNCell,
        Softmax,
        SpatialDropout1D,
        SpatialDropout2D,
        SpectralNormalization,
        StackedRNNCells,
        Subtract,
        TimeDistributed,
        UnitNormalization,
        UpSampling1D,
        UpSampling2D,
        ZeroPadding1D,
        ZeroPadding2D,
    ],
    renamed={"GroupQueryAttention": GroupedQueryAttention},
)

# As in Keras, where the class has a longer name than the public one.
GroupQueryAttention = GroupedQueryAttention
OPERATIONS = operations.CATALOGUE

# Keras's other names for the same layers.
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
SeparableConvolution1D = SeparableConv1D

__all__ = [
    "CRF",
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Cropping1D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv1D",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "GroupQueryAttention",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormGRUCell",
    "LayerNormLSTMCell",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "PeepholeLSTMCell",
    "PerStep",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SeparableConv1D",
    "SeparableConvolution1D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpectralNormalization",
    "StackedRNNCells",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "forbidden_transitions",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
