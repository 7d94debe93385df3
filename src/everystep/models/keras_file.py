"""Keras's files: `.keras` with a whole model, `.weights.h5` with weights alone, both ways."""

from __future__ import annotations

import datetime
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.core.variables import Variable
from everystep.errors import FormatError
from everystep.formats import KERAS_MODEL, parse_json, write_atomically, write_json
from everystep.formats.hdf5 import read_hdf5, write_hdf5
from everystep.formats.keras_archive import (
    CONFIG,
    METADATA,
    WEIGHTS,
    KerasArchive,
    read_archive,
    write_archive,
)
from everystep.formats.opening import open_regular
from everystep.models.keras_config import for_keras, from_keras
from everystep.models.keras_optimizer import PLACE, optimizer_places_of, set_optimizer
from everystep.models.keras_places import keras_places_of
from everystep.models.matching import listed
from everystep.models.rebuilding import (
    as_json,
    compile_again,
    configuration_of,
    rebuilt,
    set_fitting_weights,
    set_weights,
    values_of,
)

if TYPE_CHECKING:
    from everystep.models.model import Model

Tensors = Mapping[str, np.ndarray[Any, Any]]

KERAS_VERSION = "3.15.0"
"""The version of Keras whose format is written; any of the same first number is read."""

# What earlier versions kept of their random numbers, which here come from seed, path and step.
_NOISE = re.compile(r"(^|/)_?seed_generator/vars/\d+$")


def write_model(model: Model, path: Path) -> None:
    """Write a model as Keras does.

    Raises:
        SettingError: the model holds something that Keras does not have.
    """
    config = for_keras(configuration_of(model))
    metadata = {
        "keras_version": KERAS_VERSION,
        "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
    }
    variables = keras_places_of(model)
    if config["compile_config"] is not None:
        variables |= optimizer_places_of(model)
    weights = write_hdf5(values_of(variables))
    text = as_json(config, model)
    write_archive(path, KerasArchive(text.encode(), write_json(metadata).encode(), weights))


def read_model(path: Path, compile: bool) -> Any:
    """Return the model of a file that Keras 3, or `write_model`, wrote.

    Raises:
        FormatError: the file is damaged, hostile, from another version, or holds what we do not
            have.
    """
    return model_of(read_archive(path), compile, str(path))


def model_of(archive: KerasArchive, compile: bool, where: str) -> Any:
    """Return the model that an archive holds.

    Args:
        archive: the archive.
        compile: whether to compile the model as it was.
        where: the file, for error messages.

    Raises:
        FormatError: the archive is hostile, from another version, or holds what we do not have.
    """
    _check_version(parse_json(archive.metadata, f"{where}: {METADATA}"), where)
    tensors = read_hdf5(io.BytesIO(archive.weights), f"{where}: {WEIGHTS}")
    place = f"{where}: {CONFIG}"
    config = from_keras(parse_json(archive.config, place), place)
    weights, state = _parted(tensors)
    model = rebuilt(config, sum(array.size for array in weights.values()), place)
    _set_weights(model, weights, where)
    if compile:
        compile_again(model, config.get("compile_config"), where)
        set_optimizer(model, state, where)
    return model


def _check_version(metadata: Any, where: str) -> None:
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    if not isinstance(version, str) or not version.startswith("3."):
        raise FormatError(
            f"{where}: {METADATA}: keras_version is {str(version)[:40]!r}, but everystep reads "
            "files of Keras 3. For an older file load it in Keras 3 and save it again; for a newer "
            "one install a newer everystep"
        )


def write_weights(model: Model, path: Path) -> None:
    """Write the weights of a model where Keras puts them."""
    contents = write_hdf5(values_of(keras_places_of(model) | optimizer_places_of(model)))
    write_atomically(path, lambda file: file.write(contents))


def read_weights(model: Model, path: Path, partly: bool) -> None:
    """Read the weights of a `.weights.h5` or `.keras` file into a model, all or those that fit.

    Raises:
        FormatError: the file is damaged, or its weights are not those of this model.
    """
    if os.fspath(path).endswith(KERAS_MODEL):
        tensors = read_hdf5(io.BytesIO(read_archive(path).weights), f"{path}: {WEIGHTS}")
    else:
        with open_regular(path) as file:
            tensors = read_hdf5(file, str(path))
    weights, state = _parted(tensors)
    _set_weights(model, weights, str(path), partly)
    set_optimizer(model, state, str(path))


def _parted(tensors: Tensors) -> tuple[Tensors, Tensors]:
    """Return the weights of the layers, and the state of the optimizer."""
    state = {place: array for place, array in tensors.items() if place.startswith(PLACE)}
    return {place: array for place, array in tensors.items() if place not in state}, state


def _set_weights(model: Model, tensors: Tensors, where: str, partly: bool = False) -> None:
    variables = keras_places_of(model)
    values = {place: array for place, array in tensors.items() if not _NOISE.search(place)}
    if partly:
        set_fitting_weights(variables, values, where)
        return
    if values.keys() != variables.keys():
        missing = [_named(place, variables) for place in variables if place not in values]
        extra = sorted(values.keys() - variables.keys())
        raise FormatError(
            f"{where}: its weights are not those of the model. Missing in the file: "
            f"{listed(missing)}. Not in the model: {listed(extra)}"
        )
    set_weights(variables, values, where)


def _named(place: str, variables: Mapping[str, Variable]) -> str:
    return f"{place} ({variables[place].path})"
