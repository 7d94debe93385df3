"""Saving and loading: a model with its weights and training settings in one file, or weights alone.

A file holds names, numbers and text. Names of classes are looked up in tables, so that no file can
make anything be imported or called that was not registered before.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.core.loading import placeholders
from everystep.core.registry import custom_object_scope, deserialize, serialize
from everystep.errors import FormatError, SettingError, StateError
from everystep.formats import (
    MODEL_SUFFIX,
    WEIGHTS_SUFFIX,
    check_suffix,
    parse_json,
    read_tensors,
    write_json,
    write_tensors,
)
from everystep.models.matching import matched, places_of
from everystep.training import Trainer

if TYPE_CHECKING:
    from everystep.models.model import Model

Tensors = Mapping[str, np.ndarray[Any, Any]]

_CONFIG = "config"


def save_model(model: Model, filepath: str | PathLike[str], overwrite: bool = True) -> None:
    """Write a model, its weights and what `compile` was given into one file.

    The file is safetensors with the configuration as JSON inside. The state of the optimizer is
    not in it.

    Args:
        model: the model.
        filepath: where to write, with the suffix `.everystep`; a file that is there is replaced in
            one move, or kept where anything fails.
        overwrite: whether a file that is there may be replaced.

    Raises:
        FormatError: the suffix is another one, or the file is there and must not be replaced.
        SettingError: a layer has a setting that cannot be written, such as a function that is not
            registered.

    Example:
        >>> import everystep as es, tempfile
        >>> model = es.Sequential([es.layers.Dense(5, input_shape=(50, 10))])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_model(model, f"{folder}/dense.everystep")
        ...     again = load_model(f"{folder}/dense.everystep")
        >>> again.output_shape, again.count_params()
        ((None, 50, 5), 55)
    """
    path = _place(filepath, MODEL_SUFFIX, overwrite)
    config = serialize(model)
    if model.built and model._built_for is not None:
        config["build_config"] = {"input_shape": serialize(model.input_shape)}
    config["compile_config"] = _training_of(model)
    try:
        text = write_json(config)
    except ValueError as error:
        raise SettingError(
            f"model '{model.name}' has a setting that has no JSON: {error}"
        ) from None
    write_tensors(path, _values(model), {_CONFIG: text})


def load_model(
    filepath: str | PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
) -> Any:
    """Return the model that `save_model` wrote.

    Args:
        filepath: the file.
        custom_objects: classes and functions of your own, by the names that the file calls them.
        compile: whether to compile the model as it was.

    Returns:
        The model, with its weights.

    Raises:
        FormatError: the file is damaged, hostile, from a newer version, or names a class that is
            not registered.
        OSError: the file does not exist or cannot be read.

    Example:
        >>> import everystep as es, tempfile
        >>> model = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
        >>> model.compile("adam", "mse")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/dense.everystep")
        ...     again = load_model(f"{folder}/dense.everystep")
        >>> type(again.optimizer).__name__
        'Adam'
    """
    where = os.fspath(filepath)
    contents = read_tensors(filepath)
    if _CONFIG not in contents.metadata:
        raise FormatError(
            f"{where}: the file holds weights only: build the model and call its load_weights"
        )
    config = parse_json(contents.metadata[_CONFIG], f"{where}: {_CONFIG}")
    elements = sum(array.size for array in contents.tensors.values())
    with custom_object_scope(custom_objects or {}):
        with placeholders(elements):
            model = _rebuilt(config, where)
        _set_weights(model, contents.tensors, where)
        if compile:
            _compile_again(model, config.get("compile_config"), where)
    return model


def save_weights(model: Model, filepath: str | PathLike[str], overwrite: bool = True) -> None:
    """Write the weights of a model into a safetensors file, under the names of their layers.

    Args:
        model: the model, built.
        filepath: where to write, with the suffix `.safetensors`.
        overwrite: whether a file that is there may be replaced.

    Raises:
        FormatError: the suffix is another one, or the file is there and must not be replaced.
        StateError: the model is not built, so that it has no weights yet.

    Example:
        >>> import everystep as es, tempfile
        >>> model = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
        >>> again = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(model, f"{folder}/dense.safetensors")
        ...     load_weights(again, f"{folder}/dense.safetensors")
        >>> bool((again.get_weights()[0] == model.get_weights()[0]).all())
        True
    """
    _needs_built(model, "saved")
    write_tensors(_place(filepath, WEIGHTS_SUFFIX, overwrite), _values(model), {})


def load_weights(model: Model, filepath: str | PathLike[str]) -> None:
    """Read weights that `save_weights` or `save_model` wrote into a model.

    Weights are matched by the names of their layers. The numbers of automatic names may differ, as
    they do where the same model is built again; then their order counts.

    Args:
        model: the model, built.
        filepath: the file.

    Raises:
        FormatError: the file is damaged, or its weights are not those of this model; then no weight
            has changed.
        StateError: the model is not built, so that it has no weights yet.
        OSError: the file does not exist or cannot be read.
    """
    _needs_built(model, "loaded")
    _set_weights(model, read_tensors(filepath).tensors, os.fspath(filepath))


def _place(filepath: str | PathLike[str], suffix: str, overwrite: bool) -> Path:
    path = check_suffix(filepath, suffix)
    if not overwrite and path.exists():
        raise FormatError(f"{path}: the file is there already, and overwrite=False")
    return path


def _needs_built(model: Model, verb: str) -> None:
    if not model.built:
        raise StateError(
            f"model '{model.name}' is not built, so it has no weights that could be {verb}: call "
            "it on data, call build with a shape, or put an Input first"
        )


def _values(model: Model) -> dict[str, np.ndarray[Any, Any]]:
    return {path: np.asarray(variable.peek()) for path, variable in places_of(model).items()}


def _training_of(model: Model) -> Any:
    try:
        return model.get_compile_config()
    except SettingError as error:
        warnings.warn(
            f"the training settings of model '{model.name}' are not saved with it, call compile "
            f"after loading: {error}",
            UserWarning,
            stacklevel=4,
        )
        return None


def _rebuilt(config: Any, where: str) -> Any:
    """Return the model of a configuration, with its weights in place but not their values."""
    try:
        model = deserialize(config)
        if isinstance(model, Trainer) and not getattr(model, "built", True):
            shape = (config.get("build_config") or {}).get("input_shape")
            if shape is not None:
                model.build(_shape(shape))  # type: ignore[attr-defined]
    # A hostile configuration can make a layer fail in any way.
    except Exception as error:
        raise FormatError(f"{where}: {_CONFIG}: the model cannot be rebuilt: {error}") from error
    if not isinstance(model, Trainer):
        raise FormatError(f"{where}: {_CONFIG} is not that of a model")
    return model


def _shape(data: Any) -> Any:
    """Return a shape, or a tree of shapes, from JSON."""
    if isinstance(data, dict):
        return {name: _shape(item) for name, item in data.items()}
    if any(isinstance(item, list | dict) for item in data):
        return [_shape(item) for item in data]
    return tuple(data)


def _compile_again(model: Any, config: Any, where: str) -> None:
    if config is None:
        return
    try:
        model.compile(**config)
    except Exception as error:
        raise FormatError(
            f"{where}: compile_config cannot be used: {error}. Load with compile=False to compile "
            "the model yourself"
        ) from error


def _set_weights(model: Model, tensors: Tensors, where: str) -> None:
    """Give a model the weights of a file, all of them or, where any does not fit, none."""
    variables = places_of(model)
    found = matched(variables, tensors, where)
    differences = [
        f"'{path}' is {array.dtype} {array.shape} in the file, but {variables[path].dtype} "
        f"{variables[path].shape} in the model"
        for path, array in found.items()
        if array.shape != variables[path].shape or not _fits(array.dtype, variables[path].dtype)
    ]
    if differences:
        raise FormatError(f"{where}: weights differ: {'; '.join(differences)}")
    for path, array in found.items():
        variables[path].assign(array)
    broken = [path for path, array in found.items() if not _finite(array)]
    if broken:
        warnings.warn(
            f"{where}: these weights hold NaN or infinite values: {', '.join(broken)}",
            UserWarning,
            stacklevel=3,
        )


def _fits(given: np.dtype[Any], wanted: Any) -> bool:
    """Whether values may be cast: between precisions, but not from one kind to another."""
    return given == wanted or (_is_float(given) and _is_float(np.dtype(wanted)))


def _is_float(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" or dtype.name == "bfloat16"


def _finite(array: np.ndarray[Any, Any]) -> bool:
    return not _is_float(array.dtype) or bool(np.isfinite(array).all())
