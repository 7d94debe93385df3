"""Saving and loading: the suffix of a file says in which format.

| suffix | holds | who reads and writes it |
|---|---|---|
| `.everystep` | a model, in one safetensors file with a checksum | everystep |
| `.keras` | a model with the state of its optimizer | Keras 3 and everystep |
| `.safetensors` | weights | everystep; others read it |
| `.weights.h5` | weights | Keras 3 and everystep |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from everystep.core.registry import custom_object_scope
from everystep.errors import FormatError, SettingError, StateError
from everystep.formats import (
    KERAS_MODEL,
    KERAS_WEIGHTS,
    MODEL_SUFFIXES,
    WEIGHTS_SUFFIXES,
    place_to_write,
    suffix_of,
)
from everystep.kinds import checked
from everystep.models import bundle
from everystep.training.trainer import MODEL

if TYPE_CHECKING:
    from everystep.models.model import Model


@checked(model=MODEL)
def save_model(model: Model, filepath: str | PathLike[str], overwrite: bool = True) -> None:
    """Write a model, its weights and what `compile` was given into one file.

    Args:
        model: the model.
        filepath: where to write: with the suffix `.everystep` in our own format, with `.keras` in
            that of Keras 3, where the state of the optimizer is in it too. A file that is there is
            replaced in one move, or kept where anything fails.
        overwrite: whether a file that is there may be replaced.

    Raises:
        FormatError: the suffix is another one, or the file is there and must not be replaced.
        SettingError: a layer has a setting that cannot be written, such as a function that is not
            registered.

    Example:
        >>> import everystep as es, tempfile
        >>> model = es.Sequential([es.layers.Dense(5, input_shape=(50, 10))])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_model(model, f"{folder}/dense.keras")
        ...     again = load_model(f"{folder}/dense.keras")
        >>> again.output_shape, again.count_params()
        ((None, 50, 5), 55)
    """
    suffix = suffix_of(filepath, MODEL_SUFFIXES)
    path = place_to_write(filepath, overwrite)
    (_keras_file() if suffix == KERAS_MODEL else bundle).write_model(model, path)


@checked
def load_model(
    filepath: str | PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Return the model of a file that `save_model`, or Keras 3, wrote.

    Args:
        filepath: the file.
        custom_objects: classes and functions of your own, by the names that the file calls them.
        compile: whether to compile the model as it was.
        safe_mode: True; code in a file is never run.

    Returns:
        The model, with its weights.

    Raises:
        FormatError: the file is damaged, hostile, from a newer version, or names a class that is
            not registered.
        OSError: the file does not exist or cannot be read.
        SettingError: `safe_mode` is not True.

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
    if safe_mode is not True:
        raise SettingError(
            "safe_mode must be True: code in a file is never run. Build the model from your own "
            "source and call its load_weights"
        )
    name = os.fspath(filepath)
    if name.endswith((".h5", ".hdf5")):
        raise FormatError(
            f"{name}: a whole model in HDF5 is the format before Keras 3, which is not read: load "
            "it in Keras and save it as .keras. For weights, build the model and call load_weights"
        )
    reader = _keras_file() if name.endswith(KERAS_MODEL) else bundle
    with custom_object_scope(custom_objects or {}):
        return reader.read_model(Path(filepath), compile)


@checked(model=MODEL)
def save_weights(model: Model, filepath: str | PathLike[str], overwrite: bool = True) -> None:
    """Write the weights of a model into a file.

    Args:
        model: the model, built.
        filepath: where to write: with the suffix `.safetensors` under the names of their layers,
            with `.weights.h5` where Keras 3 puts them.
        overwrite: whether a file that is there may be replaced.

    Raises:
        FormatError: the suffix is another one, or the file is there and must not be replaced.
        StateError: the model is not built, so that it has no weights yet.

    Example:
        >>> import everystep as es, tempfile
        >>> model = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
        >>> again = es.Sequential([es.layers.Dense(1, input_shape=(2,))])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(model, f"{folder}/dense.weights.h5")
        ...     load_weights(again, f"{folder}/dense.weights.h5")
        >>> bool((again.get_weights()[0] == model.get_weights()[0]).all())
        True
    """
    _needs_built(model, "saved")
    suffix = suffix_of(filepath, WEIGHTS_SUFFIXES)
    path = place_to_write(filepath, overwrite)
    (_keras_file() if suffix == KERAS_WEIGHTS else bundle).write_weights(model, path)


@checked(model=MODEL)
def load_weights(model: Model, filepath: str | PathLike[str], skip_mismatch: bool = False) -> None:
    """Read the weights of a file into a model.

    In a file of ours weights are matched by the names of their layers. The numbers of automatic
    names may differ, as they do where the same model is built again; then their order counts. In a
    file of Keras the place counts: which attribute holds the layer, and which layer of its class
    it is there.

    Args:
        model: the model, built.
        filepath: a file of weights, or of a model.
        skip_mismatch: whether weights for which the file has no value that fits keep their values,
            with a warning that names them.

    Raises:
        FormatError: the file is damaged, or its weights are not those of this model; then no weight
            has changed.
        StateError: the model is not built, so that it has no weights yet.
        OSError: the file does not exist or cannot be read.
    """
    _needs_built(model, "loaded")
    of_keras = os.fspath(filepath).endswith((KERAS_MODEL, KERAS_WEIGHTS))
    (_keras_file() if of_keras else bundle).read_weights(model, Path(filepath), skip_mismatch)


def _keras_file() -> Any:
    """Return the module of Keras's formats."""
    from everystep.models import keras_file  # With h5py, which takes its time to import.

    return keras_file


def _needs_built(model: Model, verb: str) -> None:
    if not model.built:
        raise StateError(
            f"model '{model.name}' is not built, so it has no weights that could be {verb}: call "
            "it on data, call build with a shape, or put an Input first"
        )
