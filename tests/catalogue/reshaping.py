"""The layers that change what a step is."""

from everystep.layers import Flatten, Permute, RepeatVector, Reshape
from tests.catalogue.entry import BATCH, DEEP, FEATURES, STEPS, Entry

ENTRIES = [
    Entry("Flatten", Flatten, segments="refused", reads=None),
    Entry(
        "Flatten channels_first",
        lambda: Flatten("channels_first"),
        DEEP,
        False,
        None,
        "refused",
        variant=True,
    ),
    Entry(
        "Reshape",
        lambda: Reshape((FEATURES, STEPS)),
        segments="refused",
        reads=None,
        any_length=False,
    ),
    Entry("Reshape -1", lambda: Reshape((-1, 1)), segments="refused", reads=None),
    Entry("Reshape of each step", lambda: Reshape((-1, 1, FEATURES)), reads=None, variant=True),
    Entry("Permute", lambda: Permute((2, 1)), segments="refused", reads=None),
    Entry("Permute of each step", lambda: Permute((1, 3, 2)), DEEP, reads=None, variant=True),
    Entry(
        "RepeatVector",
        lambda: RepeatVector(STEPS),
        (BATCH, FEATURES),
        segments="refused",
        reads=None,
    ),
]
