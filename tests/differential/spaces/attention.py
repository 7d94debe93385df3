"""Attention of steps to steps."""

from typing import Any

from tests.differential.space import BATCH, FEATURES, SEQUENCES, TIME_MASKS, YES_NO, Space

MEMORY = (BATCH, 7, FEATURES)
CALL = {"return_attention_scores": YES_NO, "use_causal_mask": YES_NO}
# Where Keras gives no scores, it sums in single precision, values of another size than keys fail,
# and padding of the query reads a mean of all.
SCORED = {"return_attention_scores": [True], "use_causal_mask": YES_NO}
HEADS: dict[str, Any] = {
    "num_heads": [1, 2],
    "key_dim": [3],
    "value_dim": [None, 5],
    "use_bias": YES_NO,
    "use_gate": YES_NO,
    "output_shape": [None, 6],
    "sliding_window": [None, 2],
}

SPACES = [
    Space(
        "MultiHeadAttention",
        HEADS,
        called_with=SCORED | {"value": [MEMORY, SEQUENCES]},
    ),
    Space(
        "MultiHeadAttention",
        HEADS,
        called_with=SCORED | {"value": [MEMORY, SEQUENCES]},
        masks=TIME_MASKS,
        gradients=0,
    ),
    Space(
        "GroupQueryAttention",
        {"head_dim": [3], "num_query_heads": [4], "num_key_value_heads": [1, 2]},
        called_with=SCORED | {"value": [MEMORY, SEQUENCES]},
    ),
    Space(
        "Attention",
        {"use_scale": YES_NO, "score_mode": ["dot", "concat"]},
        shapes=[[SEQUENCES, MEMORY], [SEQUENCES, MEMORY, MEMORY]],
        called_with=CALL,
    ),
    Space(
        "AdditiveAttention",
        {"use_scale": YES_NO},
        shapes=[[SEQUENCES, MEMORY], [SEQUENCES, MEMORY, MEMORY]],
        called_with=CALL,
    ),
]
