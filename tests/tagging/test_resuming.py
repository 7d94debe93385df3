"""What keeps a training of a tagger: whose it is, and what it says when it is damaged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.callbacks import LambdaCallback
from everystep.callbacks.checkpoints import newest
from everystep.errors import DataError, FormatError
from everystep.formats import parse_json, write_json, write_tensors
from tests.tagging.languages import SMALL, sentences

DATA = sentences(8, 1)
SETTINGS = {**SMALL, "units": 2, "characters": "none", "epochs": 1}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training with dev left at its end."""
    path = tmp_path_factory.mktemp("resuming") / "state"
    es.Tagger.train(DATA, DATA, SETTINGS, 0, resume=path)
    return path


def test_a_training_of_other_settings_is_refused(state: Path) -> None:
    before = {path.name: path.read_bytes() for path in state.iterdir()}
    with pytest.raises(FormatError, match="not of a training with these settings"):
        es.Tagger.train(DATA, DATA, {**SETTINGS, "dropout": 0.4}, 0, resume=state)
    with pytest.raises(FormatError, match="not of a training with these settings"):
        es.Tagger.train(DATA, DATA[:5], SETTINGS, 0, resume=state)
    assert {path.name: path.read_bytes() for path in state.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("EarlyStopping 1", {"wait": -1.5}),
        ("EarlyStopping 1", {"best": "1"}),
        ("EarlyStopping 1", {"model": 1}),
        ("Known 1", {"seconds": "3"}),
        ("Known 1", {"identity": 3}),
        ("History 1", {"history": []}),
        ("History 1", {"history": {"loss": 3}}),
        ("History 1", {"history": {"loss": [1.0, 2.0]}}),
    ],
)
def test_a_state_that_says_something_else_is_refused(
    state: Path, tmp_path: Path, name: str, change: dict[str, Any]
) -> None:
    found = newest(state)
    assert found is not None
    path, contents = found
    text = parse_json(contents.metadata["training"], "state")
    (kept,) = (each for called, each in text["callbacks"] if called == name)
    kept |= change
    write_tensors(tmp_path / path.name, contents.tensors, {"training": write_json(text)})
    with pytest.raises(FormatError, match=rf"{path.name}: the state kept of {name[:-2]} "):
        es.Tagger.train(DATA, DATA, SETTINGS, 0, resume=tmp_path)


def test_a_loss_that_is_no_number_ends_training_and_the_state_before_it_is_kept(
    tmp_path: Path,
) -> None:
    def spoil(epoch: int, logs: Any) -> None:
        if epoch == 1:
            network = spoiling.model
            network.set_weights([np.nan * array for array in network.get_weights()])

    spoiling = LambdaCallback(on_epoch_begin=spoil)
    settings = {**SETTINGS, "epochs": 3}
    with pytest.raises(DataError, match=r"epoch 2, batch 1.*its loss is nan.*learning rate"):
        es.Tagger.train(DATA, DATA, settings, 0, [spoiling], resume=tmp_path / "state")
    found = newest(tmp_path / "state")
    assert found is not None
    assert parse_json(found[1].metadata["training"], "state")["epoch"] == 1
