"""The recurrent loop, on arrays alone: one entry, one equation a cell, interchangeable twins.

`recurrent` runs any cell whose step is two products and an equation over any rows: plain, padded,
packed, either direction. What differs between an LSTM and a GRU is the equation handed to it
(`gates`, `variants`); what they share is written once. `run_steps` runs any other function of one
step over the same rows.
"""

from everystep.kernels.gates import Gates, GRUGates, LSTMGates, SimpleRNNGates
from everystep.kernels.recurrence import recurrent
from everystep.kernels.stepping import ResetBeforeGRU, run_compiled, run_steps
from everystep.kernels.variants import LayerNormGRUGates, LayerNormLSTMGates, PeepholeLSTMGates

__all__ = [
    "GRUGates",
    "Gates",
    "LSTMGates",
    "LayerNormGRUGates",
    "LayerNormLSTMGates",
    "PeepholeLSTMGates",
    "ResetBeforeGRU",
    "SimpleRNNGates",
    "recurrent",
    "run_compiled",
    "run_steps",
]
