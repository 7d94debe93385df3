"""The catalogue is whole."""

import inspect

from everystep import layers
from everystep.layers import CATALOGUE, Layer, Wrapper
from tests.catalogue import ENTRIES

ABSTRACT = {Layer, Wrapper}


def test_every_public_layer_has_an_entry() -> None:
    public = {getattr(layers, name) for name in layers.__all__}
    classes = {thing for thing in public if inspect.isclass(thing) and issubclass(thing, Layer)}
    assert classes - ABSTRACT == {type(entry.subject()) for entry in ENTRIES} & classes


def test_every_public_layer_can_be_named_in_a_configuration() -> None:
    public = {getattr(layers, name) for name in layers.__all__}
    classes = {thing for thing in public if inspect.isclass(thing) and issubclass(thing, Layer)}
    assert classes - ABSTRACT == set(CATALOGUE.classes.values())


def test_entries_have_names_of_their_own() -> None:
    names = [entry.name for entry in ENTRIES]
    assert len(names) == len(set(names))
