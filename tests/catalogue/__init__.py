"""Every public layer with small settings and a small input, for the laws in `tests/laws`."""

from tests.catalogue import (
    activation_layers,
    attention,
    convolution,
    core,
    crf,
    merging,
    models,
    normalization,
    pooling,
    recurrent,
    regularization,
    reshaping,
    resizing,
    wrappers,
)
from tests.catalogue.entry import BATCH, FEATURES, STEPS, UNITS, VOCABULARY, Entry

ENTRIES = [
    *convolution.ENTRIES,
    *core.ENTRIES,
    *merging.ENTRIES,
    *pooling.ENTRIES,
    *recurrent.ENTRIES,
    *wrappers.ENTRIES,
    *reshaping.ENTRIES,
    *resizing.ENTRIES,
    *normalization.ENTRIES,
    *regularization.ENTRIES,
    *activation_layers.ENTRIES,
    *attention.ENTRIES,
    *crf.ENTRIES,
    *models.ENTRIES,
]

__all__ = ["BATCH", "ENTRIES", "FEATURES", "STEPS", "UNITS", "VOCABULARY", "Entry"]
