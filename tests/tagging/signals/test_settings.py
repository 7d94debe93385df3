"""Settings of taggers of signals: ranges, names, and the way to plain data and back."""

from dataclasses import fields
from typing import Any

import pytest

from everystep.errors import SettingError
from everystep.tagging import SignalSettings

WRONG: dict[str, list[Any]] = {
    "window": [0, 2.0, "9", 2**24 + 1],
    "overlap": [-4, None],
    "fold": [0, 1025],
    "convolutions": [-1, 65],
    "filters": [0],
    "kernel": [0, 1025],
    "cell": ["LSTM", None],
    "layers": [-1, 65],
    "units": [0],
    "direction": ["backward", 1],
    "dropout": [-0.01, 0.96, True],
    "batch_size": [0],
    "epochs": [0],
    "learning_rate": [0, 11, float("nan")],
    "clip": [0],
    "patience": [0],
    "rate": [0, -500, float("inf"), float("nan"), "500", True],
    "ignore": [-1, 2**31, None, 1.0],
    "names": [["P", "P"], ["P", ""], ["P", 1], "PQ", None],
    "seed": [-1, 2**32],
}


def test_every_setting_has_wrong_values_that_are_refused_by_name() -> None:
    assert set(WRONG) == {each.name for each in fields(SignalSettings)}
    for name, values in WRONG.items():
        for value in values:
            with pytest.raises(SettingError, match=f"(^|; ){name}: expected .*, got "):
                SignalSettings(**{name: value})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 100, "overlap": 100}, "overlap: expected less than the window, 100, got 100"),
        ({"window": 1001, "overlap": 8}, "window: expected a multiple of fold, 8, got 1001"),
        ({"overlap": 6, "fold": 4}, "overlap: expected a multiple of fold, 4, got 6"),
        ({"names": ["a", "b"], "ignore": 1}, "ignore: expected no label that has a name, 'b'"),
        ({"windw": 3}, "no setting is called 'windw'; did you mean 'window'"),
    ],
)
def test_settings_that_do_not_go_together(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        SignalSettings.from_dict(settings)


def test_plain_data_and_back() -> None:
    settings = SignalSettings(names=["rest", "beat"], rate=500, direction="forward")
    assert settings.to_dict()["names"] == ["rest", "beat"]
    assert SignalSettings.from_dict(settings.to_dict()) == settings
    assert SignalSettings.from_dict({}) == SignalSettings()
