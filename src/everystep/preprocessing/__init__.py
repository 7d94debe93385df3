"""Keras's older path to the padding of sequences."""

from everystep.preprocessing import sequence

__all__ = ["sequence"]
