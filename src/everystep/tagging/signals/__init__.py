"""Labelling of the steps of signals: windows, scales, networks, and signals that have no end."""

from everystep.tagging.signals.live import LiveSignal
from everystep.tagging.signals.settings import SignalSettings
from everystep.tagging.signals.tagger import SignalTagger

__all__ = ["LiveSignal", "SignalSettings", "SignalTagger"]
