"""The layers that apply another layer to every step."""

from tests.differential.space import FRAMES, TIME_MASKS, UNITS, Of, Space

SPACES = [
    Space(
        "TimeDistributed",
        {
            "layer": [
                Of("Dense", UNITS, activation="tanh"),
                Of("Flatten"),
                Of("LayerNormalization"),
                Of("Conv1D", 2, 3),
                Of("GlobalMaxPooling1D"),
                Of("BatchNormalization"),
            ]
        },
        shapes=[FRAMES],
    ),
    Space("TimeDistributed", {"layer": [Of("Dense", UNITS)]}, masks=TIME_MASKS),
    Space(
        "TimeDistributed",
        {"layer": [Of("LSTM", UNITS), Of("GRU", UNITS, return_sequences=True)]},
        shapes=[FRAMES],
        gradients=10,
        compiled=True,
    ),
]
