"""Training, labelling and measuring with small taggers."""

from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.callbacks import LambdaCallback
from everystep.core.randomness import global_seed
from everystep.corpora.sentences import Sentence
from everystep.errors import DataError, FormatError, SettingError
from everystep.tagging.batches import Rows, prediction_batches
from tests.tagging.languages import SMALL, sentences

TRAIN, DEV, TEST = sentences(250, 1), sentences(40, 2), sentences(60, 3, "chjqvwxyz")
ODD = Sentence(("baka", "silo"), ("#kl", "ODD"), place="dev.conllu:7")


@pytest.fixture(scope="module")
def tagger() -> es.Tagger:
    with redirect_stdout(StringIO()) as printed:
        tagger = es.Tagger.train(TRAIN, DEV, {**SMALL, "epochs": 30, "patience": 30}, verbose=0)
    assert printed.getvalue() == ""
    return tagger


def test_context_on_both_sides_and_the_spelling_of_unknown_words_are_learned(
    tagger: es.Tagger,
) -> None:
    found = tagger.evaluate(TEST)
    assert found["steps_known"] == 0
    assert found["accuracy_unknown"] == found["accuracy"] == 1.0
    assert tagger.predict([tokens for tokens, _ in TEST]) == [labels for _, labels in TEST]


def test_packed_rows_say_what_each_sentence_says_alone(tagger: es.Tagger) -> None:
    tokens = [tokens for tokens, _ in TEST[:9]] + [[]]
    together = tagger.probabilities(tokens)
    assert together[-1].shape == (0, len(tagger.labels))
    for several, one in zip(together, tokens, strict=True):
        alone = tagger.probabilities(one) if one else np.zeros_like(several)
        np.testing.assert_allclose(several, alone, atol=1e-5)
        np.testing.assert_allclose(several.sum(-1), 1, rtol=1e-5)


def test_a_sentence_longer_than_any_before_is_labelled(tagger: es.Tagger) -> None:
    long = [token for tokens, _ in TEST for token in tokens]
    assert len(tagger.predict(long)) == len(long) > 100
    rows = Rows(16, 8)
    batches = prediction_batches(tagger._model.features.encode([long, *([["a"]] * 900)]), rows)
    assert all(segments.size <= max(16 * 8, 2 * len(long)) for _, segments in batches)


