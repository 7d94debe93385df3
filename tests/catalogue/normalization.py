"""The layers that normalize."""

from everystep.layers import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from tests.catalogue.entry import DEEP, Entry

ENTRIES = [
    Entry("BatchNormalization", BatchNormalization),
    Entry(
        "BatchNormalization of each step",
        lambda: BatchNormalization(1, center=False),
        segments="rows",
        any_length=False,
        variant=True,
    ),
    Entry("BatchNormalization renorm", lambda: BatchNormalization(renorm=True), variant=True),
    Entry("LayerNormalization", LayerNormalization),
    Entry(
        "LayerNormalization over steps",
        lambda: LayerNormalization(axis=[1, 2]),
        reads="all",
        any_length=False,
        segments="rows",
        variant=True,
    ),
    Entry(
        "LayerNormalization over steps without weights",
        lambda: LayerNormalization(axis=1, center=False, scale=False),
        reads="all",
        variant=True,
    ),
    Entry("GroupNormalization", lambda: GroupNormalization(3), DEEP, reads="all"),
    Entry(
        "GroupNormalization of channels", lambda: GroupNormalization(-1), reads="all", variant=True
    ),
    Entry("RMSNormalization", RMSNormalization),
    Entry("UnitNormalization", UnitNormalization),
    Entry(
        "UnitNormalization over steps", lambda: UnitNormalization([1, 2]), reads="all", variant=True
    ),
]
