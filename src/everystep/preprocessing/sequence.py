"""Sequences padded to one length."""

from everystep.utils import pad_sequences

__all__ = ["pad_sequences"]
