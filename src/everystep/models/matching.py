"""Which weight of a file belongs to which weight of a model: by the names of their layers.

A variable's own path says where it came into being, which may be outside of the model that it is
in now. A file names the place in the model instead: the layers around it, from the outside in.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from itertools import chain, count
from typing import Any

import numpy as np

from everystep.core.variables import Variable
from everystep.errors import FormatError
from everystep.layers.tree import LayerTree

_NUMBERED = re.compile(r"^(.*?)(?:_(\d+))?$")


def places_of(model: LayerTree) -> dict[str, Variable]:
    """Return the variables that outlast a call by their places, without the model's own name.

    What stands in two places has the first one; a name that comes twice in one place gets a number.

    Example:
        >>> import everystep as es
        >>> inner = es.Sequential([es.layers.Dense(2, input_shape=(3,), name="label")], name="row")
        >>> each = es.layers.TimeDistributed(inner, name="each")
        >>> model = es.Sequential([es.Input((None, 3)), each])
        >>> list(places_of(model))
        ['each/row/label/kernel', 'each/row/label/bias']
    """
    found: dict[str, Variable] = {}
    _collect(model, "", found, set())
    return found


def _collect(layer: LayerTree, place: str, found: dict[str, Variable], seen: set[Variable]) -> None:
    inner = {variable for part in layer.sublayers() for variable in part.variables}
    for variable in layer.variables:
        if variable not in inner | seen and not variable.temporary:
            seen.add(variable)
            found[_free(f"{place}{variable.name}", found)] = variable
    places: dict[str, None] = {}
    for part in layer.sublayers():
        inside = _free(f"{place}{part.name}", places)
        places[inside] = None
        _collect(part, f"{inside}/", found, seen)


def _free(name: str, taken: Container[str]) -> str:
    numbered = (f"{name}_{number}" for number in count(1))
    return next(other for other in chain([name], numbered) if other not in taken)


def matched(
    wanted: Iterable[str],
    given: Mapping[str, np.ndarray[Any, Any]],
    where: str,
    partly: bool = False,
) -> dict[str, np.ndarray[Any, Any]]:
    """Return the array for each path of a model.

    A model that is built a second time in one process gets other automatic names: `dense_3` for
    `dense`. So where the paths are not the same, the numbers at their ends only say the order.

    Args:
        wanted: the places of the model's weights.
        given: the arrays of the file by place.
        where: the file, for error messages.
        partly: whether what has no counterpart is left out, on either side.

    Raises:
        FormatError: a weight is missing, or one is there that the model does not have.

    Example:
        >>> arrays = {"dense/bias": np.zeros(2), "dense_1/bias": np.ones(3)}
        >>> found = matched(["dense_7/bias", "dense_8/bias"], arrays, "a.safetensors")
        >>> {path: array.shape for path, array in found.items()}
        {'dense_7/bias': (2,), 'dense_8/bias': (3,)}
    """
    wanted = list(wanted)
    if set(wanted) == given.keys():
        return {path: given[path] for path in wanted}
    places = {place: path for path, place in renumbered(given).items()}
    own = renumbered(wanted)
    if partly or set(own.values()) == places.keys():
        return {path: given[places[place]] for path, place in own.items() if place in places}
    missing = sorted(set(wanted) - given.keys())
    extra = sorted(given.keys() - set(wanted))
    raise FormatError(
        f"{where}: its weights are not those of the model. Missing in the file: "
        f"{listed(missing)}. Not in the model: {listed(extra)}"
    )


def listed(names: list[str], most: int = 20) -> str:
    """Return names for an error message, the first of them where they are many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name[:200]) for name in names[:most]) + more or "none"


def renumbered(paths: Iterable[str]) -> dict[str, str]:
    """Return for each path one in which the numbers of layers count from the start.

    >>> renumbered(["lstm_4/kernel", "lstm_12/kernel"])
    {'lstm_4/kernel': 'lstm/kernel', 'lstm_12/kernel': 'lstm_1/kernel'}
    """
    # Layers in layers: to name each by all that is around it would take the square of the depth.
    tree: dict[str, Any] = {}
    layers = {path: path.split("/")[:-1] for path in paths}
    for names in layers.values():
        inside = tree
        for name in names:
            inside = inside.setdefault(name, {})
    counted, pending = {}, [tree]
    while pending:
        inside = pending.pop()
        counted[id(inside)] = _counted(inside)
        pending.extend(inside.values())
    found = {}
    for path, names in layers.items():
        inside, parts = tree, []
        for name in names:
            parts.append(counted[id(inside)][name])
            inside = inside[name]
        found[path] = "/".join([*parts, path.rpartition("/")[2]])
    return found


def _counted(names: Iterable[str]) -> dict[str, str]:
    """Return new names for the layers of one layer: each stem counts from the start."""

    def split(name: str) -> tuple[str, int]:
        stem, number = _NUMBERED.fullmatch(name).groups()  # type: ignore[union-attr]
        return stem, int(number or 0)

    counts: dict[str, int] = {}
    found = {}
    for name in sorted(names, key=split):
        stem, _ = split(name)
        place = counts[stem] = counts.get(stem, -1) + 1
        found[name] = f"{stem}_{place}" if place else stem
    return found
