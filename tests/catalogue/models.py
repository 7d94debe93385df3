"""Models, which are layers too."""

from everystep.layers import LSTM, Dense, Dropout, Embedding
from everystep.models import Sequential
from tests.catalogue.entry import BATCH, FEATURES, STEPS, UNITS, VOCABULARY, Entry

ENTRIES = [
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
