"""The recurrent loop, on arrays alone: one entry, one equation a cell, interchangeable twins.

`recurrent` runs any cell over any rows: plain, padded, packed, either direction. What differs
between an LSTM and a GRU is the equation handed to it (`gates`); what they share is written once.
"""

from everystep.kernels.gates import Gates, GRUGates, LSTMGates, SimpleRNNGates
from everystep.kernels.recurrence import recurrent

__all__ = ["GRUGates", "Gates", "LSTMGates", "SimpleRNNGates", "recurrent"]
