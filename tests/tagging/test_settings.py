"""Settings: ranges, names, and the way to plain data and back."""

from dataclasses import fields
from math import log2
from typing import Any

import pytest

from everystep.errors import SettingError
from everystep.tagging import Settings

WRONG: dict[str, list[Any]] = {
    "embedding": [0, -3, 2.5, "8", True, None],
    "lowercase": [1, "yes", None],
    "digits": [0],
    "minimum_count": [0],
    "train_vectors": [1, "yes", None],
    "unseen_vectors": [-1, 5_000_001, 0.5],
    "word_dropout": [-0.1, float("nan"), float("inf"), "0"],
    "characters": ["bytes", 1, None],
    "character_embedding": [0],
    "character_units": [0],
    "spelling": [1, 257],
    "encoder": ["LSTM", "rnn"],
    "layers": [0, 65],
    "units": [0, 65_537],
    "dropout": [-0.01, 0.96, True, float("nan")],
    "crf": [1, "yes", None],
    "batch_size": [0, True, "large"],
    "epochs": [0],
    "learning_rate": [0, 0.0, 11, float("nan")],
    "clip": [0],
    "patience": [0],
    "monitor": ["loss"],
    "seed": [-1, 2**32, 1.0],
}


def test_every_setting_has_wrong_values_that_are_refused_by_name() -> None:
    assert set(WRONG) == {each.name for each in fields(Settings)}
    for name, values in WRONG.items():
        for value in values:
            with pytest.raises(SettingError, match=f"^{name}: expected .*, got "):
                Settings(**{name: value})


def test_small_corpora_have_smaller_batches_by_default() -> None:
    assert Settings(batch_size=5).batch_for(1_000_000) == 5
    for sentences in range(1, 20_000, 7):
        size = Settings().batch_for(sentences)
        off = {power: abs(log2(sentences / 200) - power) for power in range(3, 7)}
        assert off[int(log2(size))] == min(off.values())


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(SettingError) as caught:
        Settings(units=0, crf="maybe")
    assert str(caught.value) == (
        "units: expected a whole number from 1 to 65536, got 0; "
        "crf: expected true or false or 'auto', got 'maybe'"
    )


def test_unknown_names_are_refused_with_the_nearest_one() -> None:
    with pytest.raises(SettingError, match="'learningrate'; did you mean 'learning_rate'"):
        Settings.from_dict({"learningrate": 1})
    with pytest.raises(SettingError, match="'zzz'; there are embedding, lowercase"):
        Settings.from_dict({"zzz": 1})


def test_plain_data_and_back() -> None:
    settings = Settings(units=7, crf=False, dropout=0, learning_rate=1)
    assert Settings.from_dict(settings.to_dict()) == settings
    assert Settings.from_dict({}) == Settings()
