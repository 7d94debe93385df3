"""Training: from arrays or lists to batches, the jitted step, the loop over epochs, progress."""

from everystep.training.trainer import Trainer

__all__ = ["Trainer"]
