"""The layers that change what a step is."""

from everystep.layers import Flatten, Reshape
from tests.catalogue.entry import DEEP, FEATURES, STEPS, Entry

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
]
