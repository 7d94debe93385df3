"""Every kind of network: sentences are kept apart, and what a word is spelled like counts."""

from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from everystep.corpora.vocabulary import Vocabulary
from everystep.tagging.batches import Rows
from everystep.tagging.features import Features
from everystep.tagging.model import TaggerModel
from everystep.tagging.settings import Settings
from tests.tagging.languages import sentences

TOKENS = [tokens for tokens, _ in sentences(12, 6)]
ROWS = Rows(1, 64)
"""Long rows, so that all that is read here has one shape, which is compiled once."""


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
    return TaggerModel(settings, Features.of(TOKENS, settings), labels, ROWS)


def test_a_random_field_labels_and_weighs_whole_sequences() -> None:
    """Against all label sequences that the scheme allows, one by one."""
    names = ["B-x", "I-x", "O"]
    settings = Settings(embedding=3, character_units=2, units=4, spelling=4)
    features = Features.of(TOKENS, settings)
    labels = Vocabulary(names, reserved=False)
    model = TaggerModel(settings, features, labels, ROWS, "BIO")
    assert model.has_crf
    random = np.random.default_rng(3)
    network = model.network
    assert network.crf is not None
    network.set_weights([random.normal(size=w.shape) for w in network.get_weights()])
    moves, start, end = (np.asarray(w) for w in network.crf.get_weights())
    tokens = next(tokens for tokens in TOKENS if len(tokens) == 5)
    emissions = [np.log(p) for p in _without_field(model, tokens)]

    def allowed(path: tuple[int, ...]) -> bool:
        before = [2, *path[:-1]]
        return all(now != 1 or last != 2 for last, now in zip(before, path, strict=True))

    def score(path: tuple[int, ...]) -> float:
        inside = sum(e[k] for e, k in zip(emissions, path, strict=True))
        return float(
            start[path[0]] + inside + sum(moves[p] for p in pairwise(path)) + end[path[-1]]
        )

    paths = [path for path in product(range(3), repeat=5) if allowed(path)]
    scores = np.array([score(path) for path in paths])
    best = paths[int(scores.argmax())]
    assert next(model.label([tokens])) == [names[k] for k in best]
    likely = np.exp(scores - scores.max())
    likely /= likely.sum()
    expected = np.zeros((5, 3))
    for path, share in zip(paths, likely, strict=True):
        expected[range(5), path] += share
    said, together = list(model.likely([["raka"], tokens]))[-1]
    np.testing.assert_allclose(together, expected, atol=1e-5)
    # The most probable sequence is not that of the most probable labels here.
    assert said == [names[k] for k in best] != [names[k] for k in expected.argmax(-1)]


def _without_field(model: TaggerModel, tokens: list[str]) -> np.ndarray[Any, Any]:
    """Return the softmax of the scores alone: the same weights, in a network without a field."""
    settings = replace(model.settings, crf=False)
    plain = TaggerModel(settings, model.features, model.labels, model.rows, model.scheme)
    plain.network.set_weights(model.network.get_weights()[: len(plain.network.get_weights())])
    return next(plain.likely([tokens]))[1]


@pytest.mark.parametrize(
    ("encoder", "characters", "layers"),
    [("lstm", "cnn", 2), ("gru", "none", 1), ("convolution", "lstm", 2), ("attention", "cnn", 1)],
)
def test_each_kind_reads_neighbours_but_no_other_sentence(
    encoder: str, characters: str, layers: int
) -> None:
    model = untrained(encoder, characters, layers)

    def read(*sentences: list[str]) -> list[np.ndarray[Any, Any]]:
        return [likely for _, likely in model.likely(sentences)]

    known, other_known = TOKENS[0][0], TOKENS[1][0]
    assert known != other_known
    first, second = ["raka", "silo", known], ["nolo", "raka"]
    packed = read(first, second)
    for one, other in zip(packed, [*read(first), *read(second)], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    (changed,) = read(["raka", "silo", other_known])
    assert abs(changed[-2] - packed[0][-2]).max() > 1e-6
    unknown, spelled_otherwise = read(["kaka"], ["loka"])
    assert (abs(unknown - spelled_otherwise).max() > 1e-7) == (characters != "none")
