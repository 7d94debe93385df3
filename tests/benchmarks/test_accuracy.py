"""The tagger of English is the same one in every library, from the ids of words to the scores."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from benchmarks._accuracy.clock import Clock, EnoughError
from benchmarks._accuracy.data import NO_TAG, UNKNOWN, Corpus, Tokens, padded
from benchmarks._accuracy.with_everystep import NAMES
from benchmarks.accuracy import CASE

from everystep.corpora.vocabulary import Vocabulary
from everystep.tagging import Settings
from everystep.tagging.batches import Rows
from everystep.tagging.features import Features
from everystep.tagging.model import TaggerModel

SIZES: dict[str, int | str] = {
    **CASE,
    "embedding": 3,
    "character_embedding": 2,
    "character_units": 4,
    "spelling": 6,
    "units": 5,
}
ENGLISH = 12_544
"""How many sentences the corpus has to learn from."""
WORDS = ["Cats", "cats", "sleep", "incomprehensibly", "7", "19", "."]
TRAIN: list[Tokens] = [[(word, word[-1]) for word in WORDS[first:]] for first in (0, 2, 4)]
DEV: list[Tokens] = [[("Dogs", "s"), ("sleep", "p"), ("!", "!")]]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus.of(TRAIN, DEV, int(SIZES["spelling"]))


@pytest.fixture(scope="module")
def ours() -> TaggerModel:
    """Our tagger with weights that are no zeros."""
    settings = Settings.from_dict({name: SIZES[name] for name in NAMES})
    tokens = [[token for token, _ in sentence] for sentence in TRAIN]
    labels = Vocabulary(sorted({tag for each in TRAIN for _, tag in each}), reserved=False)
    model = TaggerModel(settings, Features.of(tokens, settings), labels, Rows(1, 16))
    random = np.random.default_rng(3)
    model.network.set_weights([random.normal(size=w.shape) for w in model.network.get_weights()])
    return model


def test_the_case_has_the_settings_that_taggers_have_by_default() -> None:
    usual = Settings().to_dict() | {"batch_size": Settings().batch_for(ENGLISH)}
    assert {name: CASE[name] for name in NAMES} == {name: usual[name] for name in NAMES}
    fixed = ("dropout", "word_dropout", "learning_rate", "clip", "layers", "encoder", "characters")
    assert [usual[name] for name in fixed] == [0.5, 1.0, 4e-3, 5.0, 1, "lstm", "lstm"]


def test_words_and_characters_have_the_ids_that_taggers_give_them(
    corpus: Corpus, ours: TaggerModel
) -> None:
    tokens = [[token for token, _ in sentence] for sentence in (*TRAIN, *DEV)]
    encoded = ours.features.encode(tokens)
    for found, name in ((corpus.words, "words"), (corpus.spellings, "spellings")):
        np.testing.assert_array_equal(found, getattr(encoded, name))
    np.testing.assert_array_equal(corpus.counts, encoded.counts)
    kinds = np.concatenate([s.kinds for s in (*corpus.train, *corpus.dev)])
    np.testing.assert_array_equal(kinds, encoded.kinds.values)
    assert corpus.dev[0].tags[-1] == NO_TAG
    assert corpus.ids == (len(ours.features.words), len(ours.features.characters), len(ours.labels))


def _likely(corpus: Corpus, ours: TaggerModel) -> Any:
    sentences = [[token for token, _ in sentence] for sentence in TRAIN]
    return np.concatenate([likely for _, likely in ours.likely(sentences)])


def _softmax(scores: Any) -> Any:
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.skipif(find_spec("keras") is None, reason="Keras is not installed")
@pytest.mark.parametrize("way", ["folded", "wrapped"])
def test_keras_says_the_same_with_the_same_weights(
    corpus: Corpus, ours: TaggerModel, way: str
) -> None:
    from benchmarks._accuracy import with_keras

    model = with_keras.model_of({**SIZES, "way": way}, corpus.ids)
    model.set_weights(ours.network.get_weights())
    kinds, tags = padded(corpus.train, len(corpus.train), 8)
    scores = np.asarray(model.predict_on_batch([corpus.words[kinds], corpus.spellings[kinds]]))
    np.testing.assert_allclose(_softmax(scores[tags != NO_TAG]), _likely(corpus, ours), atol=1e-5)


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
def test_torch_says_the_same_with_the_same_weights(corpus: Corpus, ours: TaggerModel) -> None:
    import torch
    from benchmarks._accuracy import with_torch

    model = with_torch.model_of(SIZES, corpus.ids).eval()
    with torch.no_grad():
        for parameter, array in zip(model.parameters(), _for_torch(ours), strict=True):
            parameter.copy_(torch.tensor(array))
        for sentence, likely in zip(corpus.train, _split(corpus, ours), strict=True):
            scores, tags = with_torch.outputs(model, corpus, [sentence], None)
            np.testing.assert_array_equal(tags.numpy(), sentence.tags)
            np.testing.assert_allclose(_softmax(scores.numpy()), likely, atol=1e-5)


def _for_torch(ours: TaggerModel) -> list[Any]:
    """Our weights as torch has them: rows and columns turned, and a second bias of 0."""
    words, characters, *rest = map(np.asarray, ours.network.get_weights())
    found = [words, characters]
    for place in range(0, 12, 3):
        kernel, recurrent, bias = rest[place : place + 3]
        found += [kernel.T, recurrent.T, bias, np.zeros_like(bias)]
    return [*found, rest[12].T, rest[13]]


def _split(corpus: Corpus, ours: TaggerModel) -> list[Any]:
    ends = np.cumsum([len(sentence.kinds) for sentence in corpus.train])[:-1]
    return np.split(_likely(corpus, ours), ends)


def test_an_epoch_holds_each_sentence_once_with_little_padding() -> None:
    random = np.random.default_rng(0)
    train = [[("a", "A")] * int(length) for length in random.integers(1, 40, 301)]
    corpus = Corpus.of(train, train[:7], 3)
    epochs = [[s for b in corpus.epoch(8, np.random.default_rng(n)) for s in b] for n in (1, 2)]
    lengths = [[len(sentence.kinds) for sentence in epoch] for epoch in epochs]
    assert sorted(lengths[0]) == sorted(lengths[1]) == sorted(map(len, train))
    assert lengths[0] != lengths[1]
    batches = list(corpus.epoch(8, random))
    cells = sum(len(batch) * max(len(s.kinds) for s in batch) for batch in batches)
    assert sum(map(len, train)) / cells > 0.9


def test_rare_words_are_dropped_more_often(corpus: Corpus) -> None:
    kinds = np.tile(np.arange(len(corpus.words)), (4000, 1))
    dropped = corpus.dropped(kinds, np.random.default_rng(0)) == UNKNOWN
    expected = 1 / (1 + corpus.counts)
    expected[0] = 0
    np.testing.assert_allclose(dropped.mean(0), expected, atol=0.04)


def test_the_clock_ends_training_at_the_target_or_when_time_is_up() -> None:
    clock = Clock(0.0, {"target": "0.5", "minutes": 10**9})
    clock.step()
    clock.epoch(0.4)
    with pytest.raises(EnoughError):
        clock.epoch(0.5)
    facts = clock.facts()
    assert (facts["reached"], facts["epochs"], facts["steps"], facts["accuracy"]) == (
        True,
        2,
        1,
        0.5,
    )
    late = Clock(0.0, {"target": "0.5", "minutes": 1})
    late.epoch(0.4)
    with pytest.raises(EnoughError):
        late.step()
    assert late.facts()["reached"] is False
