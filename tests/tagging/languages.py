"""A small language whose labels follow from spelling and from both neighbours."""

import random
from typing import Any

Pair = tuple[list[str], list[str]]
ENDINGS = {"ka": "k", "lo": "l"}


def sentences(count: int, seed: int, letters: str = "bdfgmnprst") -> list[Pair]:
    """Make sentences of made-up words.

    The label of a word says its own ending, that of the word before and that of the word after, so
    no model does it that reads in one direction, or does not read characters.
    """
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        endings = draw.choices(list(ENDINGS), k=draw.randint(1, 7))
        tokens = ["".join(draw.choices(letters, k=draw.randint(1, 4))) + end for end in endings]
        kinds = ["#", *(ENDINGS[end] for end in endings), "#"]
        labels = [f"{kinds[i]}{kinds[i + 1]}{kinds[i + 2]}" for i in range(len(tokens))]
        made.append((tokens, labels))
    return made


SMALL: dict[str, Any] = {
    "embedding": 6,
    "character_embedding": 7,
    "character_units": 8,
    "units": 12,
    "dropout": 0.0,
    "word_dropout": 2.0,
    "learning_rate": 0.02,
    "batch_size": 16,
}
