"""Signals with a label for each step: read from files, cut into windows, joined again."""

from everystep.corpora.signals.csv_files import (
    IGNORE,
    csv_channels,
    csv_header,
    csv_text,
    read_csv_signals,
)
from everystep.corpora.signals.csv_steps import CsvStep, read_csv_steps
from everystep.corpora.signals.numpy_files import read_numpy_signals
from everystep.corpora.signals.signal import Signal
from everystep.corpora.signals.windows import JOINS, Windows

__all__ = [
    "IGNORE",
    "JOINS",
    "CsvStep",
    "Signal",
    "Windows",
    "csv_channels",
    "csv_header",
    "csv_text",
    "read_csv_signals",
    "read_csv_steps",
    "read_numpy_signals",
]
