"""Square pulses of two heights in noise, whose labels are known."""

from typing import Any

import numpy as np

SMALL: dict[str, Any] = {
    "window": 48,
    "overlap": 24,
    "fold": 2,
    "convolutions": 1,
    "filters": 6,
    "kernel": 3,
    "layers": 1,
    "units": 6,
    "cell": "gru",
    "dropout": 0.0,
    "batch_size": 8,
    "epochs": 12,
    "learning_rate": 0.05,
    "rate": 100.0,
    "names": ["rest", "low", "high"],
}
"""Settings: small, and of a rate at which a step takes 10 ms."""


def pulses(count: int, seed: int) -> list[tuple[Any, Any]]:
    """Make signals of two channels, the second of which says nothing; some labels are unknown."""
    draw = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        labels = np.repeat(draw.integers(0, 3, 14), draw.integers(5, 12, 14))
        noise = draw.normal(size=(len(labels), 2))
        values = np.stack([100 + 20 * labels, 0 * labels], 1) + [4, 1] * noise
        unknown = draw.integers(0, 20)
        made.append((values, np.where(np.arange(len(labels)) < unknown, 255, labels)))
    return made
