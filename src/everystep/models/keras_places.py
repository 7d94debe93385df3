"""Where Keras puts a weight in its files: by attributes and classes, not by the names of layers.

A layer stands under the name of the attribute that holds it; in a list, under its class and its
number there. What stands in two places has the first one, in the order of the attributes' names.
The weights of a layer itself are `vars/0`, `vars/1` and so on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from everystep.core.naming import snake_case
from everystep.core.variables import Variable
from everystep.layers.tree import LayerTree
from everystep.models.model import Model
from everystep.models.sequential import Sequential


def keras_places_of(model: LayerTree) -> dict[str, Variable]:
    """Return the variables that outlast a call by the places that Keras gives them.

    Example:
        >>> import everystep as es
        >>> each = es.layers.TimeDistributed(es.layers.Dense(2))
        >>> model = es.Sequential([es.Input((None, 3)), each, es.layers.Dense(5)])
        >>> for place, variable in keras_places_of(model).items():
        ...     print(place, variable.name)
        layers/time_distributed/layer/vars/0 kernel
        layers/time_distributed/layer/vars/1 bias
        layers/dense/vars/0 kernel
        layers/dense/vars/1 bias
    """
    found: dict[str, Variable] = {}
    _collect(model, "", found, set())
    return found


def _collect(
    layer: LayerTree, place: str, found: dict[str, Variable], seen: set[LayerTree]
) -> None:
    if layer in seen:
        return
    seen.add(layer)
    # A weight of a layer inside is also the layer's own where an attribute holds it.
    own = [variable for variable in layer.held_variables() if not variable.temporary]
    found |= {f"{place}vars/{number}": variable for number, variable in enumerate(own)}
    for name, value in _attributes(layer):
        _collect_from(value, f"{place}{name}/", found, seen)


def _collect_from(value: Any, place: str, found: dict[str, Variable], seen: set[LayerTree]) -> None:
    if isinstance(value, LayerTree):
        _collect(value, place, found, seen)
    elif isinstance(value, list | tuple | dict):
        counts: Counter[str] = Counter()
        for item in value.values() if isinstance(value, dict) else value:
            if not isinstance(item, LayerTree | list | tuple | dict):
                continue
            name = snake_case(type(item).__name__) if isinstance(item, LayerTree) else "container"
            numbered = f"{name}_{counts[name]}" if counts[name] else name
            counts[name] += 1
            _collect_from(item, f"{place}{numbered}/", found, seen)


def _attributes(layer: LayerTree) -> Iterator[tuple[str, Any]]:
    """Give the attributes in the order in which Keras looks at them, private ones last."""
    held = {_public(layer, name): value for name, value in vars(layer).items() if name != "_given"}
    if isinstance(layer, Model):
        held["layers"] = layer.layers
    ordered = isinstance(layer, Sequential) or (isinstance(layer, Model) and layer.is_graph)
    first = "layers" if ordered else ""
    for name in sorted(held, key=lambda name: (name != first, name.startswith("_"), name)):
        yield name, held[name]


def _public(layer: LayerTree, name: str) -> str:
    """Return the name of an attribute, or that of the property behind which it stands."""
    public = name.removeprefix("_")
    return public if isinstance(getattr(type(layer), public, None), property) else name
