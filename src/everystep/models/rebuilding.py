"""Making a model again from what a file holds, whichever format the file has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.core.loading import placeholders
from everystep.core.registry import deserialize, serialize
from everystep.core.sharing import sharing
from everystep.core.variables import Variable
from everystep.core.warning import warn_user
from everystep.errors import FormatError, SettingError
from everystep.formats import write_json
from everystep.models.matching import listed
from everystep.training import Trainer

if TYPE_CHECKING:
    from everystep.models.model import Model

Tensors = Mapping[str, np.ndarray[Any, Any]]


def configuration_of(model: Model) -> dict[str, Any]:
    """Return a model as plain data: its class and settings, its input's shape, its training.

    Raises:
        SettingError: a setting cannot be written.
    """
    with sharing():
        config: dict[str, Any] = serialize(model)
    if model.built and model._built_for is not None:
        config["build_config"] = {"input_shape": serialize(model.input_shape)}
    config["compile_config"] = _training_of(model)
    return config


def as_json(config: dict[str, Any], model: Model) -> str:
    """Return a model's plain data as text.

    Raises:
        SettingError: a number in it is none that JSON knows.
    """
    try:
        return write_json(config)
    except ValueError as error:
        raise SettingError(
            f"model '{model.name}' has a setting that has no JSON: {error}"
        ) from None


def _training_of(model: Model) -> Any:
    try:
        return model.get_compile_config()
    except SettingError as error:
        warn_user(
            f"the training settings of model '{model.name}' are not saved with it, call compile "
            f"after loading: {error}"
        )
        return None


def values_of(variables: Mapping[str, Variable]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the values of variables, for writing at once."""
    return {place: np.asarray(variable.peek()) for place, variable in variables.items()}


def rebuilt(config: Any, elements: int, where: str) -> Any:
    """Return the model of a configuration, with its weights in place but not their values.

    Args:
        config: the plain data, as a file holds it.
        elements: how many values the file holds: weights without bound are not made.
        where: the file and the field, for error messages.

    Raises:
        FormatError: it is not the configuration of a model, or one that cannot be made.
    """
    try:
        with placeholders(elements), sharing():
            model = deserialize(config)
            if isinstance(model, Trainer) and not getattr(model, "built", True):
                shape = (config.get("build_config") or {}).get("input_shape")
                if shape is not None:
                    model.build(_shape(shape))  # type: ignore[attr-defined]
    # A hostile configuration can make a layer fail in any way.
    except Exception as error:
        raise FormatError(f"{where}: the model cannot be rebuilt: {error}") from error
    if not isinstance(model, Trainer):
        raise FormatError(f"{where} is not that of a model")
    return model


def _shape(data: Any) -> Any:
    """Return a shape, or a tree of shapes, from JSON."""
    if isinstance(data, dict):
        return {name: _shape(item) for name, item in data.items()}
    if any(isinstance(item, list | dict) for item in data):
        return [_shape(item) for item in data]
    return tuple(data)


def compile_again(model: Any, config: Any, where: str) -> None:
    """Compile a model as it was.

    Raises:
        FormatError: its training settings cannot be used.
    """
    if config is None:
        return
    try:
        model.compile(**config)
    except Exception as error:
        raise FormatError(
            f"{where}: compile_config cannot be used: {error}. Load with compile=False to compile "
            "the model yourself"
        ) from error


def set_weights(variables: Mapping[str, Variable], values: Tensors, where: str) -> None:
    """Give variables the values of a file, all of them or, where any does not fit, none.

    Args:
        variables: the variables by place.
        values: the value for each of them.
        where: the file, for error messages.

    Raises:
        FormatError: the shape or the kind of a value is another one than its variable's.
    """
    differences = [
        f"'{place}' is {array.dtype} {array.shape} in the file, but {variables[place].dtype} "
        f"{variables[place].shape} in the model"
        for place, array in values.items()
        if not _fits(array, variables[place])
    ]
    if differences:
        raise FormatError(f"{where}: weights differ: {'; '.join(differences)}")
    for place, array in values.items():
        variables[place].assign(array)
    broken = [place for place, array in values.items() if not _finite(array)]
    if broken:
        warn_user(f"{where}: these weights hold NaN or infinite values: {', '.join(broken)}")


def set_fitting_weights(variables: Mapping[str, Variable], values: Tensors, where: str) -> None:
    """Give variables the values of a file that fit, and warn of those that keep their own."""
    fitting = {
        place: array
        for place, array in values.items()
        if place in variables and _fits(array, variables[place])
    }
    kept = [variable.path for place, variable in variables.items() if place not in fitting]
    if kept:
        warn_user(
            f"{where}: it has no values that fit these weights, which keep their values: "
            f"{listed(kept)}"
        )
    set_weights(variables, fitting, where)


def _fits(array: np.ndarray[Any, Any], variable: Variable) -> bool:
    """Whether a value may be taken: cast between precisions, but not from one kind to another."""
    given, wanted = array.dtype, np.dtype(variable.dtype)
    if array.shape != variable.shape or given == wanted:
        return bool(array.shape == variable.shape)
    if given.kind in "iu" and wanted.kind in "iu":
        return bool((array.astype(wanted) == array).all())
    return _is_float(given) and _is_float(wanted)


def _is_float(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" or dtype.name == "bfloat16"


def _finite(array: np.ndarray[Any, Any]) -> bool:
    return not _is_float(array.dtype) or bool(np.isfinite(array).all())
