"""Taggers that start from word vectors of a file."""

import hashlib
import random
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.callbacks import LambdaCallback
from everystep.corpora.vocabulary import Vocabulary
from everystep.errors import CorpusError, DataError, FormatError
from everystep.sequences import Ragged
from everystep.tagging import Settings
from everystep.tagging.batches import TrainingBatches
from everystep.tagging.features import Features
from everystep.tagging.pretrained import Pretrained, start_from
from tests.tagging.languages import SMALL, Pair

SETTINGS = {**SMALL, "characters": "none", "epochs": 6}
"""Without characters, so that nothing but its vector tells one unknown word from another."""
SIZE = 5
KINDS = ["N", "V", "A"]


def _language(words: dict[str, str], count: int, seed: int) -> list[Pair]:
    """Sentences in which a word's label is its kind, and any kind may follow any other."""
    draw = random.Random(seed)
    made = [draw.choices(list(words), k=draw.randint(2, 6)) for _ in range(count)]
    return [(tokens, [words[token] for token in tokens]) for tokens in made]


SEEN = {f"s{number}x": KINDS[number % 3] for number in range(30)}
UNSEEN = {f"u{number}x": KINDS[number % 3] for number in range(30)}
TRAIN, TEST = _language(SEEN, 60, 1), _language(UNSEEN, 20, 2)


def _similar() -> dict[str, Any]:
    """Vectors of which those of one kind are near each other."""
    noise = np.random.default_rng(4)
    centres = noise.normal(size=(3, SIZE))
    return {
        word: np.float32(centres[KINDS.index(kind)] + noise.normal(0, 0.2, SIZE))
        for word, kind in (SEEN | UNSEEN).items()
    }


VECTORS = _similar()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vectors") / "made.vec"
    lines = [f"{word} {' '.join(map(repr, row.tolist()))}\n" for word, row in VECTORS.items()]
    path.write_text(f"{len(lines)} {SIZE}\n" + "".join(lines))
    return path


def _trained(path: Path, **settings: Any) -> es.Tagger:
    return es.Tagger.train(TRAIN, settings={**SETTINGS, **settings}, verbose=0, vectors=path)


@pytest.fixture(scope="module")
def tagger(file: Path) -> es.Tagger:
    return _trained(file)


def _table(tagger: es.Tagger) -> dict[str, Any]:
    """The vectors that stand in a tagger, by their words."""
    model = tagger._model
    assert model.features.pretrained is not None
    assert model.network.pretrained is not None
    table = np.asarray(model.network.pretrained.embeddings.value)
    assert not table[:2].any()
    return dict(zip(model.features.pretrained.words.entries, table[2:], strict=True))


def test_words_that_training_never_saw_are_known_by_similar_ones(
    tagger: es.Tagger, tmp_path: Path
) -> None:
    found = tagger.evaluate(TEST)
    assert found["steps_known"] == 0
    assert found["accuracy_unknown"] > 0.95
    tagger.save(tmp_path / "with.everystep")
    again = es.Tagger.load(tmp_path / "with.everystep")
    tokens = [tokens for tokens, _ in TEST]
    for one, other in zip(tagger.probabilities(tokens), again.probabilities(tokens), strict=True):
        assert one.tobytes() == other.tobytes()
    assert again.record == tagger.record
    table = again._model.network.pretrained
    assert table is not None
    table.embeddings.assign(np.zeros(table.embeddings.shape, np.float32))
    assert again.evaluate(TEST)["accuracy"] < 0.6


def test_the_vectors_of_the_file_stand_in_the_table(tagger: es.Tagger) -> None:
    found = _table(tagger)
    assert list(found) == list(VECTORS)
    for word, row in VECTORS.items():
        assert found[word].tobytes() == row.tobytes()


def test_vectors_are_trained_where_that_is_set(file: Path) -> None:
    found = _table(_trained(file, train_vectors=True, unseen_vectors=3, epochs=1))
    assert list(found) == [*SEEN, *list(UNSEEN)[:3]]
    for word, row in found.items():
        assert (row.tobytes() == VECTORS[word].tobytes()) == (word in UNSEEN)
        np.testing.assert_allclose(row, VECTORS[word], atol=0.5)


