"""The lengths of real sentences, where the corpus lies in a folder beside the repository."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NAME = "en_ewt-ud-train.conllu"


def english_lengths() -> np.ndarray[Any, np.dtype[np.int64]]:
    """The number of words of each sentence of the corpus; skips the test without it."""
    found = next(Path(__file__).parents[2].glob(f"*/data/UD_English-EWT/{NAME}"), None)
    if found is None:
        pytest.skip(f"the corpus {NAME} is not beside the repository")
    return _lengths(found)


@cache
def _lengths(path: Path) -> np.ndarray[Any, np.dtype[np.int64]]:
    sentences = path.read_text(encoding="utf-8").strip().split("\n\n")
    words = (
        sum(line.split("\t", 1)[0].isdigit() for line in sentence.split("\n"))
        for sentence in sentences
    )
    return np.fromiter(words, np.int64, len(sentences))
