"""Laws over every activation-like family: settings refuse bad values, configurations come back."""

import json
from typing import Any

import pytest

from everystep import constraints, initializers, losses, metrics, optimizers, regularizers
from everystep.core import deserialize, serialize
from everystep.errors import SettingError

FAMILIES = [initializers, regularizers, constraints, losses, metrics, optimizers]
REQUIRED: dict[str, dict[str, Any]] = {
    "MeanMetricWrapper": {"fn": losses.mean_squared_error},
    "FunctionLoss": {"fn": losses.mean_squared_error},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "MeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [1]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "LossScaleOptimizer": {"inner_optimizer": optimizers.SGD()},
}
CLASSES: list[Any] = [
    cls for family in FAMILIES for cls in family.CATALOGUE.classes.values() if isinstance(cls, type)
] + [losses.FunctionLoss]
SETTINGS = [(cls, name) for cls in CLASSES for name in cls.settings]


def made(cls: Any) -> Any:
    return cls(**REQUIRED.get(cls.__name__, {}))


@pytest.mark.parametrize(("cls", "name"), SETTINGS, ids=lambda v: getattr(v, "__name__", v))
def test_a_bad_value_names_class_and_setting(cls: Any, name: str) -> None:
    kind = cls.settings[name].kind
    assert kind.refused, "a kind that refuses nothing checks nothing"
    for value in kind.refused:
        with pytest.raises(SettingError) as caught:
            cls(**{**REQUIRED.get(cls.__name__, {}), name: value})
        assert cls.__name__ in str(caught.value)
        assert name in str(caught.value)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_a_configuration_comes_back_through_json(cls: Any) -> None:
    thing = made(cls)
    config = json.loads(json.dumps(thing.get_config()))
    again = cls.from_config(config)
    assert type(again) is cls
    assert again.get_config() == thing.get_config()


@pytest.mark.parametrize(
    "cls", [c for c in CLASSES if c is not losses.FunctionLoss], ids=lambda c: c.__name__
)
def test_serialized_objects_are_found_by_their_family(cls: Any) -> None:
    data = json.loads(json.dumps(serialize(made(cls))))
    assert data["module"].startswith("keras.")
    assert type(deserialize(data)) is cls


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_every_name_and_alias_resolves(family: Any) -> None:
    catalogue = family.CATALOGUE
    for name, cls in {**catalogue.classes, **catalogue.aliases}.items():
        # Keras's rule: where a function and a class share a name, the function's is meant.
        assert catalogue.find(name) is catalogue.classes.get(name, cls)
        assert name in catalogue.classes or cls in catalogue.classes.values()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
@pytest.mark.parametrize("bad", [3, 2.5, ["adam"], {"config": {}}], ids=str)
def test_what_stands_for_nothing_is_refused(family: Any, bad: Any) -> None:
    with pytest.raises((SettingError, TypeError), match=r"must be"):
        family.get(bad)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_an_unknown_name_suggests_one_that_exists(family: Any) -> None:
    name = sorted(family.CATALOGUE.classes, key=len)[-1]
    with pytest.raises(SettingError, match=f"did you mean '{name}'"):
        family.get(name + "x")


def test_an_unknown_setting_suggests_one_that_exists() -> None:
    with pytest.raises(SettingError, match="did you mean 'learning_rate'"):
        optimizers.Adam(learnin_rate=0.1)
