"""Every kind of network: sentences are kept apart, and what a word is spelled like counts."""

import numpy as np
import pytest

from everystep.corpora.vocabulary import Vocabulary
from everystep.tagging.batches import Rows
from everystep.tagging.features import Features
from everystep.tagging.model import TaggerModel
from everystep.tagging.settings import Settings
from tests.tagging.languages import sentences

TOKENS = [tokens for tokens, _ in sentences(12, 6)]


def untrained(encoder: str, characters: str, layers: int) -> TaggerModel:
    settings = Settings(
        encoder=encoder,
        characters=characters,
        layers=layers,
        embedding=3,
        character_embedding=2,
        character_units=4,
        units=5,
        spelling=4,
    )
    labels = Vocabulary(["a", "b", "c"], reserved=False)
    return TaggerModel(settings, Features.of(TOKENS, settings), labels, Rows(2, 16))


@pytest.mark.parametrize(
    ("encoder", "characters", "layers"),
    [("lstm", "cnn", 2), ("gru", "none", 1), ("convolution", "lstm", 2), ("attention", "cnn", 1)],
)
def test_each_kind_reads_neighbours_but_no_other_sentence(
    encoder: str, characters: str, layers: int
) -> None:
    model = untrained(encoder, characters, layers)
    packed = list(model.probabilities(TOKENS))
    alone = [next(model.probabilities([tokens])) for tokens in TOKENS[:3]]
    for one, other in zip(packed, alone, strict=False):
        np.testing.assert_allclose(one, other, atol=1e-5)
    (tokens,) = [tokens for tokens in TOKENS if len(tokens) == 7][:1]
    other_last = next(model.probabilities([[*tokens[:-1], TOKENS[0][0]]]))
    same = next(model.probabilities([tokens]))
    assert abs(other_last[-2] - same[-2]).max() > 1e-6

    unknown = next(model.probabilities([["kaka"]]))
    spelled_otherwise = next(model.probabilities([["loka"]]))
    reads_characters = characters != "none"
    assert (abs(unknown - spelled_otherwise).max() > 1e-7) == reads_characters
