"""Functions whose arguments are held to kinds: those of their annotations, and those they name."""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar, overload

import numpy as np

from everystep.errors import DataError, EverystepError, ShapeError
from everystep.kinds.kind import Kind, optional, shown
from everystep.kinds.plain import BOOLEAN, INTEGER, MAPPING, PATH, REAL, TEXT, WORDS

Function = TypeVar("Function", bound=Callable[..., Any])

_PLAIN = {
    "bool": BOOLEAN,
    "int": INTEGER,
    "float": REAL,
    "str": TEXT,
    "str | PathLike[str]": PATH,
    "str | Path": PATH,
    "Mapping[str, Any]": MAPPING,
    "dict[str, Any]": MAPPING,
    "list[str]": WORDS,
}
_BY_ANNOTATION = _PLAIN | {f"{words} | None": optional(kind) for words, kind in _PLAIN.items()}


@overload
def checked(function: Function, /) -> Function: ...


@overload
def checked(*, axis_of: str = "", **kinds: Kind) -> Callable[[Function], Function]: ...


def checked(function: Any = None, /, *, axis_of: str = "", **kinds: Kind) -> Any:
    """Hold the arguments of a function to the kinds of its annotations, before it runs.

    What is annotated `bool`, `int`, `float`, `str` or as a path, or one of these or None, is
    checked; defaults, and what is annotated otherwise, are not. The function gets what the kinds
    make of the values, such as an array of a list.

    Args:
        function: the function or method.
        axis_of: the name of an array, among whose axes the argument `axis` must be.
        **kinds: kinds of parameters for which the annotation says too little.

    Raises:
        SettingError: a value is of another kind; the message names function and argument.
        ShapeError: the array has no such axis.
        DataError: a function of arrays cannot compute with those that it is given.

    Example:
        >>> from everystep.kinds import POSITIVE
        >>> @checked(units=POSITIVE)
        ... def grown(units: int, by: float = 1.0) -> float:
        ...     return units * by
        >>> grown(3, by="much")
        Traceback (most recent call last):
        everystep.errors.SettingError: grown: by must be a number, not 'much'
    """
    if function is None:
        return functools.partial(checked, axis_of=axis_of, **kinds)
    signature = inspect.signature(function)
    parameters = signature.parameters.values()
    known = {each.name: _BY_ANNOTATION.get(_written(each.annotation)) for each in parameters}
    known |= kinds
    by_place = [
        each.name
        for each in parameters
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    of_an_object = by_place[:1] == ["self"]
    of_arrays = any(issubclass(kind.error, DataError) for kind in known.values() if kind)
    called: Callable[..., Any] = function

    @functools.wraps(called)
    def held(*args: Any, **kwargs: Any) -> Any:
        def taken(name: str, value: Any) -> Any:
            kind = known.get(name)
            if kind is None:
                return value
            return kind.taken(f"{_owner(called, args[0] if of_an_object else None)}: {name}", value)

        # What has no name, or one place too many, is the function's own to take or to refuse.
        places = itertools.chain(by_place, itertools.repeat(""))
        given = [taken(name, value) for name, value in zip(places, args, strict=False)]
        named = {name: taken(name, value) for name, value in kwargs.items()}
        if axis_of:
            _check_axis(signature.bind(*given, **named), axis_of, called.__name__)
        try:
            return called(*given, **named)
        except Exception as error:
            if not of_arrays or not came_of_arguments(error):
                raise
            refused = {**dict(zip(by_place, given, strict=False)), **named}
            words = ", ".join(f"{name}={shown(value)}" for name, value in refused.items())
            reason = str(error).strip().split("\n")[0].rstrip(":")
            raise DataError(f"{called.__name__} cannot compute with {words}: {reason}") from error

    return held


_OURS = {"everystep", "jax", "jaxlib", "numpy", "opt_einsum"} | sys.stdlib_module_names
_OF_ARGUMENTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    IndexError,
    TypeError,
    ValueError,
)
# What JAX says of how a program was written: a value was asked for that is not known yet.
_OF_A_PROGRAM = {"JAXTypeError", "JAXIndexError"}


def came_of_arguments(error: Exception) -> bool:
    """Whether what was raised can come of the values alone that a function of ours was given.

    No error of ours, none of how a program is written, and none on whose way a function of a user
    ran, in which anything may have gone wrong.
    """
    if not isinstance(error, _OF_ARGUMENTS) or isinstance(error, EverystepError):
        return False
    if _OF_A_PROGRAM & {cls.__name__ for cls in type(error).__mro__}:
        return False
    return _all_ours(error.__traceback__)


def _all_ours(traceback: TracebackType | None) -> bool:
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        if module.partition(".")[0] not in _OURS:
            return False
        traceback = traceback.tb_next
    return True


def _check_axis(bound: inspect.BoundArguments, of: str, owner: str) -> None:
    bound.apply_defaults()
    axis, array = bound.arguments["axis"], bound.arguments[of]
    try:
        shape = np.shape(array)
    except ValueError:
        raise DataError(f"{owner}: {of} must be an array, not {shown(array)}") from None
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"{owner}: {of} of shape {shape} has no axis {axis}")


def _owner(function: Callable[..., Any], of: Any) -> str:
    """Return what a message calls a function: a method with the class of its object."""
    if function.__name__ == "__init__":
        return type(of).__name__
    return function.__name__ if of is None else f"{type(of).__name__}.{function.__name__}"


def _written(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    return inspect.formatannotation(annotation).replace("os.Path", "Path").replace("pathlib.", "")
