"""Attention of steps to steps."""

from tests.differential.space import BATCH, FEATURES, SEQUENCES, TIME_MASKS, YES_NO, Space

MEMORY = (BATCH, 7, FEATURES)
CALL = {"return_attention_scores": YES_NO, "use_causal_mask": YES_NO}

SPACES = [
    Space(
        "MultiHeadAttention",
        {
            "num_heads": [1, 2],
            "key_dim": [3],
            "value_dim": [None, 5],
            "use_bias": YES_NO,
            "output_shape": [None, 6],
        },
        called_with=CALL | {"value": [MEMORY, SEQUENCES]},
        masks=TIME_MASKS,
        gradients=3,
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
