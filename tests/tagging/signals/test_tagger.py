"""Training, labelling and measuring with a small tagger of signals."""

from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.callbacks import LambdaCallback
from everystep.corpora.signals import Signal
from everystep.errors import DataError, FormatError, SettingError
from tests.tagging.signals.pulses import SMALL, pulses

TRAIN, DEV, TEST = pulses(24, 1), pulses(4, 2), pulses(7, 3)


@pytest.fixture(scope="module")
def tagger() -> es.SignalTagger:
    return es.SignalTagger.train(TRAIN, DEV, SMALL, verbose=0)


def test_pulses_are_learned_with_their_edges(tagger: es.SignalTagger) -> None:
    found = tagger.evaluate(TEST, rate=100)
    assert found["steps"] == sum(int((labels != 255).sum()) for _, labels in TEST)
    assert found["accuracy"] > 0.95
    assert list(found["labels"]) == ["high", "low", "rest"]
    assert list(found["segments"]["classes"]) == ["low", "high"]
    assert abs(found["segments"]["classes"]["low"]["onset"]["mean_ms"]) < 15
    right = [labels != 255 for _, labels in TEST]
    said = tagger.predict([values for values, _ in TEST])
    same = [(s == g)[r] for s, (_, g), r in zip(said, TEST, right, strict=True)]
    assert np.concatenate(same).mean() == found["accuracy"]


def test_steps_without_a_label_count_nowhere(tagger: es.SignalTagger) -> None:
    values, labels = TEST[0]
    blanked = np.where(np.arange(len(labels)) < 60, labels, 255)
    found = tagger.evaluate([(values, blanked), (values, np.full_like(labels, 255))])
    assert found["steps"] == int((blanked != 255).sum())
    cut = tagger.evaluate([(values, blanked)])
    assert found["accuracy"] == cut["accuracy"]


def test_one_signal_gives_one_answer(tagger: es.SignalTagger) -> None:
    values = TEST[0][0]
    labels, shares = tagger.predict(values), tagger.probabilities([values])
    assert labels.tolist() == shares[0].argmax(-1).tolist()
    assert tagger.predict(Signal(values)).tolist() == labels.tolist()
    np.testing.assert_allclose(shares[0].sum(-1), 1, rtol=1e-5)


def test_a_saved_tagger_gives_the_same_bits(tagger: es.SignalTagger, tmp_path: Any) -> None:
    paths = [tmp_path / f"{name}.everystep" for name in "ab"]
    tagger.save(paths[0])
    again = es.SignalTagger.load(paths[0])
    again.save(paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert (again.labels, again.settings) == (tagger.labels, tagger.settings)
    assert again.record == tagger.record
    values = TEST[0][0]
    assert again.probabilities(values).tobytes() == tagger.probabilities(values).tobytes()


def test_the_record_says_how_training_went(tagger: es.SignalTagger) -> None:
    record = tagger.record
    assert record["signals"] == len(TRAIN)
    assert record["best_epoch"] == 1 + int(np.argmax(record["curve"]["dev_accuracy"]))
    assert record["dev"]["accuracy"] == max(record["curve"]["dev_accuracy"])
    assert record["settings"]["names"] == ["rest", "low", "high"]


def test_training_goes_on_after_an_interruption_as_if_there_had_been_none(tmp_path: Any) -> None:
    settings, state = {**SMALL, "epochs": 4, "dropout": 0.3}, tmp_path / "state"

    def interrupt(epoch: int, logs: Any) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    stopping = LambdaCallback(on_epoch_begin=interrupt)
    with pytest.raises(KeyboardInterrupt):
        es.SignalTagger.train(TRAIN[:9], None, settings, 0, callbacks=[stopping], resume=state)
    with pytest.raises(FormatError, match="is of a training on other data"):
        es.SignalTagger.train(TRAIN[1:9], None, settings, 0, resume=state)
    after = es.SignalTagger.train(TRAIN[:9], None, settings, 0, resume=state)
    at_once = es.SignalTagger.train(TRAIN[:9], None, settings, 0)
    assert after.record["curve"] == at_once.record["curve"]
    values = TEST[0][0]
    assert after.probabilities(values).tobytes() == at_once.probabilities(values).tobytes()


VALUES = np.ones((6, 2))
NAN = np.array([[1, 2], [3, np.nan]])


@pytest.mark.parametrize(
    ("train", "settings", "message"),
    [
        ([], {}, "train: no step has a label but 255"),
        ([(VALUES, np.full(6, 255))], {}, "train: no step has a label but 255"),
        ([(VALUES, [0, 0, 0, 255, 0, 0])], {"names": []}, "all labels are 0"),
        ([(VALUES, [0, 1, 2, 3, 255, 0])], {}, "expected labels from 0 to 2, .* got 3 at step 3"),
        ([(VALUES, [0, 1, -1, 3, 255, 0])], {}, "from 0 to 2, or 255 for none, got -1 at step 2"),
        ([(VALUES, [0, 1])], {}, "signal 1: expected whole numbers as labels, one for each of 6"),
        ([(NAN, [0, 1])], {}, "signal 1: expected finite numbers, got nan at step 1 of channel 1"),
        ([(VALUES, [0] * 6), (VALUES[:, :1], [1] * 6)], {}, "signal 2: expected 2 channels, got 1"),
        ([Signal(VALUES, place="a.csv:2")], {}, "a.csv:2: has no labels to learn from"),
        ([VALUES], {}, "signal 1: expected a Signal, or values and labels"),
        ([(VALUES * 1e308, [0, 1, 2, 0, 1, 2])], {}, "too large to have a mean"),
    ],
)
def test_signals_that_nothing_can_be_learned_from(
    train: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        es.SignalTagger.train(train, settings={**SMALL, **settings}, verbose=0)


def test_signals_that_cannot_be_labelled(tagger: es.SignalTagger) -> None:
    with pytest.raises(DataError, match="signal 2: expected 2 channels, got 3"):
        tagger.predict([VALUES, np.ones((4, 3))])
    with pytest.raises(DataError, match="got nan at step 1 of channel 1"):
        tagger.predict(NAN)
    with pytest.raises(DataError, match="too far from training's"):
        tagger.predict(VALUES * 1e300)
    with pytest.raises(DataError, match="data, signal 1: expected labels from 0 to 2"):
        tagger.evaluate([(VALUES, [0, 1, 2, 3, 0, 0])])
    with pytest.raises(DataError, match="dev, signal 1: expected 2 channels, got 1"):
        es.SignalTagger.train(TRAIN[:1], [(VALUES[:, 0], [0] * 6)], SMALL, verbose=0)
    with pytest.raises(SettingError, match="expected 100 steps a second, as in training, got 250"):
        tagger.evaluate(TEST, rate=250)
    assert tagger.predict(np.empty((0, 2))).tolist() == []
