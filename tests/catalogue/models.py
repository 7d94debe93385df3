"""Models, which are layers too."""

from typing import Any

import numpy as np

from everystep.layers import LSTM, Dense, Dropout, Embedding, Input
from everystep.models import Model, Sequential
from tests.catalogue.entry import BATCH, FEATURES, STEPS, UNITS, VOCABULARY, Entry


def residual_tagger() -> Any:
    """A graph with operators on symbols, in which two ways of one sequence meet."""
    ids = Input((None,), dtype="int32")
    words = Embedding(VOCABULARY, UNITS, mask_zero=True)(ids)
    read = LSTM(UNITS, return_sequences=True)(words)
    return Model(ids, Dense(FEATURES)(0.5 * words + read) @ np.ones((FEATURES, 2), "float32"))


ENTRIES = [
    Entry("Functional", residual_tagger, (BATCH, STEPS), ids=True, reads="before"),
    Entry(
        "Sequential tagger",
        lambda: Sequential(
            [
                Embedding(VOCABULARY, 6, mask_zero=True),
                LSTM(UNITS, return_sequences=True),
                Dropout(0.2),
                Dense(FEATURES),
            ]
        ),
        (BATCH, STEPS),
        ids=True,
        reads="before",
    ),
]
