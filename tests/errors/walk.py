"""The walk: each public entry point is called with bad values of every kind, one at a time."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from everystep.core import Configurable
from tests.errors import valid
from tests.errors.bad import complaint
from tests.errors.found import EntryPoint, entry_points
from tests.errors.hooks import ABSTRACT, CALLED, CALLS_CLASSES, HOOKS, RECORDS

# What a method takes besides, which stands behind `*args` in its signature.
BEHIND_STARS = {"Layer.__call__": ("inputs",), "Softmax.__call__": ("inputs",)}
STARS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

# What messages name in the place of an argument.
OWNERS = ("layer '", "model '", "loss '", "metric '", "optimizer '", "weight '", "vocabulary")
# In which words they speak of an argument, where they do not say its name.
WORDS = {
    "activation": ("configuration",),
    "channels": ("columns of values",),
    "chunks": ("after 0 steps",),
    "config": ("identifier", "an optimizer", "missing a required argument"),
    "data": ("Data",),
    "dev": ("signal", "sentence"),
    "ids": ("class number",),
    "identifier": ("an optimizer", "a loss is needed", "a metric is needed", "dtype"),
    "initializer": ("configuration",),
    "input_axis": ("is not step-wise",),
    "output_axis": ("is not step-wise",),
    "input_shape": ("batch_shape",),
    "json_string": ("JSON",),
    "labels": ("label",),
    "layer": ("configuration",),
    "loss": ("configuration",),
    "name": ("dtype",),
    "obj": ("configuration",),
    "pieces": ("windows",),
    "policy": ("dtype",),
    "sample_weight": ("weights",),
    "save_weights_only": ("the file name must end",),
    "sentences": ("sentence", "data: holds no token"),
    "signals": ("signal", "data: no step"),
    "states": ("Variable.assign",),
    "symbols": ("symbol",),
    "text": ("Python cannot read this",),
    "thing": ("everystep explains",),
    "a": ("everystep explains",),
    "b": ("everystep explains",),
    "value": ("configuration", "finite_inputs"),
    "x": ("OrthogonalRegularizer",),
    "y_pred": ("predictions",),
    "y_true": ("class number", "labels"),
}


class Try(NamedTuple):
    """One call with one bad value: what is wrong with its answer, and whether it was taken."""

    point: str
    parameter: str
    value: str
    wrong: str | None
    taken: bool


def walked() -> list[EntryPoint]:
    """Return the entry points that take something, hooks and records left out."""
    return [
        point
        for point in entry_points().values()
        if parameters_of(point) and point.name not in RECORDS | ABSTRACT and not is_hook(point)
    ]


def is_hook(point: EntryPoint) -> bool:
    method = point.name.rsplit(".", 1)[-1]
    hook = point.name in HOOKS or method in HOOKS
    return point.owner is not None and hook and point.name not in CALLED


def parameters_of(point: EntryPoint) -> tuple[str, ...]:
    return (*BEHIND_STARS.get(point.name, ()), *point.parameters)


def required(point: EntryPoint) -> tuple[str, ...]:
    function = point.function
    if inspect.isclass(function) and issubclass(function, Configurable) and not function._own_init:
        return tuple(name for name, item in function.settings.items() if item.required)
    parameters = inspect.signature(function).parameters.values()
    return tuple(
        each.name
        for each in parameters
        if each.default is each.empty
        and each.kind not in STARS
        and each.name not in ("self", "cls")
    )


def called(point: EntryPoint, changed: dict[str, Any]) -> Any:
    """Call an entry point as it works, but for the arguments that are changed."""
    names = required(point)
    given = valid.arguments_of(point, names)
    examples = given.pop("*", [])
    given |= changed
    function = point.function
    if point.owner is not None:
        cls, method = point.name.split(".")
        made = valid.OBJECTS.get(point.name) or valid.OBJECTS[cls]
        function = getattr(made(), method)
    leading = [given.pop(name) for name in names] if examples else []
    answer = function(*leading, *examples, **given)
    return list(answer) if inspect.isgenerator(answer) else answer


def tries(point: EntryPoint, parameter: str, values: dict[str, Any]) -> Iterator[Try]:
    """Call an entry point once with each value of a parameter."""
    for name, value in values.items():
        if name == "a class" and f"{point.name} {parameter}" in CALLS_CLASSES:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrong = None
            try:
                called(point, {parameter: value})
                taken = True
            except Exception as error:
                taken = False
                names = (parameter, point.name.rsplit(".", 1)[-1], str(value))
                wrong = complaint(error, (*names, *OWNERS, *WORDS.get(parameter, ())))
        yield Try(point.name, parameter, name, wrong, taken)
