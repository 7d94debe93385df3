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


# Functions are in a table of each library's own.
@about(lambda entry: "Lambda" not in entry.name)
def test_keras_reads_a_configuration_and_its_own_is_read_back(entry: Entry) -> None:
    layer = entry.subject()
    theirs = getattr(keras.layers, type(layer).__name__, None)
    if theirs is None:
        pytest.skip("Keras has no such layer")
    config = layer.get_config()
    again = type(layer).from_config(theirs.from_config(layer.get_config()).get_config())
    found = again.get_config()
    assert found == filled_in(config, found)
