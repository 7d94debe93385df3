"""What a tagger reads, against plain loops."""

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from everystep.sequences import Ragged
from everystep.tagging.batches import Rows, TrainingBatches, prediction_batches
from everystep.tagging.features import Features
from everystep.tagging.settings import Settings

TOKENS = st.text("abAB19é\u0130", min_size=0, max_size=9)
SENTENCES = st.lists(st.lists(TOKENS, max_size=6), min_size=1, max_size=9)
CUT = 5


def spelled(features: Features, token: str) -> list[int]:
    known = features.characters.entries
    if len(token) > CUT:
        token = token[:2] + token[-3:]
    return [known.index(c) + 2 if c in known else 1 for c in token]


@given(SENTENCES, SENTENCES, st.booleans(), st.booleans())
def test_words_and_spellings_of_each_step(
    train: list[list[str]], sentences: list[list[str]], lowercase: bool, digits: bool
) -> None:
    settings = Settings(spelling=CUT, lowercase=lowercase, digits=digits)
    features = Features.of(train, settings)
    encoded = features.encode(sentences)

    def looked_up(token: str) -> str:
        token = token.lower() if lowercase else token
        return "".join("0" if c.isdigit() and digits else c for c in token)

    counts = Counter(looked_up(token) for tokens in train for token in tokens)
    words = features.words.entries
    for tokens, kinds in zip(sentences, encoded.kinds.split(), strict=True):
        assert len(tokens) == len(kinds)
        for token, kind in zip(tokens, kinds, strict=True):
            word = looked_up(token)
            seen = bool(word) and word in counts
            assert encoded.words[kind] == (words.index(word) + 2 if seen else 1)
            assert encoded.counts[kind] == (counts[word] if seen else 0)
            assert features.knows(token) == seen
            row = encoded.spellings[kind]
            assert row[row != 0].tolist() == spelled(features, token)
    assert Features.from_dict(features.to_dict(), settings) == features


def some_sentences(count: int, seed: int) -> list[list[str]]:
    random = np.random.default_rng(seed)
    vocabulary = [f"w{n}" for n in range(40)]
    return [
        [vocabulary[int(n)] for n in random.zipf(1.5, size=random.integers(1, 12)) % 40]
        for _ in range(count)
    ]


def steps_of(inputs: dict[str, Any]) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return sentence, word and spelling of each real step, by a plain loop."""
    spellings = inputs["spellings"].reshape(-1, inputs["spellings"].shape[-1])
    words, segments = np.asarray(inputs["words"].values), np.asarray(inputs["words"].segments)
    return [
        (int(segments[r, t]), int(words[r, t]), tuple(spellings[inputs["places"][r, t]].tolist()))
        for r, t in np.ndindex(segments.shape)
        if segments[r, t]
    ]


def test_each_epoch_holds_each_step_once_with_its_label_in_another_order() -> None:
    sentences = some_sentences(50, 0)
    features = Features.of(sentences, Settings(spelling=CUT))
    encoded = features.encode(sentences)
    labels = Ragged.of([encoded.words[kinds] + 100 for kinds in encoded.kinds.split()])
    batches = TrainingBatches(encoded, labels, 8, 0.0, least=20, seed=3)
    assert batches.rows.length >= 20
    assert batches.fill > 0.85
    expected = Counter(
        (number, int(encoded.words[kind]), tuple(encoded.spellings[kind].tolist()))
        for number, kinds in enumerate(encoded.kinds.split(), 1)
        for kind in kinds
    )
    orders = []
    for _ in range(2):
        found: list[Any] = []
        shapes = set()
        for number in range(len(batches)):
            inputs, targets = batches[number]
            found += steps_of(inputs)
            real = np.asarray(inputs["words"].segments) != 0
            assert (targets[real] == np.asarray(inputs["words"].values)[real] + 100).all()
            rows = inputs["spellings"].reshape(-1, CUT)
            rows = rows[rows.any(axis=1)]
            assert len({tuple(row) for row in rows.tolist()}) == len(rows)
            shapes.add(inputs["spellings"].shape)
        assert Counter(found) == expected
        assert len(shapes) == 1
        orders.append(found)
        batches.on_epoch_end()
    assert orders[0] != orders[1]
    again = TrainingBatches(encoded, labels, 8, 0.0, least=20, seed=3)
    assert steps_of(again[1][0]) == steps_of(TrainingBatches(encoded, labels, 8, 0.0, 20, 3)[1][0])


def test_words_become_unknown_as_often_as_they_should() -> None:
    sentences = [["rare", "often", "often", "often"]] * 2
    features = Features.of(sentences, Settings())
    encoded = features.encode(sentences)
    labels = Ragged.of([np.zeros(4, int)] * 2)
    batches = TrainingBatches(encoded, labels, 2, 1.5, least=1, seed=0)
    unknown, seen = Counter[int](), Counter[int]()
    for _ in range(1500):
        inputs, _ = batches[0]
        kinds = [len(set(spelling) - {0}) for _, _, spelling in steps_of(inputs)]
        for kind, (_, word, _) in zip(kinds, steps_of(inputs), strict=True):
            seen[kind] += 1
            unknown[kind] += word == 1
        batches.epoch += 1
    rates = {kind: unknown[kind] / seen[kind] for kind in seen}
    rare, often = len(set("rare")), len(set("often"))
    assert abs(rates[rare] - 1.5 / (1.5 + 2)) < 0.03
    assert abs(rates[often] - 1.5 / (1.5 + 6)) < 0.03


def test_what_is_to_be_labelled_comes_in_few_shapes() -> None:
    sentences = [*some_sentences(400, 5), ["w1"] * 77]
    features = Features.of(sentences, Settings(spelling=CUT))
    shapes: set[tuple[tuple[int, ...], ...]] = set()
    found = 0
    for count in (1, 2, 3, 50, 399, 401):
        encoded = features.encode(sentences[-count:])
        before = len(shapes)
        for inputs, segments in prediction_batches(encoded, Rows(16, 30)):
            shapes.add((inputs["words"].shape, inputs["spellings"].shape))
            found += int((segments != 0).sum())
        assert len(shapes) <= before + 1
    assert found == sum(len(s) for c in (1, 2, 3, 50, 399, 401) for s in sentences[-c:])
    assert {shape[0][1] for shape in shapes} == {120}


def test_padding_reads_no_word() -> None:
    encoded = Features.of([["a"]], Settings()).encode([["a"], ["a", "a"]])
    batch = next(prediction_batches(encoded, Rows(1, 8)))[0]
    real = np.asarray(batch["words"].segments) != 0
    assert (np.asarray(batch["words"].values)[~real] == 0).all()
    empty = batch["spellings"].reshape(-1, Settings().spelling)[batch["places"][~real]]
    assert (empty == 0).all()
