"""Convolutions over steps and frames."""

from everystep.layers import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    DepthwiseConv1D,
    SeparableConv1D,
    TimeDistributed,
)
from tests.catalogue.entry import BATCH, DEEP, FEATURES, STEPS, UNITS, Entry

# As many channels as a mask has steps, so that it is the layer that refuses one.
CHANNELS_FIRST = (BATCH, STEPS, 6)

ENTRIES = [
    Entry("Conv1D", lambda: Conv1D(UNITS, 3, padding="same"), reads="beside"),
    Entry("Conv1D of one step", lambda: Conv1D(UNITS, 1), reads=None, least=1, variant=True),
    Entry("Conv1D valid", lambda: Conv1D(UNITS, 2), reads=None, least=2, variant=True),
    Entry(
        "Conv1D causal", lambda: Conv1D(UNITS, 7, padding="causal"), reads="before", variant=True
    ),
    Entry(
        "Conv1D dilated",
        lambda: Conv1D(2 * FEATURES, 2, padding="same", dilation_rate=2, groups=FEATURES),
        reads=None,
        variant=True,
    ),
    Entry(
        "Conv1D with strides",
        lambda: Conv1D(UNITS, 3, strides=2, padding="same", kernel_regularizer="l2"),
        reads=None,
        segments="rows",
    ),
    Entry(
        "Conv1D channels_first",
        lambda: Conv1D(UNITS, 2, data_format="channels_first"),
        CHANNELS_FIRST,
        reads=None,
        segments="refused",
        any_length=False,
        variant=True,
    ),
    Entry(
        "DepthwiseConv1D",
        lambda: DepthwiseConv1D(3, padding="same", depth_multiplier=2),
        reads="beside",
    ),
    Entry(
        "DepthwiseConv1D with strides",
        lambda: DepthwiseConv1D(2, strides=2, padding="same"),
        reads=None,
        segments="rows",
        variant=True,
    ),
    Entry("SeparableConv1D", lambda: SeparableConv1D(UNITS, 3, padding="same"), reads="beside"),
    Entry(
        "SeparableConv1D valid",
        lambda: SeparableConv1D(UNITS, 2, depth_multiplier=2),
        reads=None,
        least=2,
        variant=True,
    ),
    Entry(
        "Conv1DTranspose",
        lambda: Conv1DTranspose(UNITS, 3, strides=2, padding="same"),
        reads=None,
        segments="rows",
    ),
    Entry(
        "Conv1DTranspose valid",
        lambda: Conv1DTranspose(UNITS, 2, dilation_rate=2),
        reads=None,
        segments="rows",
        variant=True,
    ),
    Entry(
        "Conv2D",
        lambda: Conv2D(UNITS, (2, 3), strides=2, padding="same"),
        DEEP,
        reads=None,
        segments="refused",
    ),
    Entry(
        "TimeDistributed Conv2D",
        lambda: TimeDistributed(Conv2D(UNITS, 2)),
        (BATCH, STEPS, 3, 2, FEATURES),
        variant=True,
    ),
]
