"""Which weight of a file belongs to which weight of a model: by path, or by place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from everystep.errors import FormatError

_NUMBERED = re.compile(r"^(.*?)(?:_(\d+))?$")


def matched(
    wanted: Iterable[str], given: Mapping[str, np.ndarray[Any, Any]], where: str
) -> dict[str, np.ndarray[Any, Any]]:
    """Return the array for each path of a model.

    A model that is built a second time in one process gets other automatic names: `dense_3` for
    `dense`. So where the paths are not the same, the numbers at their ends only say the order.

    Args:
        wanted: the paths of the model's weights.
        given: the arrays of the file by path.
        where: the file, for error messages.

    Raises:
        FormatError: a weight is missing, or one is there that the model does not have.

    Example:
        >>> arrays = {"a/dense/bias": np.zeros(2), "a/dense_1/bias": np.ones(3)}
        >>> found = matched(["b/dense_7/bias", "b/dense_8/bias"], arrays, "a.safetensors")
        >>> {path: array.shape for path, array in found.items()}
        {'b/dense_7/bias': (2,), 'b/dense_8/bias': (3,)}
    """
    wanted = list(wanted)
    if set(wanted) == given.keys():
        return {path: given[path] for path in wanted}
    places = {place: path for path, place in renumbered(given).items()}
    own = renumbered(wanted)
    if set(own.values()) == places.keys():
        return {path: given[places[place]] for path, place in own.items()}
    missing = sorted(set(wanted) - given.keys())
    extra = sorted(given.keys() - set(wanted))
    raise FormatError(
        f"{where}: its weights are not those of the model. Missing in the file: "
        f"{_listed(missing)}. Not in the model: {_listed(extra)}"
    )


def _listed(names: list[str], most: int = 20) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name[:200]) for name in names[:most]) + more or "none"


def renumbered(paths: Iterable[str]) -> dict[str, str]:
    """Return for each path one in which numbered names count from the start, without the model's.

    >>> renumbered(["net/lstm_4/kernel", "net/lstm_12/kernel"])
    {'net/lstm_4/kernel': 'lstm/kernel', 'net/lstm_12/kernel': 'lstm_1/kernel'}
    """
    paths = list(paths)
    parts = {path: path.split("/") for path in paths}
    children: dict[tuple[str, ...], set[str]] = {}
    for names in parts.values():
        for depth in range(len(names) - 1):
            children.setdefault(tuple(names[:depth]), set()).add(names[depth])
    one_root = len(children.get((), ())) == 1 and all(len(names) > 1 for names in parts.values())
    new_names = {parent: _counted(names) for parent, names in children.items()}
    found = {}
    for path, names in parts.items():
        layers = [new_names[tuple(names[:d])][names[d]] for d in range(len(names) - 1)]
        found[path] = "/".join([*layers[1 if one_root else 0 :], names[-1]])
    return found


def _counted(names: Iterable[str]) -> dict[str, str]:
    """Return new names for the layers of one layer: each stem counts from the start."""

    def split(name: str) -> tuple[str, int]:
        stem, number = _NUMBERED.fullmatch(name).groups()  # type: ignore[union-attr]
        return stem, int(number or 0)

    count: dict[str, int] = {}
    found = {}
    for name in sorted(names, key=split):
        stem, _ = split(name)
        place = count[stem] = count.get(stem, -1) + 1
        found[name] = f"{stem}_{place}" if place else stem
    return found
