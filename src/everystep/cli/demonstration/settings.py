"""The sizes of the demonstration: chosen so that two processor cores need about a minute."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What the demonstration learns from, and how.

    Args:
        seed: decides the split of the files, the first weights and the order of the sequences.
        epochs: how often each model goes through the training sequences.
        steps: most steps to train on.
        vocabulary: most token ids, those of padding and unknown included.
        minimum_count: how often a token must be seen in training to get an id of its own.
        embedding: the size of a token's vector.
        units: the size of the recurrent state in each direction.
        batch_size: about how many sequences a training step takes.
        learning_rate: of Adam.
        root: the folder of Python source; the standard library of the running Python if None.
    """

    seed: int = 0
    epochs: int = 3
    steps: int = 400_000
    vocabulary: int = 4000
    minimum_count: int = 2
    embedding: int = 64
    units: int = 64
    batch_size: int = 64
    learning_rate: float = 0.01
    root: Path | None = None
