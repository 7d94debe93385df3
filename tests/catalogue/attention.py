"""Layers in which steps read other steps."""

from collections.abc import Callable
from typing import Any

from everystep.layers import (
    AdditiveAttention,
    Attention,
    GroupQueryAttention,
    Layer,
    MultiHeadAttention,
)
from tests.catalogue.doubled import Doubled
from tests.catalogue.entry import DEEP, Entry


def heads(**options: Any) -> Callable[[], Layer]:
    """Makes attention of two heads."""
    return lambda: Doubled(MultiHeadAttention(2, 3, **options), "arguments")


ENTRIES = [
    Entry("AdditiveAttention", lambda: Doubled(AdditiveAttention()), reads="all"),
    Entry("Attention", lambda: Doubled(Attention(use_scale=True)), reads="all"),
    Entry(
        "Attention concat",
        lambda: Doubled(Attention(score_mode="concat")),
        reads="all",
        variant=True,
    ),
    Entry("Attention dropout", lambda: Doubled(Attention(dropout=0.4)), reads="all", variant=True),
    Entry(
        "GroupQueryAttention",
        lambda: Doubled(GroupQueryAttention(3, 4, 2), "arguments"),
        reads="all",
    ),
    Entry("MultiHeadAttention", heads(value_dim=5), reads="all"),
    Entry(
        "MultiHeadAttention dropout", heads(dropout=0.4, use_gate=True), reads="all", variant=True
    ),
    Entry(
        "MultiHeadAttention of several axes",
        heads(output_shape=(2, 4)),
        DEEP,
        reads="all",
        variant=True,
    ),
    Entry(
        "MultiHeadAttention within a step",
        heads(attention_axes=2, use_bias=False),
        DEEP,
        variant=True,
    ),
]
