"""Files of taggers that are damaged, hostile, newer, or of another kind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.corpora.vocabulary import Vocabulary
from everystep.errors import FormatError
from everystep.formats import read_tensors, write_tensors
from everystep.tagging.batches import Rows
from everystep.tagging.features import Features
from everystep.tagging.files import read_tagger, write_tagger
from everystep.tagging.model import TaggerModel
from everystep.tagging.settings import Settings

SETTINGS = Settings(embedding=3, character_embedding=2, character_units=2, units=3)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    features = Features.of([["a", "b\u00e9"]], SETTINGS)
    labels = Vocabulary(["X", "Y"], reserved=False)
    path = tmp_path_factory.mktemp("taggers") / "untrained.everystep"
    write_tagger(path, TaggerModel(SETTINGS, features, labels, Rows(2, 9)), {"note": [1, None]})
    return path


def changed(
    saved: Path, folder: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]
) -> Path:
    """Write the file again, with a right checksum but other contents."""
    contents = read_tensors(saved)
    tensors, text = dict(contents.tensors), json.loads(contents.metadata["tagger"])
    change(text, tensors)
    path = folder / "changed.everystep"
    write_tensors(path, tensors, {"tagger": json.dumps(text)})
    return path


def test_what_was_written_is_read(saved: Path) -> None:
    model, record = read_tagger(saved)
    assert record == {"note": [1, None]}
    assert model.settings == SETTINGS
    assert model.rows == Rows(2, 9)
    assert model.features.words.entries == ("a", "b\u00e9")


def put(*keys: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(text: dict[str, Any], tensors: dict[str, Any]) -> None:
        for key in keys[:-1]:
            text = text[key]
        text[keys[-1]] = value

    return change


def vocabularies(value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(text: dict[str, Any], tensors: dict[str, Any]) -> None:
        tensors["vocabularies"] = np.frombuffer(value, np.uint8)

    return change


def longer(text: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["scores/bias"] = np.zeros(5, "float32")


def without(text: dict[str, Any], tensors: dict[str, Any]) -> None:
    del tensors["scores/bias"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("version", value=2), "version 2, but this everystep reads up to 1: install a newer"),
        (put("version", value="1"), "not text that everystep writes"),
        (put("code", value="import os"), "not text that everystep writes"),
        (put("settings", value=[]), r"settings is \[\]"),
        (put("settings", "units", value=-1), "units: expected a whole number"),
        (put("settings", "units", value=60_000), "more than the file has values for"),
        (put("settings", "layers", value=64), "more than the file has values for|not those of"),
        (put("settings", "embedding", value=4), "weights differ"),
        (put("settings", "plugin", value="os.system"), "no setting is called 'plugin'"),
        (put("labels", value=[]), r"labels is \[\]"),
        (put("labels", value=["X", "X"]), "'X' is there twice"),
        (put("labels", value=["X", {"Y": 1}]), "expected text"),
        (put("labels", value=["X"] + [f"{n}" for n in range(99)]), "weights differ"),
        (put("rows", value=[2, 2**40]), "rows is"),
        (put("rows", value=[2, -1]), "rows is"),
        (put("record", value="good"), "record is 'good'"),
        (vocabularies(b"\xff{"), "vocabularies is not UTF-8"),
        (vocabularies(b"[" * 3000), "is nested more than 100|is not JSON"),
        (vocabularies(b'{"words": 1}'), "features: expected a mapping"),
        (longer, "weights differ"),
        (without, "Missing in the file: 'scores/bias'"),
    ],
)
def test_hostile_contents_are_refused(
    saved: Path, tmp_path: Path, change: Any, message: str
) -> None:
    path = changed(saved, tmp_path, change)
    with pytest.raises(FormatError, match=message) as caught:
        es.Tagger.load(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_cut_off_or_damaged_is_refused(saved: Path, tmp_path: Path) -> None:
    contents = saved.read_bytes()
    path = tmp_path / "damaged.everystep"
    for length in {0, 7, 8, 100, len(contents) // 2, len(contents) - 1}:
        path.write_bytes(contents[:length])
        with pytest.raises(FormatError):
            es.Tagger.load(path)
    path.write_bytes(contents[:-3] + bytes([contents[-3] ^ 1]) + contents[-2:])
    with pytest.raises(FormatError, match="sha256"):
        es.Tagger.load(path)


def test_models_and_taggers_are_told_apart(saved: Path, tmp_path: Path) -> None:
    es.Sequential([es.layers.Dense(1, input_shape=(2,))]).save(tmp_path / "dense.everystep")
    with pytest.raises(FormatError, match=r"holds no tagger; everystep.load_model"):
        es.Tagger.load(tmp_path / "dense.everystep")
    with pytest.raises(FormatError, match=r"holds a tagger: .*Tagger.load"):
        es.load_model(saved)
    with pytest.raises(FileNotFoundError):
        es.Tagger.load(tmp_path / "none.everystep")
    with pytest.raises(FormatError, match="must end with"):
        es.Tagger.load(saved).save(tmp_path / "tagger.bin")