def test_a_stream_is_read_no_further_than_it_is_labelled(tagger: es.Tagger) -> None:
    read = 0

    def endless() -> Iterator[list[str]]:
        nonlocal read
        while True:
            read += 1
            yield TEST[read % 50][0]

    labelled = tagger.predict_stream(endless(), chunk=3)
    for number in range(1, 8):
        assert next(labelled) == TEST[number][1]
        assert read == 3 * -(-number // 3)
    with pytest.raises(SettingError, match="chunk: expected 1 or more, got 0"):
        tagger.predict_stream([], chunk=0)


def test_a_saved_tagger_gives_the_same_bits(tagger: es.Tagger, tmp_path: Any) -> None:
    tagger.save(tmp_path / "small.everystep")
    again = es.Tagger.load(tmp_path / "small.everystep")
    tokens = [tokens for tokens, _ in TEST]
    for one, other in zip(tagger.probabilities(tokens), again.probabilities(tokens), strict=True):
        assert one.tobytes() == other.tobytes()
    assert again.record == tagger.record
    assert (again.labels, again.settings) == (tagger.labels, tagger.settings)
    again.save(tmp_path / "again.everystep")
    files = [(tmp_path / name).read_bytes() for name in ("small.everystep", "again.everystep")]
    assert files[0] == files[1]


def test_the_record_says_how_training_went(tagger: es.Tagger) -> None:
    record = tagger.record
    curve = record["curve"]
    epochs = len(curve["loss"])
    assert all(len(values) == epochs for values in curve.values())
    assert record["best_epoch"] == 1 + int(np.argmax(curve["dev_accuracy"]))
    assert record["dev"]["accuracy"] == max(curve["dev_accuracy"])
    assert record["settings"]["units"] == SMALL["units"]
    assert record["steps"] == sum(len(tokens) for tokens, _ in TRAIN)
    assert record["fill"] > 0.9
    assert {"everystep", "jax", "numpy", "python"} <= record["versions"].keys()


def test_a_seed_gives_the_same_bits_and_disturbs_no_other() -> None:
    def weights(seed: int) -> list[bytes]:
        settings = {**SMALL, "epochs": 1, "dropout": 0.5, "seed": seed}
        made = es.Tagger.train(TRAIN[:20], settings=settings, verbose=0)
        return [array.tobytes() for array in made.probabilities([t for t, _ in TEST[:3]])]

    before = global_seed()
    first = weights(5)
    es.layers.Dense(2)(np.ones((1, 3), "float32"))
    assert weights(5) == first
    assert global_seed() == before


def test_training_goes_on_after_an_interruption_as_if_there_had_been_none(tmp_path: Any) -> None:
    settings = {**SMALL, "epochs": 4, "dropout": 0.5}
    state = tmp_path / "state"

    def probabilities(made: es.Tagger) -> list[bytes]:
        return [array.tobytes() for array in made.probabilities([t for t, _ in TEST[:3]])]

    def interrupt(batch: int, logs: Any) -> None:
        if stopping.model.running.epoch == 2:
            raise KeyboardInterrupt

    stopping = LambdaCallback(on_train_batch_end=interrupt)
    with pytest.raises(KeyboardInterrupt):
        es.Tagger.train(TRAIN[:20], DEV[:5], settings, 0, callbacks=[stopping], resume=state)
    with pytest.raises(FormatError, match="is of a training on other data"):
        es.Tagger.train(TRAIN[:19], DEV[:5], settings, 0, resume=state)
    after = es.Tagger.train(TRAIN[:20], DEV[:5], settings, 0, resume=state)
    once_more = es.Tagger.train(TRAIN[:20], DEV[:5], settings, 0, [stopping], resume=state)
    whole = es.Tagger.train(TRAIN[:20], DEV[:5], settings, 0)
    for each in (after, once_more):
        assert probabilities(each) == probabilities(whole)
        assert each.record["curve"] == whole.record["curve"]
        assert each.record["best_epoch"] == whole.record["best_epoch"]
    assert once_more.record["seconds"] > after.record["seconds"] > 0


@pytest.fixture(scope="module")
def spoiled() -> tuple[es.Tagger, str, str]:
    """A tagger that gets worse from its third epoch on; what was printed, and the warning."""

    def spoil(epoch: int, logs: Any) -> None:
        if epoch >= 2:
            network = spoiling.model
            network.set_weights([0 * array for array in network.get_weights()])

    spoiling = LambdaCallback(on_epoch_begin=spoil)
    settings = {**SMALL, "epochs": 9, "patience": 2, "seed": 8}
    printed = StringIO()
    with redirect_stdout(printed), pytest.warns(UserWarning, match="dev has") as warned:
        tagger = es.Tagger.train(TRAIN[:90], [ODD, *DEV], settings, 2, callbacks=[spoiling])
    return tagger, printed.getvalue(), str(warned[0].message)


def test_the_best_weights_are_kept_and_training_ends_early(
    spoiled: tuple[es.Tagger, str, str],
) -> None:
    tagger, printed, _ = spoiled
    curve = tagger.record["curve"]["dev_accuracy"]
    assert len(curve) == 4
    assert tagger.record["best_epoch"] == 2
    assert tagger.record["dev"]["accuracy"] == curve[1] > max(curve[2:])
    assert f"Epoch 2: dev_accuracy {curve[1]:.4f}" in printed


def test_labels_that_training_never_saw_are_named_and_count_as_wrong(
    tagger: es.Tagger, spoiled: tuple[es.Tagger, str, str]
) -> None:
    assert "1 label(s) that training never saw" in spoiled[2]
    assert "'ODD' (dev.conllu:7)" in spoiled[2]
    with pytest.warns(UserWarning, match=r"data has 1 label\(s\) .*'ODD' \(dev\.conllu:7\)"):
        found = tagger.evaluate([ODD])
    assert (found["steps"], found["accuracy"]) == (2, 0.5)


def test_entities_are_found_by_a_random_field_that_keeps_their_rules(tmp_path: Any) -> None:
    marks = {"k": ["B-k", "I-k"], "l": ["O", "O"]}
    data = [
        (tokens, [marks[label[1]][label[0] == label[1]] for label in labels])
        for tokens, labels in TRAIN
    ]
    tagger = es.Tagger.train(data[:200], data[200:], {**SMALL, "epochs": 8}, verbose=0)
    assert tagger.record["dev"]["entity_f1"] > 0.95
    assert "dev_entity_f1" in tagger.record["curve"]
    tagger.save(tmp_path / "entities.everystep")
    again = es.Tagger.load(tmp_path / "entities.everystep")
    tokens = [tokens for tokens, _ in TEST]
    assert again.predict(tokens) == tagger.predict(tokens)
    for labels in tagger.predict(tokens):
        assert all(now != "I-k" or last != "O" for last, now in pairwise(["O", *labels]))


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ([], "train: holds no token at all"),
        ([([], [])], "train: holds no token at all"),
        ([(["a"], ["X"]), (["a", "b"], ["X"])], "sentence 2: expected one label a token, got 1"),
        ([Sentence(("a",), place="t.jsonl:4")], "t.jsonl:4: has no labels"),
        ([(["a", 3], ["X", "X"])], "sentence 1: expected text, got 3"),
        (["a b"], "sentence 1: expected a Sentence, or tokens and labels, got 'a b'"),
    ],
)
def test_sentences_that_nothing_can_be_learned_from(train: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        es.Tagger.train(train, settings=SMALL, verbose=0)


def test_sentences_that_cannot_be_labelled(tagger: es.Tagger) -> None:
    with pytest.raises(DataError, match="sentence 2: expected a list of tokens, got 'b c'"):
        tagger.predict([["a"], "b c"])
    with pytest.raises(DataError, match=r"data has no label that training saw: .*'X' \(data, sent"):
        tagger.evaluate([(["a"], ["X"])])
    with pytest.raises(DataError, match="data, sentence 1: has no labels"):
        tagger.evaluate([Sentence(("a",))])
