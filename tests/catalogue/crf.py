"""Labels of whole sequences."""

import numpy as np

from everystep.layers import CRF
from tests.catalogue.entry import FEATURES, Entry

# After label 1 comes no label 2, and a sequence does not end with label 0.
FORBIDDEN = np.zeros((FEATURES + 1, FEATURES + 1), bool)
FORBIDDEN[1, 2] = FORBIDDEN[0, FEATURES] = True

ENTRIES = [
    Entry(
        "CRF",
        lambda: CRF(FEATURES, FORBIDDEN, "marginals", transitions_regularizer="l2"),
        reads="all",
    ),
    # A label is one among zeros: a change of what it is made of need not show.
    Entry("CRF labels", lambda: CRF(FEATURES), reads=None, variant=True),
]
