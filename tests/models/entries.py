"""A model of an entry of the catalogue, whatever the layer is called on."""

from typing import Any

import everystep as es
from tests.catalogue import Entry
from tests.catalogue.doubled import Doubled


def model_of(entry: Entry, batch_shape: Any) -> tuple[Any, int]:
    """Returns a model of the entry's layer, and how many inputs it has, all of one shape."""
    dtype = "int32" if entry.ids else "float32"
    start, layer = es.Input(batch_shape=batch_shape, dtype=dtype), entry.make()
    if not isinstance(layer, Doubled):
        return es.Sequential([start, layer]), 1
    starts = [start, es.Input(batch_shape=batch_shape)]
    outputs = layer.layer(starts) if layer.way == "list" else layer.layer(*starts)
    return es.Model(starts, outputs), 2
