"""The layers that add noise or a penalty."""

from everystep.layers import (
    ActivityRegularization,
    AlphaDropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
)
from tests.catalogue.entry import DEEP, Entry

ENTRIES = [
    Entry("ActivityRegularization", lambda: ActivityRegularization(0.1, 0.2)),
    Entry("AlphaDropout", lambda: AlphaDropout(0.4)),
    Entry("GaussianDropout", lambda: GaussianDropout(0.4)),
    Entry("GaussianNoise", lambda: GaussianNoise(0.4)),
    Entry("SpatialDropout1D", lambda: SpatialDropout1D(0.4)),
    Entry("SpatialDropout2D", lambda: SpatialDropout2D(0.4), DEEP),
]
