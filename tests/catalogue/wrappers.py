"""The layers that apply another layer to every step."""

from everystep.layers import (
    LSTM,
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    PerStep,
    SpectralNormalization,
    TimeDistributed,
)
from everystep.models import Sequential
from tests.catalogue.entry import DEEP, UNITS, Entry

ENTRIES = [
    Entry("TimeDistributed Dense", lambda: TimeDistributed(Dense(UNITS))),
    Entry("TimeDistributed Flatten", lambda: TimeDistributed(Flatten()), DEEP, variant=True),
    Entry("TimeDistributed LSTM", lambda: TimeDistributed(LSTM(UNITS)), DEEP),
    Entry(
        "TimeDistributed BatchNormalization",
        lambda: TimeDistributed(BatchNormalization()),
        variant=True,
    ),
    Entry("TimeDistributed Dropout", lambda: TimeDistributed(Dropout(0.4)), variant=True),
    Entry(
        "TimeDistributed Sequential",
        lambda: TimeDistributed(Sequential([Dense(6, activation="tanh"), Dense(UNITS)])),
        variant=True,
    ),
    Entry("SpectralNormalization", lambda: SpectralNormalization(Dense(UNITS))),
    Entry("PerStep Dense", lambda: PerStep(Dense(UNITS)), segments="rows", any_length=False),
    Entry(
        "PerStep LSTM",
        lambda: PerStep(LSTM(UNITS)),
        DEEP,
        segments="rows",
        any_length=False,
        variant=True,
    ),
    Entry("PerStep Dropout", lambda: PerStep(Dropout(0.4)), segments="rows", any_length=False),
]
