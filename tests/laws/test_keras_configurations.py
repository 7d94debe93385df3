"""A layer's configuration goes to Keras and comes back: each reads what the other writes."""

from typing import Any

import pytest

from tests.catalogue import Entry
from tests.laws.selection import about

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")


def filled_in(config: Any, other: Any) -> Any:
    """The configuration with the other's values where it leaves the choice to the layer."""
    if isinstance(config, dict):
        return {key: filled_in(value, other[key]) for key, value in config.items()}
    return other if config is None else config


def layers_in(config: Any) -> set[str]:
    """The names of the classes of layers in a configuration."""
    inside = list(config.values()) if isinstance(config, dict) else config
    found = set().union(*map(layers_in, inside)) if isinstance(inside, list) else set()
    if isinstance(config, dict) and config.get("module", "") in (None, "keras.layers"):
        found.add(config["class_name"])
    return found


# Functions are in a table of each library's own.
@about(lambda entry: "Lambda" not in entry.name)
def test_keras_reads_a_configuration_and_its_own_is_read_back(entry: Entry) -> None:
    layer = entry.subject()
    config = layer.get_config()
    theirs = getattr(keras.layers, type(layer).__name__, None)
    if theirs is None or not all(hasattr(keras.layers, name) for name in layers_in(config)):
        pytest.skip("Keras has no such layer")
    again = type(layer).from_config(theirs.from_config(layer.get_config()).get_config())
    found = again.get_config()
    assert found == filled_in(config, found)
