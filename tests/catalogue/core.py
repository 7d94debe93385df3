"""The layers that read each step alone."""

from everystep.layers import Activation, Dense, Dropout, Embedding, InputLayer
from tests.catalogue.entry import BATCH, DEEP, FEATURES, STEPS, UNITS, VOCABULARY, Entry

ENTRIES = [
    Entry("Activation", lambda: Activation("tanh")),
    Entry("Activation softmax", lambda: Activation("softmax"), variant=True),
    Entry("Dense", lambda: Dense(UNITS)),
    Entry("Dense without bias", lambda: Dense(UNITS, use_bias=False), variant=True),
    Entry("Dense on rank 2", lambda: Dense(UNITS), (BATCH, FEATURES), reads=None, variant=True),
    Entry("Dense on rank 4", lambda: Dense(UNITS), DEEP, variant=True),
    Entry(
        "Dense regularized",
        lambda: Dense(
            UNITS, kernel_regularizer="l2", activity_regularizer="l2", kernel_constraint="non_neg"
        ),
    ),
    Entry("Dropout", lambda: Dropout(0.4)),
    Entry(
        "Dropout of whole features",
        lambda: Dropout(0.4, noise_shape=(None, 1, None), seed=3),
        variant=True,
    ),
    Entry("Embedding", lambda: Embedding(VOCABULARY, UNITS), (BATCH, STEPS), ids=True),
    Entry(
        "Embedding mask_zero",
        lambda: Embedding(VOCABULARY, UNITS, mask_zero=True),
        (BATCH, STEPS),
        ids=True,
    ),
    Entry("InputLayer", lambda: InputLayer((None, FEATURES))),
]
