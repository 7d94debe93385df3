"""Callbacks: objects whose methods `fit`, `evaluate` and `predict` call between batches and epochs.

Names, hooks and arguments are Keras's. What Keras only warns of is an error here, as early as it is
certain: a measure to watch that is not measured, a mode or a placeholder that does not exist.
"""

from everystep.callbacks.base import Callback, LambdaCallback
from everystep.callbacks.calling import CallbackList
from everystep.callbacks.checkpoint import ModelCheckpoint
from everystep.callbacks.checkpoints import Checkpoints
from everystep.callbacks.finite import FiniteGuard
from everystep.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from everystep.callbacks.recording import CSVLogger, History
from everystep.callbacks.stopping import EarlyStopping, TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "Checkpoints",
    "EarlyStopping",
    "FiniteGuard",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
