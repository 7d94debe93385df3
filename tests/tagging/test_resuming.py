"""Files that keep a training, damaged in what they say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.callbacks import LambdaCallback
from everystep.errors import DataError, FormatError
from everystep.formats import parse_json, read_tensors, write_json, write_tensors
from tests.tagging.languages import SMALL, sentences

DATA = sentences(8, 1)
SETTINGS = {**SMALL, "units": 2, "characters": "none", "epochs": 1}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training with dev left at its end."""
    path = tmp_path_factory.mktemp("resuming") / "state"
    es.Tagger.train(DATA, DATA, SETTINGS, 0, resume=path)
    return path


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": None},
        {"epoch": 0},
        {"epoch": True},
        {"epoch": 1.5},
        {"steps": -1},
        {"ended": 1},
        {"seconds": "3"},
        {"curve": []},
        {"curve": {}},
        {"curve": {"loss": 3}},
        {"curve": {"loss": [1.0, 2.0]}},
        {"curve": {"loss": ["1"]}},
        {"stopping": {}},
        {"stopping": {"wait": 0, "stopped_epoch": 0, "best_epoch": 0, "best": "1"}},
        {"stopping": {"wait": 0, "stopped_epoch": 0, "best_epoch": 0, "best": 1, "model": 1}},
        {"more": 1},
    ],
)
def test_a_state_that_says_something_else_is_refused(
    state: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    contents = read_tensors(state)
    text = parse_json(contents.metadata["training"], "state") | change
    text = {key: value for key, value in text.items() if value is not None}
    damaged = tmp_path / "damaged"
    write_tensors(damaged, contents.tensors, {"training": write_json(text)})
    _is_refused(damaged)


@pytest.mark.parametrize("change", [{"best/0": None}, {"best/0": (1, 1)}, {"best/99": (1,)}])
def test_a_state_with_other_best_weights_is_refused(
    state: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    contents = read_tensors(state)
    tensors = dict(contents.tensors)
    for name, shape in change.items():
        tensors.pop(name, None)
        if shape is not None:
            tensors[name] = np.zeros(shape, "float32")
    damaged = tmp_path / "damaged"
    write_tensors(damaged, tensors, {"training": contents.metadata["training"]})
    _is_refused(damaged)


def test_a_loss_that_is_no_number_ends_training_and_the_state_before_it_is_kept(
    tmp_path: Path,
) -> None:
    def spoil(epoch: int, logs: Any) -> None:
        if epoch == 1:
            network = spoiling.model
            network.set_weights([np.nan * array for array in network.get_weights()])

    spoiling = LambdaCallback(on_epoch_begin=spoil)
    settings = {**SETTINGS, "epochs": 3}
    with pytest.raises(DataError, match=r"loss is nan after epoch 2.*learning_rate"):
        es.Tagger.train(DATA, DATA, settings, 0, [spoiling], resume=tmp_path / "state")
    text = parse_json(read_tensors(tmp_path / "state").metadata["training"], "state")
    assert text["epoch"] == 1


def _is_refused(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(FormatError, match=r"damaged: .*remove the file to start anew"):
        es.Tagger.train(DATA, DATA, SETTINGS, 0, resume=path)
    assert path.read_bytes() == before