def test_the_record_names_the_file_and_what_it_covers(
    tagger: es.Tagger, tmp_path: Path, file: Path
) -> None:
    assert tagger.record["vectors"] == {
        "file": str(file),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "words": 60,
        "kept": 60,
        "size": SIZE,
        "steps": 1.0,
        "spellings": 1.0,
    }
    few = tmp_path / "few.txt"
    few.write_text("other 1 2\nTHE 5 6\nthe 3 4\nodd00 7 8\n")
    sentences = [["The", "THE", "cat", "odd17"], ["the", "the"]]
    pretrained, table, record = start_from(few, chain.from_iterable(sentences), 0)
    assert pretrained.words.entries == ("THE", "the", "odd00")
    assert table.tolist() == [[0, 0], [0, 0], [5, 6], [3, 4], [7, 8]]
    assert (record["words"], record["kept"]) == (4, 3)
    encoded = Features.of(sentences, Settings(), pretrained).encode(sentences)
    labels = Ragged.of([np.zeros(len(tokens), int) for tokens in sentences])
    batches = TrainingBatches(encoded, labels, 2, 0.0, least=1, seed=0)
    assert batches.covered() == {"steps": 5 / 6, "spellings": 4 / 5}


def test_a_word_is_found_as_it_is_else_in_lower_case_else_without_digits() -> None:
    words = Vocabulary(["The", "the", "0th", "No", "9th"])
    ids = Pretrained(words, 3).ids(["The", "the", "THE", "9TH", "8TH", "no", ""])
    assert ids.tolist() == [2, 3, 3, 6, 4, 1, 1]
    assert ids.dtype == np.int32


def test_a_training_goes_on_with_the_same_vectors_alone(tmp_path: Path, file: Path) -> None:
    state, other = tmp_path / "state", tmp_path / "other.vec"
    other.write_text(file.read_text().replace("s0x", "s0y"))

    def interrupt(epoch: int, logs: Any) -> None:
        if epoch == 1:
            raise KeyboardInterrupt

    def train(vectors: Path | None, *callbacks: Any) -> es.Tagger:
        settings = {**SETTINGS, "epochs": 3}
        return es.Tagger.train(TRAIN, None, settings, 0, callbacks, state, vectors)

    with pytest.raises(KeyboardInterrupt):
        train(file, LambdaCallback(on_epoch_begin=interrupt))
    for wrong in (other, None):
        with pytest.raises(FormatError, match="of a training on other data"):
            train(wrong)
    after = train(file)
    assert len(after.record["curve"]["loss"]) == 3
    assert {word: row.tolist() for word, row in _table(after).items()} == {
        word: row.tolist() for word, row in VECTORS.items()
    }


def test_files_that_are_of_no_use(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.vec"
    foreign.write_text("der 1 2\ndie 3 4\n")
    with pytest.raises(DataError, match=r"foreign.vec: none of its 2 words is in the sentences"):
        start_from(foreign, ["the", "cat"], 10)
    foreign.write_text("der 1 2\ndie 3 x\n")
    with pytest.raises(CorpusError, match=r"foreign.vec:2: expected finite numbers"):
        _trained(foreign)
    with pytest.raises(CorpusError, match=r"none.vec: cannot be opened: No such file"):
        start_from(tmp_path / "none.vec", ["the"], 10)
    with pytest.raises(FormatError, match="is not a regular file"):
        start_from(tmp_path, ["the"], 10)


WORDS = Vocabulary(["a"]).to_dict()


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"words": WORDS},
        {"words": WORDS, "size": 0},
        {"words": WORDS, "size": 2.0},
        {"words": WORDS | {"reserved": False}, "size": 2},
        {"words": WORDS | {"counts": []}, "size": 2},
        {"words": WORDS, "size": 2, "code": "1"},
    ],
)
def test_hostile_data_is_refused(data: Any) -> None:
    with pytest.raises(FormatError, match=r"pretrained: expected|counts: expected"):
        Pretrained.from_dict(data)


def test_plain_data_and_back() -> None:
    pretrained = Pretrained(Vocabulary(["a", "b"]), 7)
    assert Pretrained.from_dict(pretrained.to_dict()) == pretrained
