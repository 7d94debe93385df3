"""The recurrent loop, on arrays alone: one entry, one equation a cell, interchangeable twins.

`recurrent` runs any cell whose step is two products and an equation over any rows: plain, padded,
packed, either direction. What differs between an LSTM and a GRU is the equation handed to it
(`gates`, `variants`); what they share is written once. Which of its twins runs it is said in
`twins`. `run_steps` runs any other function of one step over the same rows. `product`,
`contract` and `convolution` are those of all layers that multiply steps by weights, or by each
other.
"""

from everystep.kernels.asked import Asked, Fixed
from everystep.kernels.convolutions import convolution
from everystep.kernels.gates import Gates, GRUGates, LSTMGates, SimpleRNNGates
from everystep.kernels.products import contract, product
from everystep.kernels.recurrence import recurrent
from everystep.kernels.reset_before import ResetBeforeGRU
from everystep.kernels.stepping import run_steps
from everystep.kernels.twins import choose, only
from everystep.kernels.variants import LayerNormGRUGates, LayerNormLSTMGates, PeepholeLSTMGates

__all__ = [
    "Asked",
    "Fixed",
    "GRUGates",
    "Gates",
    "LSTMGates",
    "LayerNormGRUGates",
    "LayerNormLSTMGates",
    "PeepholeLSTMGates",
    "ResetBeforeGRU",
    "SimpleRNNGates",
    "choose",
    "contract",
    "convolution",
    "only",
    "product",
    "recurrent",
    "run_steps",
]
