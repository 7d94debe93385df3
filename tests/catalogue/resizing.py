"""The layers that cut off, add or repeat steps and pixels."""

from everystep.layers import (
    Cropping1D,
    Cropping2D,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from tests.catalogue.entry import DEEP, Entry

ENTRIES = [
    Entry("Cropping1D", lambda: Cropping1D((1, 2)), reads=None, segments="rows", least=4),
    Entry(
        "Cropping2D", lambda: Cropping2D((1, (0, 2))), DEEP, reads=None, segments="refused", least=3
    ),
    Entry("ZeroPadding1D", lambda: ZeroPadding1D((1, 2)), reads=None, segments="rows"),
    Entry(
        "ZeroPadding2D", lambda: ZeroPadding2D(((1, 0), 2)), DEEP, reads=None, segments="refused"
    ),
    Entry("UpSampling1D", lambda: UpSampling1D(3), reads=None),
    Entry("UpSampling2D", lambda: UpSampling2D((1, 2)), DEEP, reads=None, segments="refused"),
    Entry(
        "UpSampling2D bilinear",
        lambda: UpSampling2D(interpolation="bilinear"),
        DEEP,
        reads=None,
        segments="refused",
        variant=True,
    ),
]
