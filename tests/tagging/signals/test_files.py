"""Files of taggers of signals that are damaged, hostile, newer, or of another kind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.errors import FormatError
from everystep.formats import read_tensors, write_tensors
from everystep.tagging import SignalSettings
from everystep.tagging.signals.features import Scale
from everystep.tagging.signals.files import read_signal_tagger, write_signal_tagger
from everystep.tagging.signals.model import SignalModel
from tests.tagging.signals.pulses import SMALL

Change = Callable[[dict[str, Any], dict[str, Any]], None]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("signals") / "untrained.everystep"
    scale = Scale(np.array([1.0, -2.0]), np.array([0.5, 3.0]))
    model = SignalModel(SignalSettings.from_dict(SMALL), scale, ("rest", "low", "high"))
    write_signal_tagger(path, model, {"note": [1, None]})
    return path


def test_what_was_written_is_read(saved: Path) -> None:
    model, record = read_signal_tagger(saved)
    assert record == {"note": [1, None]}
    assert model.settings == SignalSettings.from_dict(SMALL)
    assert model.scale.means.tolist() == [1.0, -2.0]
    assert model.scale.deviations.tolist() == [0.5, 3.0]


def put(*keys: str, value: Any) -> Change:
    def change(text: dict[str, Any], tensors: dict[str, Any]) -> None:
        for key in keys[:-1]:
            text = text[key]
        text[keys[-1]] = value

    return change


def scale(value: Any) -> Change:
    def change(text: dict[str, Any], tensors: dict[str, Any]) -> None:
        tensors["scale"] = np.array(value)

    return change


def without(name: str) -> Change:
    def change(text: dict[str, Any], tensors: dict[str, Any]) -> None:
        del tensors[name]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("version", value=2), "version 2, but this everystep reads up to 1: install a newer"),
        (put("code", value="import os"), "not text that everystep writes"),
        (put("settings", value=[]), r"settings is \[\]"),
        (put("settings", "units", value=-1), "units: expected a whole number"),
        (put("settings", "units", value=60_000), "more than the file has values for"),
        (put("settings", "layers", value=64), "more than the file has values for|not those of"),
        (put("settings", "fold", value=1), "weights differ"),
        (put("settings", "fold", value=1024), "window: expected a multiple of fold"),
        (put("settings", "plugin", value="os.system"), "no setting is called 'plugin'"),
        (put("labels", value=[]), r"labels is \[\]"),
        (put("labels", value=["a", "a", "b"]), "labels is"),
        (put("labels", value=["a", 1, "b"]), "labels is"),
        (put("labels", value=["a", "b", "c"]), "not those that the settings name"),
        (put("record", value="good"), "record is 'good'"),
        (scale([1.0, 2.0]), "scale has shape"),
        (scale([[1.0, 2.0], [1.0, 0.0]]), "deviations above 0"),
        (scale([[1.0, np.nan], [1.0, 1.0]]), "finite means"),
        (scale([[1, 2], [1, 1]]), "expected float64"),
        (scale([[1.0], [1.0]]), "weights differ"),
        (scale(np.ones((2, 9999))), "more than the file has values for|weights differ"),
        (without("scale"), "holds no tagger of signals"),
        (without("scores/bias"), "Missing in the file: 'scores/bias'"),
    ],
)
def test_hostile_contents_are_refused(
    saved: Path, tmp_path: Path, change: Change, message: str
) -> None:
    contents = read_tensors(saved)
    tensors, text = dict(contents.tensors), json.loads(contents.metadata["signal_tagger"])
    change(text, tensors)
    path = tmp_path / "changed.everystep"
    write_tensors(path, tensors, {"signal_tagger": json.dumps(text)})
    with pytest.raises(FormatError, match=message) as caught:
        es.SignalTagger.load(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_cut_off_or_damaged_is_refused(saved: Path, tmp_path: Path) -> None:
    contents = saved.read_bytes()
    path = tmp_path / "damaged.everystep"
    for length in {0, 7, 8, 100, len(contents) // 2, len(contents) - 1}:
        path.write_bytes(contents[:length])
        with pytest.raises(FormatError):
            es.SignalTagger.load(path)
    path.write_bytes(contents[:-3] + bytes([contents[-3] ^ 1]) + contents[-2:])
    with pytest.raises(FormatError, match="sha256"):
        es.SignalTagger.load(path)


def test_kinds_of_taggers_are_told_apart(saved: Path) -> None:
    with pytest.raises(FormatError, match=r"holds a tagger: everystep.SignalTagger.load reads it"):
        es.load_model(saved)
    with pytest.raises(FormatError, match="holds no tagger; "):
        es.Tagger.load(saved)
