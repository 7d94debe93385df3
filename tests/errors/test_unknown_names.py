"""A name that nothing has: the error says which one is near, alike wherever names are looked up."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import everystep as es
from everystep.cli import main
from everystep.cli.targets import _object_in
from everystep.errors import EverystepError, cure_of_name
from everystep.tagging import SequenceTagger, Settings
from tests.errors.valid import fresh_model


def configured(name: str) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": name, "config": {"units": 3}}


# What looks names up, a name that is none, and the one that is near.
LOOK_UPS: dict[str, tuple[Callable[[str], Any], str, str]] = {
    "activation": (es.activations.get, "tahn", "tanh"),
    "activation of a layer": (lambda name: es.layers.Dense(3, activation=name), "rellu", "relu"),
    "constraint": (es.constraints.get, "max_nrom", "max_norm"),
    "initializer": (es.initializers.get, "glorot_unifrom", "glorot_uniform"),
    "layer in a configuration": (
        lambda name: es.layers.deserialize(configured(name)),
        "Dens",
        "Dense",
    ),
    "layer of a model": (fresh_model().get_layer, "lable", "label"),
    "loss": (es.losses.get, "mean_squared_eror", "mean_squared_error"),
    "loss of compile": (lambda name: fresh_model().compile("sgd", name), "hingee", "hinge"),
    "metric": (es.metrics.get, "AUCC", "AUC"),
    "object of a module": (
        lambda name: _object_in(SimpleNamespace(model=1), "m", "m", name),  # type: ignore[arg-type]
        "modle",
        "model",
    ),
    "optimizer": (es.optimizers.get, "adamm", "adam"),
    "reader": (es.corpora.reader, "conlu", "conllu"),
    "regularizer": (es.regularizers.get, "l22", "l2"),
    "schedule": (
        lambda name: es.optimizers.schedules.deserialize({"class_name": name, "config": {}}),
        "CosineDecey",
        "CosineDecay",
    ),
    "setting of a callback": (
        lambda name: es.callbacks.EarlyStopping(**{name: 3}),
        "patiense",
        "patience",
    ),
    "setting of a layer": (lambda name: es.layers.Dense(3, **{name: True}), "use_bais", "use_bias"),
    "setting of a loss": (
        lambda name: es.losses.Huber(**{name: 1.0}),
        "dleta",
        "delta",
    ),
    "setting of a metric": (lambda name: es.metrics.AUC(**{name: "ROC"}), "curv", "curve"),
    "setting of a tagger": (lambda name: Settings.from_dict({name: 3}), "epoch", "epochs"),
    "setting of an estimator": (lambda name: SequenceTagger(**{name: 3}), "unit", "units"),
    "setting of an optimizer": (
        lambda name: es.optimizers.Adam(**{name: 0.1}),
        "learnin_rate",
        "learning_rate",
    ),
}


@pytest.mark.parametrize("what", LOOK_UPS)
def test_an_unknown_name_is_answered_with_the_nearest(what: str) -> None:
    look_up, name, near = LOOK_UPS[what]
    with pytest.raises(EverystepError) as caught:
        look_up(name)
    assert name in str(caught.value)
    assert f"did you mean '{near}'?" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["trian"], "train"),
        (["train", "--lable", "upos"], "--label"),
        (["explain", "--stesp", "3"], "--steps"),
    ],
)
def test_an_unknown_command_or_option_is_answered_with_the_nearest(
    arguments: list[str], near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert near in said
    assert said.count("\n") == 1


def test_where_no_name_is_near_all_are_named() -> None:
    assert cure_of_name("nothing", ["lstm", "gru"]) == "there are lstm, gru"
    assert cure_of_name(3, ["lstm", "gru"]) == "there are lstm, gru"
